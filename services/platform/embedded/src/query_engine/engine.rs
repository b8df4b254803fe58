//! The engine as the port sees it.

use super::error::QueryError;
use super::interrupt_joins::StopFlag;
use super::open_session::open_session;
use super::run_query::{ResultLimits, Row, run_query};
use super::tables::{lake_table, memory_table};
use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::execution::context::SessionContext;
use datafusion::execution::session_state::SessionState;
use mantissa_contracts::ids::EngineQueryId;
use mantissa_lake::catalogue::{Catalogue, catalogue};
use mantissa_ports::tracked_queries::{Started, TrackedQueries, TrackedQuery};
use mantissa_ports::{Column, PortError, QueryEngine, QueryRequest, QueryStats, QueryStatus, ResultPage};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::AbortHandle;

/// Of each thread: expressions are walked to their depth, in many places, and a stack that ends ends the process. What is
/// not used costs address space only.
const STACK_BYTES: usize = 32 << 20;

#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The folder that holds one folder a table.
    pub lake_dir: PathBuf,
    /// What all running queries together may hold in memory.
    pub memory_limit_bytes: usize,
    /// What the result of one query may hold in memory.
    pub max_result_bytes: usize,
    /// Queries beyond it wait in the order they came.
    pub max_concurrent_queries: usize,
    /// Threads a query may use.
    pub n_threads: usize,
    /// Where sorts and joins that outgrow memory go; without it they fail.
    pub spill_dir: Option<PathBuf>,
}

impl EngineConfig {
    /// Sizes for a small machine.
    pub fn new(lake_dir: impl Into<PathBuf>) -> Self {
        Self {
            lake_dir: lake_dir.into(),
            memory_limit_bytes: 1 << 30,
            max_result_bytes: 256 << 20,
            max_concurrent_queries: 4,
            n_threads: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            spill_dir: None,
        }
    }
}

/// DataFusion behind the [`QueryEngine`] port. Cloning shares it.
#[derive(Clone)]
pub struct DataFusionEngine {
    inner: Arc<Inner>,
}

struct Inner {
    state: SessionState,
    catalogue: Catalogue,
    max_result_bytes: usize,
    running: Arc<Semaphore>,
    queries: TrackedQueries,
    /// Queries compute for long without a pause: on threads of their own they hold up nobody else.
    runtime: Option<Runtime>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Waiting for the threads is not allowed where this may be dropped, inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Stops what it stands for when it is dropped.
struct StopOnDrop(StopFlag, AbortHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        self.1.abort();
    }
}

impl DataFusionEngine {
    /// Over the Parquet files of a lake. The folder need not exist yet.
    pub fn new(config: EngineConfig) -> Result<Self, QueryError> {
        Self::open(&config, catalogue().clone(), |table| lake_table(&config.lake_dir, table))
    }

    /// Over batches in place of the tables' files, by table name; a table that is not named is empty. Columns that a
    /// batch lacks are null. For tests of rules.
    pub fn with_batches(batches: &HashMap<String, Vec<RecordBatch>>) -> Result<Self, QueryError> {
        let config = EngineConfig::new(PathBuf::new());
        Self::open(&config, catalogue().clone(), |table| {
            memory_table(table, batches.get(table.name).map_or(&[], Vec::as_slice))
        })
    }

    /// Runs a query to its end, without row limit, timeout or queue. Dropping the future stops it. For the command line
    /// and for tests.
    pub async fn collect(&self, sql: &str) -> Result<(Vec<Column>, Vec<Row>, QueryStats), QueryError> {
        let limits = ResultLimits { max_rows: u64::MAX, max_bytes: self.inner.max_result_bytes };
        let stop = StopFlag::default();
        let (inner, sql, stopped) = (Arc::clone(&self.inner), sql.to_owned(), Arc::clone(&stop));
        let work = self
            .inner
            .handle()?
            .spawn(async move { run_query(&inner.state, &inner.catalogue, &sql, limits, &stopped).await });
        let _stop_on_drop = StopOnDrop(stop, work.abort_handle());
        let output = work.await.unwrap_or_else(|error| Err(QueryError::Stopped(error.to_string())))?;
        Ok((output.columns, output.rows, output.stats))
    }

    fn open(
        config: &EngineConfig,
        catalogue: Catalogue,
        provider: impl Fn(
            &mantissa_lake::catalogue::Table,
        ) -> Result<Arc<dyn datafusion::catalog::TableProvider>, QueryError>,
    ) -> Result<Self, QueryError> {
        let context = SessionContext::new_with_state(open_session(config)?);
        for table in &catalogue.tables {
            context.register_table(table.name, provider(table)?).map_err(|error| QueryError::Open(Box::new(error)))?;
        }
        let inner = Inner {
            state: context.state(),
            catalogue,
            max_result_bytes: config.max_result_bytes,
            running: Arc::new(Semaphore::new(config.max_concurrent_queries.max(1))),
            queries: TrackedQueries::new("EmbeddedQuery"),
            runtime: Some(
                Builder::new_multi_thread()
                    .worker_threads(config.n_threads.max(1))
                    .thread_name("query")
                    .thread_stack_size(STACK_BYTES)
                    .enable_all()
                    .build()
                    .map_err(|error| QueryError::Open(Box::new(error.into())))?,
            ),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Waits for a free place and runs the query.
    fn spawn(&self, request: &QueryRequest, query: &Arc<TrackedQuery>) -> Result<(), QueryError> {
        let (inner, tracked) = (Arc::clone(&self.inner), Arc::clone(query));
        let (sql, max_rows, stop) = (request.sql.clone(), request.max_rows, StopFlag::default());
        let stopped = Arc::clone(&stop);
        let (begins, begun) = oneshot::channel();
        let work = self.inner.handle()?.spawn(async move {
            let Ok(_place) = Arc::clone(&inner.running).acquire_owned().await else {
                return Err(QueryError::Stopped("its queue is closed".to_owned()).into_end());
            };
            tracked.set_running();
            let _nobody_waits = begins.send(());
            let limits = ResultLimits { max_rows, max_bytes: inner.max_result_bytes };
            run_query(&inner.state, &inner.catalogue, &sql, limits, &stopped).await.map_err(QueryError::into_end)
        });
        let stop = StopOnDrop(stop, work.abort_handle());
        query.follow(work, begun, request.timeout, move || drop(stop));
        Ok(())
    }
}

impl Inner {
    fn handle(&self) -> Result<&Handle, QueryError> {
        self.runtime
            .as_ref()
            .map(Runtime::handle)
            .ok_or_else(|| QueryError::Stopped("it is being shut down".to_owned()))
    }
}

#[async_trait]
impl QueryEngine for DataFusionEngine {
    async fn start(&self, request: &QueryRequest) -> Result<EngineQueryId, PortError> {
        match self.inner.queries.start(request) {
            Started::Known(id) => Ok(id),
            Started::New(id, query) => {
                if let Err(error) = self.spawn(request, &query) {
                    query.finish(Err(error.into_end()));
                }
                Ok(id)
            }
        }
    }

    async fn status(&self, query: &EngineQueryId) -> Result<QueryStatus, PortError> {
        Ok(self.inner.queries.status(query))
    }

    async fn results(&self, query: &EngineQueryId, page: Option<&str>) -> Result<ResultPage, PortError> {
        self.inner.queries.results(query, page)
    }

    async fn cancel(&self, query: &EngineQueryId) -> Result<(), PortError> {
        self.inner.queries.cancel(query);
        Ok(())
    }
}
