//! The stores on DynamoDB. [`schema`] has the tables, their keys and what each item is for.
//!
//! A write and its messages are one transaction (see [`Outbox`]). A transaction takes a hundred writes, which bounds how many
//! matches one commit holds: the batch of the dedup queue in the topology stays below it.

mod alerts;
mod deliveries;
mod destinations;
mod ingests;
mod item;
mod ledger;
mod outbox;
mod query_waits;
mod rules;
pub mod schema;
mod table;
mod transaction;

pub use alerts::DynamoAlertStore;
pub use deliveries::DynamoDeliveryStore;
pub use destinations::DynamoDestinationStore;
pub use ingests::DynamoIngestStore;
pub use ledger::DynamoLedgerStore;
pub use outbox::Outbox;
pub use query_waits::DynamoQueryWaits;
pub use rules::DynamoRuleStore;

use aws_sdk_dynamodb::Client;
use mantissa_ports::{Clock, Publisher};
use schema::TableSpec;
use std::sync::{Arc, Mutex};
use table::Table;

/// The tables of one deployment: each is named by the prefix and its name in the schema.
#[derive(Clone)]
pub struct DynamoTables {
    client: Client,
    prefix: String,
    outbox: Outbox,
    clock: Arc<dyn Clock>,
}

impl DynamoTables {
    pub fn new(client: Client, prefix: impl Into<String>, publisher: Arc<Publisher>, clock: Arc<dyn Clock>) -> Self {
        let prefix = prefix.into();
        let outbox = Outbox::new(table(&client, &prefix, &schema::OUTBOX), publisher, clock.clone());
        Self { client, prefix, outbox, clock }
    }

    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub fn alerts(&self) -> DynamoAlertStore {
        let table = self.table(&schema::ALERTS);
        DynamoAlertStore { table, outbox: self.outbox.clone(), noted_days: Mutex::default() }
    }

    pub fn deliveries(&self) -> DynamoDeliveryStore {
        DynamoDeliveryStore { table: self.table(&schema::DELIVERIES), outbox: self.outbox.clone() }
    }

    pub fn destinations(&self) -> DynamoDestinationStore {
        DynamoDestinationStore { table: self.table(&schema::DESTINATIONS) }
    }

    /// `process` names this process among those that use the tables.
    pub fn ingests(&self, process: &str) -> DynamoIngestStore {
        DynamoIngestStore::new(self.table(&schema::INGESTS), process)
    }

    pub fn ledger(&self) -> DynamoLedgerStore {
        DynamoLedgerStore { table: self.table(&schema::LEDGER), outbox: self.outbox.clone() }
    }

    pub fn rules(&self) -> DynamoRuleStore {
        DynamoRuleStore { table: self.table(&schema::RULES) }
    }

    pub fn query_waits(&self) -> DynamoQueryWaits {
        DynamoQueryWaits { table: self.table(&schema::WAITS), clock: self.clock.clone() }
    }

    fn table(&self, spec: &TableSpec) -> Table {
        table(&self.client, &self.prefix, spec)
    }
}

fn table(client: &Client, prefix: &str, spec: &TableSpec) -> Table {
    Table { client: client.clone(), name: spec.name, id: format!("{prefix}{}", spec.name) }
}
