//! The cluster as the port sees it.

use crate::client::Client;
use crate::config::TrinoConfig;
use crate::error::TrinoError;
use crate::run_statement::{ResultLimits, RunningStatement};
use async_trait::async_trait;
use mantissa_contracts::ids::EngineQueryId;
use mantissa_ports::tracked_queries::{QueryOutput, Started, TrackedQueries};
use mantissa_ports::{PortError, QueryEngine, QueryRequest, QueryStatus, ResultPage, SecretStore};
use std::sync::Arc;
use tokio::sync::oneshot;

/// A Trino cluster behind the [`QueryEngine`] port.
pub struct TrinoQueryEngine {
    pub(crate) client: Arc<Client>,
    queries: TrackedQueries,
}

impl TrinoQueryEngine {
    /// Nothing is sent yet.
    pub fn new(config: TrinoConfig, secrets: Arc<dyn SecretStore>) -> Result<Self, TrinoError> {
        Ok(Self { client: Arc::new(Client::new(config, secrets)?), queries: TrackedQueries::new("TrinoQuery") })
    }

    /// Runs a query to its end, without row limit or timeout. Dropping the future ends it. For the command line and for
    /// tests.
    pub async fn collect(&self, sql: &str) -> Result<QueryOutput, TrinoError> {
        let session = self.client.session(None).await?;
        let statement = RunningStatement::begin(Arc::clone(&self.client), session, sql).await?;
        let limits = ResultLimits { max_rows: u64::MAX, max_bytes: self.client.config.max_result_bytes };
        statement.finish(limits, || {}).await
    }

    async fn begin(&self, request: &QueryRequest) -> Result<RunningStatement, PortError> {
        let begun = async {
            let session = self.client.session(Some(request.timeout)).await?;
            RunningStatement::begin(Arc::clone(&self.client), session, &request.sql).await
        };
        begun.await.map_err(|error: TrinoError| error.into_port("start query", &request.token))
    }
}

#[async_trait]
impl QueryEngine for TrinoQueryEngine {
    async fn start(&self, request: &QueryRequest) -> Result<EngineQueryId, PortError> {
        if let Some(known) = self.queries.known(request) {
            return Ok(known);
        }
        let statement = self.begin(request).await?;
        let (id, query) = match self.queries.start(request) {
            // Somebody else began it meanwhile: theirs is followed, and ours ends as it is dropped.
            Started::Known(id) => return Ok(id),
            Started::New(id, query) => (id, query),
        };
        let limits = ResultLimits { max_rows: request.max_rows, max_bytes: self.client.config.max_result_bytes };
        let (begins, begun) = oneshot::channel();
        let tracked = Arc::clone(&query);
        let work = tokio::spawn(async move {
            let runs = || {
                tracked.set_running();
                let _nobody_waits = begins.send(());
            };
            statement.finish(limits, runs).await.map_err(TrinoError::into_end)
        });
        let abort = work.abort_handle();
        query.follow(work, begun, request.timeout, move || abort.abort());
        Ok(id)
    }

    async fn status(&self, query: &EngineQueryId) -> Result<QueryStatus, PortError> {
        Ok(self.queries.status(query))
    }

    async fn results(&self, query: &EngineQueryId, page: Option<&str>) -> Result<ResultPage, PortError> {
        self.queries.results(query, page)
    }

    async fn cancel(&self, query: &EngineQueryId) -> Result<(), PortError> {
        self.queries.cancel(query);
        Ok(())
    }
}
