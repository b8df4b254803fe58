//! Configured endpoints.

use crate::PortError;
use async_trait::async_trait;
use mantissa_contracts::ids::DestinationId;
use mantissa_contracts::messages::DestinationType;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An endpoint notifications can go to. Secrets are names into the secret store, never values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    pub destination_id: DestinationId,
    pub destination_type: DestinationType,
    pub enabled: bool,
    /// Why it is disabled: a person's words, or `gone: 410` from a notifier.
    #[serde(default)]
    pub disabled_reason: Option<String>,
    /// What the destination's type defines: `url_secret`, `signing_secret`, `channel` …
    pub settings: BTreeMap<String, String>,
}

/// Destinations by id.
///
/// - [`put`](DestinationStore::put) replaces the whole destination.
/// - [`list`](DestinationStore::list) is sorted by id.
#[async_trait]
pub trait DestinationStore: Send + Sync {
    async fn put(&self, destination: &Destination) -> Result<(), PortError>;

    async fn get(&self, destination: &DestinationId) -> Result<Option<Destination>, PortError>;

    async fn list(&self) -> Result<Vec<Destination>, PortError>;

    /// `false` when there was none of that id.
    async fn remove(&self, destination: &DestinationId) -> Result<bool, PortError>;
}
