//! SQL over the lake, started now and asked about later.

use crate::PortError;
use async_trait::async_trait;
use mantissa_contracts::ids::EngineQueryId;
use mantissa_contracts::messages::FailureKind;
use serde::Serialize;
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct QueryRequest {
    /// The same token with the same SQL is the same query: starting it twice runs it once.
    pub token: String,
    /// Trino SQL, already through the guard.
    pub sql: String,
    /// A result with more rows than this fails the query; it is never cut.
    pub max_rows: u64,
    pub timeout: Duration,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct QueryStats {
    pub n_rows: u64,
    pub scanned_bytes: u64,
    pub duration_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryStatus {
    Queued,
    Running,
    Succeeded(QueryStats),
    Failed {
        kind: FailureKind,
        reason: String,
    },
    Cancelled,
    /// The engine does not know the query: it restarted, or forgot it. Starting it again is the only way on.
    Unknown,
}

impl QueryStatus {
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    pub name: String,
    /// The Trino name of the type: `varchar`, `bigint`, `timestamp(3)`.
    pub data_type: String,
}

/// One page of a result. Values are text as Trino prints it; NULL is `None`, and differs from the empty text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultPage {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Option<String>>>,
    /// Pass it to get the next page; `None` on the last.
    pub next_page: Option<String>,
}

/// A query engine over the lake.
///
/// - [`start`](QueryEngine::start) returns once the engine has taken the query, not when it ends. The same token with the
///   same SQL gives the same query id while the engine knows it. SQL that cannot be parsed or planned fails the query with
///   [`FailureKind::Permanent`] and a reason that names the cause.
/// - [`status`](QueryEngine::status) moves from queued to running to one final status and stays there.
/// - A query that runs past its timeout fails with [`FailureKind::Transient`]. One that returns more than `max_rows`
///   rows, or needs more memory than it may have, fails with [`FailureKind::Permanent`].
/// - [`results`](QueryEngine::results) of a succeeded query returns every row exactly once over all its pages, and the
///   same page for the same token. Asking for results of a query that has not succeeded is a permanent error.
/// - [`cancel`](QueryEngine::cancel) stops a query that runs; its status becomes cancelled. It does nothing to one that
///   has ended or is unknown.
/// - `scanned_bytes` counts what was read from the lake's files, and is 0 only when nothing was.
#[async_trait]
pub trait QueryEngine: Send + Sync {
    async fn start(&self, request: &QueryRequest) -> Result<EngineQueryId, PortError>;

    async fn status(&self, query: &EngineQueryId) -> Result<QueryStatus, PortError>;

    async fn results(&self, query: &EngineQueryId, page: Option<&str>) -> Result<ResultPage, PortError>;

    async fn cancel(&self, query: &EngineQueryId) -> Result<(), PortError>;
}
