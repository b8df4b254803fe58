//! What enrichment needs from the world.

use crate::asset_table::AssetTable;
use mantissa_domain::routing::RoutingConfig;
use mantissa_ports::Clock;
use mantissa_ports::stores::{AlertStore, DestinationStore};
use maxminddb::Reader;
use std::sync::Arc;

#[derive(Clone)]
pub struct EnrichmentDeps {
    pub alerts: Arc<dyn AlertStore>,
    pub destinations: Arc<dyn DestinationStore>,
    pub clock: Arc<dyn Clock>,
    pub routing: Arc<RoutingConfig>,
    /// The user's own notes on accounts, hosts, addresses and people.
    pub assets: Arc<AssetTable>,
    /// A MaxMind database of countries, cities or networks, where the user has one.
    pub addresses: Option<Arc<Reader<Vec<u8>>>>,
}
