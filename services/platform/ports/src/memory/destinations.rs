//! Destinations in a map.

use super::locked;
use crate::PortError;
use crate::stores::{Destination, DestinationStore};
use async_trait::async_trait;
use mantissa_contracts::ids::DestinationId;
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
pub struct MemoryDestinationStore {
    destinations: Mutex<BTreeMap<DestinationId, Destination>>,
}

impl MemoryDestinationStore {
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl DestinationStore for MemoryDestinationStore {
    async fn put(&self, destination: &Destination) -> Result<(), PortError> {
        locked(&self.destinations).insert(destination.destination_id.clone(), destination.clone());
        Ok(())
    }

    async fn get(&self, destination: &DestinationId) -> Result<Option<Destination>, PortError> {
        Ok(locked(&self.destinations).get(destination).cloned())
    }

    async fn list(&self) -> Result<Vec<Destination>, PortError> {
        Ok(locked(&self.destinations).values().cloned().collect())
    }

    async fn remove(&self, destination: &DestinationId) -> Result<bool, PortError> {
        Ok(locked(&self.destinations).remove(destination).is_some())
    }
}
