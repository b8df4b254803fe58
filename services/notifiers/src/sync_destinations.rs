//! Brings the configured destinations into the store.

use mantissa_ports::PortError;
use mantissa_ports::stores::{Destination, DestinationStore};

/// Stores every configured destination, and removes those that are not configured any more.
pub async fn sync_destinations(store: &dyn DestinationStore, configured: &[Destination]) -> Result<(), PortError> {
    for held in store.list().await? {
        if !configured.iter().any(|destination| destination.destination_id == held.destination_id) {
            store.remove(&held.destination_id).await?;
        }
    }
    for destination in configured {
        store.put(destination).await?;
    }
    Ok(())
}
