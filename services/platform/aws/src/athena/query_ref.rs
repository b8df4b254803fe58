//! The id of a query: Athena's own, and what the query is held to.

use super::engine::AthenaConfig;
use mantissa_contracts::ids::{EngineQueryId, derive};
use mantissa_ports::QueryRequest;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueryRef {
    pub(super) execution_id: String,
    pub(super) max_rows: u64,
    pub(super) timeout: Duration,
}

impl QueryRef {
    pub(super) fn new(execution_id: impl Into<String>, request: &QueryRequest) -> Self {
        Self { execution_id: execution_id.into(), max_rows: request.max_rows, timeout: request.timeout }
    }

    pub(super) fn to_id(&self) -> EngineQueryId {
        EngineQueryId::new(format!("{}/{}/{}", self.execution_id, self.max_rows, self.timeout.as_millis()))
    }

    /// `None` where the id is not one of ours.
    pub(super) fn of(id: &EngineQueryId) -> Option<Self> {
        let mut parts = id.as_str().split('/');
        let (execution_id, max_rows, timeout_ms) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            execution_id: execution_id.to_owned(),
            max_rows: max_rows.parse().ok()?,
            timeout: Duration::from_millis(timeout_ms.parse().ok()?),
        })
    }
}

/// The token with which Athena runs the same SQL once: 32 to 128 characters. Athena refuses a token it has seen with other
/// settings, so they are a part of it.
pub(super) fn request_token(request: &QueryRequest, config: &AthenaConfig) -> String {
    let reuse = config.reuse_results.map_or(0, |age| age.as_secs()).to_string();
    derive("AthenaQuery", &[&request.token, &request.sql, &config.workgroup, &config.database, &reuse]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_carries_what_the_query_is_held_to() {
        let request = QueryRequest {
            token: "t".to_owned(),
            sql: "SELECT 1".to_owned(),
            max_rows: 100_000,
            timeout: Duration::from_secs(600),
        };
        let query = QueryRef::new("0b6f", &request);
        assert_eq!(QueryRef::of(&query.to_id()), Some(query));
        assert_eq!(QueryRef::of(&EngineQueryId::new("no-such-query")), None);
        let config = AthenaConfig { workgroup: "w".to_owned(), database: "d".to_owned(), reuse_results: None };
        let token = request_token(&request, &config);
        assert!((32..=128).contains(&token.len()));
        assert_ne!(token, request_token(&request, &AthenaConfig { workgroup: "v".to_owned(), ..config }));
    }
}
