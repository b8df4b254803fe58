//! Where alerts go.

use mantissa_contracts::ids::DestinationId;
use mantissa_domain::routing::Route;

#[derive(Debug, Clone, Default)]
pub struct RoutingConfig {
    pub routes: Vec<Route>,
    /// Used where neither the rule nor a route chooses a destination.
    pub defaults: Vec<DestinationId>,
}
