//! What the scheduler needs from the world.

use crate::SchedulerConfig;
use mantissa_ports::Clock;
use mantissa_ports::stores::{IngestStore, LedgerStore};
use std::sync::Arc;

#[derive(Clone)]
pub struct SchedulerDeps {
    pub ledger: Arc<dyn LedgerStore>,
    pub ingests: Arc<dyn IngestStore>,
    pub clock: Arc<dyn Clock>,
    pub config: SchedulerConfig,
}
