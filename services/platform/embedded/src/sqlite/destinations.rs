//! The DestinationStore port on SQLite.

use super::database::SqliteDb;
use super::documents::{encode, query_document, query_documents};
use super::write_in_groups::WriteTx;
use async_trait::async_trait;
use mantissa_contracts::ids::DestinationId;
use mantissa_ports::PortError;
use mantissa_ports::stores::{Destination, DestinationStore};
use rusqlite::{Connection, params};
use std::sync::Arc;

pub struct SqliteDestinationStore {
    db: Arc<SqliteDb>,
}

impl SqliteDestinationStore {
    pub fn new(db: Arc<SqliteDb>) -> Self {
        Self { db }
    }
}

#[async_trait]
impl DestinationStore for SqliteDestinationStore {
    async fn put(&self, destination: &Destination) -> Result<(), PortError> {
        let destination = destination.clone();
        let subject = destination.destination_id.to_string();
        let put = move |tx: &WriteTx<'_>| {
            let mut upsert = tx
                .conn
                .prepare_cached("INSERT OR REPLACE INTO destinations (destination_id, document) VALUES (?1, ?2)")?;
            upsert.execute(params![destination.destination_id.as_str(), encode("destination", &destination)?])?;
            Ok(())
        };
        self.db.write("store destination", subject, put).await
    }

    async fn get(&self, destination: &DestinationId) -> Result<Option<Destination>, PortError> {
        let id = destination.to_string();
        let get = move |conn: &Connection| {
            let mut select =
                conn.prepare_cached("SELECT destination_id, document FROM destinations WHERE destination_id = ?1")?;
            query_document(&mut select, "destinations", params![id])
        };
        self.db.read("read destination", destination.as_str(), get).await
    }

    async fn list(&self) -> Result<Vec<Destination>, PortError> {
        let list = move |conn: &Connection| {
            let mut select =
                conn.prepare_cached("SELECT destination_id, document FROM destinations ORDER BY destination_id")?;
            query_documents(&mut select, "destinations", [])
        };
        self.db.read("list destinations", "all", list).await
    }

    async fn remove(&self, destination: &DestinationId) -> Result<bool, PortError> {
        let id = destination.to_string();
        let remove = move |tx: &WriteTx<'_>| {
            let mut delete = tx.conn.prepare_cached("DELETE FROM destinations WHERE destination_id = ?1")?;
            Ok(delete.execute(params![id])? > 0)
        };
        self.db.write("remove destination", destination.as_str(), remove).await
    }
}
