//! A DataFusion session set up as this engine needs it.

use super::engine::EngineConfig;
use super::error::QueryError;
use super::functions;
use super::limits::BATCH_ROWS;
use super::plan_unnest::UnnestPlanner;
use super::widen_lambdas::WidenLambdas;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionConfig;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Memory, spilling, caches, planner options and functions; no tables yet.
pub(super) fn open_session(config: &EngineConfig) -> Result<SessionState, QueryError> {
    let pool = FairSpillPool::new(config.memory_limit_bytes);
    let disk = match &config.spill_dir {
        Some(dir) => DiskManagerMode::Directories(vec![dir.clone()]),
        None => DiskManagerMode::Disabled,
    };
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(TrackConsumersPool::new(pool, NonZeroUsize::MIN)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(disk))
        // Files come and go between two queries: a list that is kept would be wrong.
        .with_object_list_cache_limit(0)
        .build_arc()
        .map_err(|error| QueryError::Open(Box::new(error)))?;
    let mut session = SessionConfig::new()
        .with_batch_size(BATCH_ROWS)
        .with_target_partitions(config.n_threads.max(1))
        .with_information_schema(false);
    let options = session.options_mut();
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    // Trino puts NULL last in either direction.
    options.sql_parser.default_null_ordering = "nulls_last".to_owned();
    options.execution.time_zone = Some("UTC".to_owned());
    let mut optimizer: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = vec![Arc::new(WidenLambdas)];
    optimizer.extend(PhysicalOptimizer::new().rules);
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(session)
        .with_runtime_env(runtime)
        // They make rows out of nothing, or read files; Trino has none of them.
        .with_table_functions(HashMap::new())
        .with_physical_optimizer_rules(optimizer)
        .with_relation_planners(vec![Arc::new(UnnestPlanner)])
        .build();
    functions::register(state)
}
