//! What the query worker needs from the world.

use crate::QueryWorkerConfig;
use mantissa_detection::CompiledRules;
use mantissa_ports::stores::RuleStore;
use mantissa_ports::{Clock, QueryEngine};
use std::sync::Arc;

#[derive(Clone)]
pub struct QueryWorkerDeps {
    pub rules: Arc<dyn RuleStore>,
    pub compiled: Arc<CompiledRules>,
    pub engine: Arc<dyn QueryEngine>,
    pub clock: Arc<dyn Clock>,
    pub config: QueryWorkerConfig,
}
