//! What dedup needs from the world.

use mantissa_ports::Clock;
use mantissa_ports::stores::AlertStore;
use std::sync::Arc;

#[derive(Clone)]
pub struct DedupDeps {
    pub alerts: Arc<dyn AlertStore>,
    pub clock: Arc<dyn Clock>,
}
