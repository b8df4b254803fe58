//! An engine without SQL: it keeps the life of a query, and is told what each statement comes to.

use super::locked;
use crate::{Column, PortError, QueryEngine, QueryRequest, QueryStats, QueryStatus, ResultPage};
use async_trait::async_trait;
use mantissa_contracts::ids::EngineQueryId;
use mantissa_contracts::messages::FailureKind;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

const PAGE_ROWS: usize = 1000;
/// What every query that succeeds is said to have taken.
const DURATION_MS: u64 = 7;

/// What a statement comes to.
#[derive(Debug, Clone)]
pub enum Answer {
    Rows {
        columns: Vec<Column>,
        rows: Vec<Vec<Option<String>>>,
        scanned_bytes: u64,
    },
    Fails {
        kind: FailureKind,
        reason: String,
    },
    /// Runs until it is cancelled or out of time.
    RunsOn,
}

pub struct MemoryQueryEngine {
    answer: Box<dyn Fn(&str) -> Answer + Send + Sync>,
    queries: Mutex<HashMap<EngineQueryId, Query>>,
    is_away: AtomicBool,
}

struct Query {
    request: QueryRequest,
    answer: Answer,
    started_at: Instant,
    /// `None` until somebody asks after the query's end: nothing runs in between.
    ended: Option<QueryStatus>,
}

impl MemoryQueryEngine {
    /// `answer` says what a statement comes to, by its text.
    pub fn new(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self { answer: Box::new(answer), queries: Mutex::default(), is_away: AtomicBool::new(false) }
    }

    /// Forgets every query, as an engine does that restarts.
    pub fn restart(&self) {
        locked(&self.queries).clear();
    }

    /// While it is away, every call is a transient error.
    pub fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::Relaxed);
    }

    fn answers(&self, operation: &'static str) -> Result<(), PortError> {
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(PortError::transient(operation, "engine", "it does not answer")),
            false => Ok(()),
        }
    }

    /// The requests of the queries it knows.
    pub fn started(&self) -> Vec<QueryRequest> {
        locked(&self.queries).values().map(|query| query.request.clone()).collect()
    }
}

impl Query {
    fn status(&mut self) -> QueryStatus {
        if self.ended.is_none() {
            self.ended = self.end();
        }
        self.ended.clone().unwrap_or(QueryStatus::Running)
    }

    fn end(&self) -> Option<QueryStatus> {
        let failed = |kind, reason: String| Some(QueryStatus::Failed { kind, reason });
        match &self.answer {
            Answer::Fails { kind, reason } => failed(*kind, reason.clone()),
            Answer::Rows { rows, .. } if rows.len() as u64 > self.request.max_rows => {
                failed(FailureKind::Permanent, format!("more than {} rows", self.request.max_rows))
            }
            Answer::Rows { rows, scanned_bytes, .. } => Some(QueryStatus::Succeeded(QueryStats {
                n_rows: rows.len() as u64,
                scanned_bytes: *scanned_bytes,
                duration_ms: DURATION_MS,
            })),
            Answer::RunsOn if self.started_at.elapsed() >= self.request.timeout => {
                failed(FailureKind::Transient, format!("still running after {:?}", self.request.timeout))
            }
            Answer::RunsOn => None,
        }
    }
}

#[async_trait]
impl QueryEngine for MemoryQueryEngine {
    async fn start(&self, request: &QueryRequest) -> Result<EngineQueryId, PortError> {
        self.answers("start query")?;
        let id = EngineQueryId::new(format!("{}: {}", request.token, request.sql));
        locked(&self.queries).entry(id.clone()).or_insert_with(|| Query {
            request: request.clone(),
            answer: (self.answer)(&request.sql),
            started_at: Instant::now(),
            ended: None,
        });
        Ok(id)
    }

    async fn status(&self, query: &EngineQueryId) -> Result<QueryStatus, PortError> {
        self.answers("ask for status of query")?;
        Ok(locked(&self.queries).get_mut(query).map_or(QueryStatus::Unknown, Query::status))
    }

    async fn results(&self, query: &EngineQueryId, page: Option<&str>) -> Result<ResultPage, PortError> {
        self.answers("read results of query")?;
        let refused = |why: &str| PortError::permanent("read results of query", query.to_string(), why);
        let mut queries = locked(&self.queries);
        let found = queries.get_mut(query).ok_or_else(|| refused("the engine does not know it"))?;
        let succeeded = matches!(found.status(), QueryStatus::Succeeded(_));
        let Answer::Rows { columns, rows, .. } = &found.answer else { return Err(refused("it has no result")) };
        if !succeeded {
            return Err(refused("it has not succeeded"));
        }
        let from = page.unwrap_or("0").parse().ok().filter(|from: &usize| from.is_multiple_of(PAGE_ROWS));
        let from = from.ok_or_else(|| refused("there is no such page"))?;
        let rest = rows.get(from..).ok_or_else(|| refused("there is no such page"))?;
        Ok(ResultPage {
            columns: columns.clone(),
            rows: rest.iter().take(PAGE_ROWS).cloned().collect(),
            next_page: (rest.len() > PAGE_ROWS).then(|| (from + PAGE_ROWS).to_string()),
        })
    }

    async fn cancel(&self, query: &EngineQueryId) -> Result<(), PortError> {
        self.answers("cancel query")?;
        if let Some(found) = locked(&self.queries).get_mut(query)
            && !found.status().is_final()
        {
            found.ended = Some(QueryStatus::Cancelled);
        }
        Ok(())
    }
}
