//! What the result poller needs from the world.

use crate::ResultPollerConfig;
use mantissa_detection::CompiledRules;
use mantissa_ports::Publisher;
use mantissa_ports::stores::RuleStore;
use mantissa_ports::{Clock, QueryEngine};
use std::sync::Arc;

#[derive(Clone)]
pub struct ResultPollerDeps {
    pub rules: Arc<dyn RuleStore>,
    pub compiled: Arc<CompiledRules>,
    pub engine: Arc<dyn QueryEngine>,
    /// Matches are published page by page: a result need not fit in memory.
    pub publisher: Arc<Publisher>,
    pub clock: Arc<dyn Clock>,
    pub config: ResultPollerConfig,
}
