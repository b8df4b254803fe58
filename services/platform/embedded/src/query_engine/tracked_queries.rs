//! The queries the engine knows: their tokens, their states and their results.

use super::error::QueryError;
use super::interrupt_joins::StopFlag;
use super::limits::{KEEP_FINISHED, MAX_FINISHED, PAGE_ROWS};
use super::run_query::Output;
use mantissa_contracts::ids::{EngineQueryId, derive};
use mantissa_ports::{QueryStatus, ResultPage};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// One query, shared between its task and those who ask about it.
#[derive(Debug)]
pub(super) struct TrackedQuery {
    pub(super) sql: String,
    pub(super) stop: StopFlag,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    status: QueryStatus,
    output: Option<Output>,
    finished_at: Option<Instant>,
    abort: Option<AbortHandle>,
}

impl TrackedQuery {
    fn new(sql: &str) -> Self {
        let progress = Progress { status: QueryStatus::Queued, output: None, finished_at: None, abort: None };
        Self { sql: sql.to_owned(), stop: StopFlag::default(), progress: Mutex::new(progress) }
    }

    pub(super) fn status(&self) -> QueryStatus {
        lock(&self.progress).status.clone()
    }

    pub(super) fn set_running(&self) {
        let mut progress = lock(&self.progress);
        if progress.status == QueryStatus::Queued {
            progress.status = QueryStatus::Running;
        }
    }

    /// The handle that stops the query; one that was cancelled in the meantime is stopped at once.
    pub(super) fn set_abort(&self, handle: AbortHandle) {
        let mut progress = lock(&self.progress);
        if progress.status.is_final() {
            handle.abort();
        } else {
            progress.abort = Some(handle);
        }
    }

    /// Takes the outcome, unless the query was cancelled before.
    pub(super) fn finish(&self, outcome: Result<Output, QueryError>) {
        let mut progress = lock(&self.progress);
        if progress.status.is_final() {
            return;
        }
        progress.finished_at = Some(Instant::now());
        progress.abort = None;
        match outcome {
            Ok(output) => {
                progress.status = QueryStatus::Succeeded(output.stats);
                progress.output = Some(output);
            }
            Err(error) => {
                progress.status = QueryStatus::Failed { kind: error.kind(), reason: error.to_string() };
            }
        }
    }

    pub(super) fn cancel(&self) {
        let mut progress = lock(&self.progress);
        if progress.status.is_final() {
            return;
        }
        self.stop.store(true, Ordering::Relaxed);
        progress.status = QueryStatus::Cancelled;
        progress.finished_at = Some(Instant::now());
        if let Some(handle) = progress.abort.take() {
            handle.abort();
        }
    }

    /// The page that begins at a row; `None` where there is no result or no such page.
    pub(super) fn page(&self, from: usize) -> Option<ResultPage> {
        let progress = lock(&self.progress);
        let output = progress.output.as_ref()?;
        if from > output.rows.len() || !from.is_multiple_of(PAGE_ROWS) {
            return None;
        }
        let to = (from + PAGE_ROWS).min(output.rows.len());
        Some(ResultPage {
            columns: output.columns.clone(),
            rows: output.rows[from..to].to_vec(),
            next_page: (to < output.rows.len()).then(|| to.to_string()),
        })
    }
}

/// What [`TrackedQueries::start`] found.
pub(super) enum Started {
    New(EngineQueryId, Arc<TrackedQuery>),
    Known(EngineQueryId),
}

#[derive(Debug, Default)]
pub(super) struct TrackedQueries {
    queries: Mutex<HashMap<EngineQueryId, Arc<TrackedQuery>>>,
}

impl TrackedQueries {
    /// The id follows from the token and the SQL, so that the same two are the same query, also across restarts.
    pub(super) fn start(&self, token: &str, sql: &str) -> Started {
        let id = EngineQueryId::new(derive("EmbeddedQuery", &[token, sql]).to_string());
        let mut queries = lock(&self.queries);
        forget_old(&mut queries, Instant::now());
        match queries.get(&id) {
            Some(_) => Started::Known(id),
            None => {
                let query = Arc::new(TrackedQuery::new(sql));
                queries.insert(id.clone(), Arc::clone(&query));
                Started::New(id, query)
            }
        }
    }

    pub(super) fn get(&self, id: &EngineQueryId) -> Option<Arc<TrackedQuery>> {
        let mut queries = lock(&self.queries);
        forget_old(&mut queries, Instant::now());
        queries.get(id).cloned()
    }
}

fn forget_old(queries: &mut HashMap<EngineQueryId, Arc<TrackedQuery>>, now: Instant) {
    let finished_at = |query: &TrackedQuery| lock(&query.progress).finished_at;
    queries.retain(|_, query| finished_at(query).is_none_or(|at| now.duration_since(at) < KEEP_FINISHED));
    let mut finished: Vec<(Instant, EngineQueryId)> =
        queries.iter().filter_map(|(id, query)| finished_at(query).map(|at| (at, id.clone()))).collect();
    if finished.len() > MAX_FINISHED {
        finished.sort_by_key(|(at, _)| *at);
        for (_, id) in &finished[..finished.len() - MAX_FINISHED] {
            queries.remove(id);
        }
    }
}

/// A panic while the lock is held leaves nothing half-written: every change is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(queries: &TrackedQueries, token: &str) -> EngineQueryId {
        match queries.start(token, "SELECT 1") {
            Started::New(id, query) => {
                query.finish(Err(QueryError::TooManyRows { max_rows: 0 }));
                id
            }
            _ => panic!("`{token}` is not new"),
        }
    }

    #[test]
    fn finished_queries_are_forgotten_after_their_time_and_running_ones_never() {
        let queries = TrackedQueries::default();
        let old = finished(&queries, "old");
        let Started::New(running, _) = queries.start("running", "SELECT 1") else { panic!("not new") };
        let mut known = lock(&queries.queries);
        forget_old(&mut known, Instant::now());
        assert!(known.contains_key(&old));
        forget_old(&mut known, Instant::now() + KEEP_FINISHED);
        assert!(!known.contains_key(&old) && known.contains_key(&running));
    }

    #[test]
    fn oldest_finished_queries_go_first_when_there_are_too_many() {
        let queries = TrackedQueries::default();
        let ids: Vec<_> = (0..=MAX_FINISHED).map(|i| finished(&queries, &i.to_string())).collect();
        assert!(queries.get(&ids[0]).is_none() && queries.get(&ids[1]).is_some());
    }
}
