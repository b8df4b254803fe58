//! The DestinationStore port on DynamoDB.

use super::item::{Attributes, Item, Key, Stored};
use super::table::{Range, Table};
use async_trait::async_trait;
use mantissa_contracts::ids::DestinationId;
use mantissa_ports::PortError;
use mantissa_ports::stores::{Destination, DestinationStore};

const PARTITION: &str = "DESTINATIONS";

pub struct DynamoDestinationStore {
    pub(super) table: Table,
}

impl DynamoDestinationStore {
    fn read(&self, item: &Item) -> Result<Destination, PortError> {
        Stored { table: self.table.name, item }.document()
    }
}

#[async_trait]
impl DestinationStore for DynamoDestinationStore {
    async fn put(&self, destination: &Destination) -> Result<(), PortError> {
        let id = destination.destination_id.as_str();
        self.table.put(Attributes::default().document(id, destination)?.with_key(&Key::new(PARTITION, id))).await
    }

    async fn get(&self, destination: &DestinationId) -> Result<Option<Destination>, PortError> {
        let item = self.table.get(&Key::new(PARTITION, destination.as_str())).await?;
        item.map(|item| self.read(&item)).transpose()
    }

    async fn list(&self) -> Result<Vec<Destination>, PortError> {
        let items = self.table.query(&Range::partition(PARTITION), usize::MAX).await?;
        items.iter().map(|item| self.read(item)).collect()
    }

    async fn remove(&self, destination: &DestinationId) -> Result<bool, PortError> {
        self.table.delete(&Key::new(PARTITION, destination.as_str())).await
    }
}
