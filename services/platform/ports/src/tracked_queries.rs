//! Queries of an engine that holds their states and their results in this process: its part of the QueryEngine contract.

use crate::{Column, PortError, QueryRequest, QueryStats, QueryStatus, ResultPage};
use mantissa_contracts::ids::{EngineQueryId, derive};
use mantissa_contracts::messages::FailureKind;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Rows of a result page.
pub const PAGE_ROWS: usize = 1_000;

/// How long a finished query and its result can be asked for.
const KEEP_FINISHED: Duration = Duration::from_secs(600);

/// How many finished queries are kept at most; the oldest go first.
const MAX_FINISHED: usize = 512;

/// A complete result.
#[derive(Debug)]
pub struct QueryOutput {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Option<String>>>,
    pub stats: QueryStats,
}

/// What a row takes in memory while its result is kept.
pub fn row_bytes(row: &[Option<String>]) -> usize {
    row.iter().map(|value| size_of::<Option<String>>() + value.as_ref().map_or(0, String::len)).sum()
}

/// Why a query has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryEnd {
    Failed {
        kind: FailureKind,
        reason: String,
    },
    /// By somebody else than us.
    Cancelled,
}

impl QueryEnd {
    pub fn failed(kind: FailureKind, reason: impl Into<String>) -> Self {
        Self::Failed { kind, reason: reason.into() }
    }

    fn into_status(self) -> QueryStatus {
        match self {
            Self::Failed { kind, reason } => QueryStatus::Failed { kind, reason },
            Self::Cancelled => QueryStatus::Cancelled,
        }
    }
}

/// One query, shared between its task and those who ask about it.
pub struct TrackedQuery {
    progress: Mutex<Progress>,
}

struct Progress {
    status: QueryStatus,
    output: Option<QueryOutput>,
    finished_at: Option<Instant>,
    stop: Option<Box<dyn FnOnce() + Send>>,
}

impl TrackedQuery {
    fn new() -> Self {
        let progress = Progress { status: QueryStatus::Queued, output: None, finished_at: None, stop: None };
        Self { progress: Mutex::new(progress) }
    }

    fn status(&self) -> QueryStatus {
        lock(&self.progress).status.clone()
    }

    pub fn set_running(&self) {
        let mut progress = lock(&self.progress);
        if progress.status == QueryStatus::Queued {
            progress.status = QueryStatus::Running;
        }
    }

    /// Notes how the work ends, also where it panicked. Its time is counted from `begun`, on the caller's runtime, where no
    /// query can hold it up. `stop` is what ends the work at its timeout or when it is cancelled.
    pub fn follow(
        self: &Arc<Self>,
        mut work: JoinHandle<Result<QueryOutput, QueryEnd>>,
        begun: oneshot::Receiver<()>,
        timeout: Duration,
        stop: impl FnOnce() + Send + 'static,
    ) {
        self.set_stop(Box::new(stop));
        let tracked = Arc::clone(self);
        tokio::spawn(async move {
            // An error means that the work ended before it began, which it then says itself.
            let _ended_early = begun.await;
            let outcome = match tokio::time::timeout(timeout, &mut work).await {
                Ok(ended) => ended.unwrap_or_else(|error| {
                    let reason = format!("run query: the engine stopped unexpectedly: {error}");
                    Err(QueryEnd::failed(FailureKind::Permanent, reason))
                }),
                Err(_) => {
                    let reason = format!("run query: it ran past its timeout of {} ms", timeout.as_millis());
                    Err(QueryEnd::failed(FailureKind::Transient, reason))
                }
            };
            tracked.finish(outcome);
        });
    }

    /// A query that was cancelled in the meantime is stopped at once.
    fn set_stop(&self, stop: Box<dyn FnOnce() + Send>) {
        let mut progress = lock(&self.progress);
        if progress.status.is_final() {
            drop(progress);
            stop();
        } else {
            progress.stop = Some(stop);
        }
    }

    /// Takes the outcome, unless the query was cancelled before. Work that may still run is stopped.
    pub fn finish(&self, outcome: Result<QueryOutput, QueryEnd>) {
        let (status, output) = match outcome {
            Ok(output) => (QueryStatus::Succeeded(output.stats), Some(output)),
            Err(end) => {
                tracing::debug!(?end, "query without a result");
                (end.into_status(), None)
            }
        };
        self.end(status, output);
    }

    fn cancel(&self) {
        self.end(QueryStatus::Cancelled, None);
    }

    fn end(&self, status: QueryStatus, output: Option<QueryOutput>) {
        let mut progress = lock(&self.progress);
        if progress.status.is_final() {
            return;
        }
        progress.status = status;
        progress.output = output;
        progress.finished_at = Some(Instant::now());
        let stop = progress.stop.take();
        drop(progress);
        if let Some(stop) = stop {
            stop();
        }
    }

    /// The page that begins at a row; `None` where there is no result or no such page.
    fn page(&self, from: usize) -> Option<ResultPage> {
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
pub enum Started {
    New(EngineQueryId, Arc<TrackedQuery>),
    Known(EngineQueryId),
}

/// Every query the engine knows.
pub struct TrackedQueries {
    /// Part of the queries' ids.
    engine: &'static str,
    queries: Mutex<HashMap<EngineQueryId, Arc<TrackedQuery>>>,
}

impl TrackedQueries {
    pub fn new(engine: &'static str) -> Self {
        Self { engine, queries: Mutex::default() }
    }

    /// The id follows from the token and the SQL, so that the same two are the same query, also across restarts.
    fn id_of(&self, request: &QueryRequest) -> EngineQueryId {
        EngineQueryId::new(derive(self.engine, &[&request.token, &request.sql]).to_string())
    }

    pub fn known(&self, request: &QueryRequest) -> Option<EngineQueryId> {
        let id = self.id_of(request);
        self.get(&id).map(|_| id)
    }

    pub fn start(&self, request: &QueryRequest) -> Started {
        let id = self.id_of(request);
        let mut queries = lock(&self.queries);
        forget_old(&mut queries, Instant::now());
        match queries.get(&id) {
            Some(_) => Started::Known(id),
            None => {
                let query = Arc::new(TrackedQuery::new());
                queries.insert(id.clone(), Arc::clone(&query));
                Started::New(id, query)
            }
        }
    }

    pub fn status(&self, id: &EngineQueryId) -> QueryStatus {
        self.get(id).map_or(QueryStatus::Unknown, |query| query.status())
    }

    pub fn results(&self, id: &EngineQueryId, page: Option<&str>) -> Result<ResultPage, PortError> {
        let refused = |why: String| PortError::permanent("read results of query", id.to_string(), why);
        let tracked = self.get(id).ok_or_else(|| refused("the engine does not know it".into()))?;
        let status = tracked.status();
        if !matches!(status, QueryStatus::Succeeded(_)) {
            return Err(refused(format!("it has not succeeded: {status:?}")));
        }
        let from = match page {
            None => 0,
            Some(token) => token.parse().map_err(|_| refused(format!("`{token}` is not a page of it")))?,
        };
        tracked.page(from).ok_or_else(|| refused(format!("it has no page at row {from}")))
    }

    pub fn cancel(&self, id: &EngineQueryId) {
        if let Some(tracked) = self.get(id) {
            tracked.cancel();
        }
    }

    fn get(&self, id: &EngineQueryId) -> Option<Arc<TrackedQuery>> {
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

/// A panic while the lock is held leaves nothing half-written that is used after it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn start(queries: &TrackedQueries, token: &str) -> (EngineQueryId, Arc<TrackedQuery>) {
        let (token, sql) = (token.to_owned(), "SELECT 1".to_owned());
        match queries.start(&QueryRequest { token, sql, max_rows: 1, timeout: Duration::from_secs(60) }) {
            Started::New(id, query) => (id, query),
            Started::Known(id) => panic!("{id} is not new"),
        }
    }

    fn finished(queries: &TrackedQueries, token: &str) -> EngineQueryId {
        let (id, query) = start(queries, token);
        query.finish(Err(QueryEnd::Cancelled));
        id
    }

    #[test]
    fn finished_queries_are_forgotten_after_their_time_and_running_ones_never() {
        let queries = TrackedQueries::new("Test");
        let old = finished(&queries, "old");
        let (running, _) = start(&queries, "running");
        let mut known = lock(&queries.queries);
        forget_old(&mut known, Instant::now());
        assert!(known.contains_key(&old));
        forget_old(&mut known, Instant::now() + KEEP_FINISHED);
        assert!(!known.contains_key(&old) && known.contains_key(&running));
    }

    #[test]
    fn oldest_finished_queries_go_first_when_there_are_too_many() {
        let queries = TrackedQueries::new("Test");
        let ids: Vec<_> = (0..=MAX_FINISHED).map(|i| finished(&queries, &i.to_string())).collect();
        assert!(queries.get(&ids[0]).is_none() && queries.get(&ids[1]).is_some());
    }

    #[tokio::test]
    async fn work_of_a_query_that_was_cancelled_before_it_began_is_stopped() {
        let queries = TrackedQueries::new("Test");
        let (id, query) = start(&queries, "early");
        queries.cancel(&id);
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = stopped.clone();
        let (_begins, begun) = oneshot::channel();
        query.follow(tokio::spawn(std::future::pending()), begun, Duration::from_secs(60), move || {
            flag.store(true, Ordering::Relaxed);
        });
        assert!(stopped.load(Ordering::Relaxed));
        assert_eq!(queries.status(&id), QueryStatus::Cancelled);
    }

    #[tokio::test]
    async fn work_that_panics_is_a_failed_query() {
        let queries = TrackedQueries::new("Test");
        let (id, query) = start(&queries, "panics");
        let (begins, begun) = oneshot::channel();
        begins.send(()).unwrap();
        query.follow(tokio::spawn(async { panic!("of a test") }), begun, Duration::from_secs(60), || {});
        while !queries.status(&id).is_final() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let QueryStatus::Failed { kind, reason } = queries.status(&id) else { panic!("it did not fail") };
        assert!(kind == FailureKind::Permanent && reason.contains("stopped unexpectedly"), "{reason}");
    }
}
