//! What the API needs from the world.

use mantissa_ports::Clock;
use mantissa_ports::Publisher;
use mantissa_ports::stores::{AlertStore, DeliveryStore, IngestStore, LedgerStore};
use mantissa_runtime::metrics::Metrics;
use std::sync::Arc;

#[derive(Clone)]
pub struct ApiDeps {
    pub alerts: Arc<dyn AlertStore>,
    pub deliveries: Arc<dyn DeliveryStore>,
    pub ingests: Arc<dyn IngestStore>,
    pub ledger: Arc<dyn LedgerStore>,
    /// For the depths of the queues.
    pub publisher: Arc<Publisher>,
    pub metrics: Arc<Metrics>,
    pub clock: Arc<dyn Clock>,
}
