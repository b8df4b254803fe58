//! The DeliveryStore port on SQLite.

use super::database::SqliteDb;
use super::documents::{Millis, encode, query_document, query_documents, to_u64};
use super::enqueue_messages::enqueue;
use super::error::SqliteError;
use super::write_in_groups::WriteTx;
use async_trait::async_trait;
use mantissa_contracts::ids::{AlertId, DeliveryId};
use mantissa_contracts::messages::DestinationType;
use mantissa_contracts::time::Instant;
use mantissa_ports::PortError;
use mantissa_ports::stores::{AttemptRecord, ClaimOutcome, DeliveryKey, DeliveryRecord, DeliveryStore};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::sync::Arc;

pub struct SqliteDeliveryStore {
    db: Arc<SqliteDb>,
}

impl SqliteDeliveryStore {
    pub fn new(db: Arc<SqliteDb>) -> Self {
        Self { db }
    }
}

#[async_trait]
impl DeliveryStore for SqliteDeliveryStore {
    async fn claim(
        &self,
        key: &DeliveryKey,
        destination_type: DestinationType,
        owner: &str,
        now: Instant,
        lease_until: Instant,
    ) -> Result<ClaimOutcome, PortError> {
        let (key, owner) = (key.clone(), owner.to_owned());
        let subject = key.delivery_id().to_string();
        let claim = move |tx: &WriteTx<'_>| {
            let stored = find(tx.conn, &key.delivery_id())?;
            let record = stored.unwrap_or_else(|| DeliveryRecord::new(&key, destination_type, now));
            let outcome = record.claim(&owner, now, lease_until);
            if let ClaimOutcome::Claimed(record) = &outcome {
                store(tx, record)?;
            }
            Ok(outcome)
        };
        self.db.write("claim delivery", subject, claim).await
    }

    async fn record(&self, record: &AttemptRecord) -> Result<bool, PortError> {
        let record = record.clone();
        let subject = record.delivery_id.to_string();
        self.db.write("record attempt of delivery", subject, move |tx| record_attempt(tx, &record)).await
    }

    async fn reopen(&self, delivery: &DeliveryId, now: Instant) -> Result<bool, PortError> {
        let id = *delivery;
        self.db.write("reopen delivery", id.to_string(), move |tx| reopen_dead(tx, &id, now)).await
    }

    async fn get(&self, delivery: &DeliveryId) -> Result<Option<DeliveryRecord>, PortError> {
        let id = *delivery;
        self.db.read("read delivery", id.to_string(), move |conn| find(conn, &id)).await
    }

    async fn for_alert(&self, alert: &AlertId) -> Result<Vec<DeliveryRecord>, PortError> {
        let id = alert.to_string();
        let list = move |conn: &Connection| {
            let mut select = conn.prepare_cached(
                "SELECT delivery_id, document FROM deliveries WHERE alert_id = ?1 ORDER BY created_at, delivery_id",
            )?;
            query_documents(&mut select, "deliveries", params![id])
        };
        self.db.read("list deliveries of alert", alert.to_string(), list).await
    }

    async fn counts(&self) -> Result<BTreeMap<String, u64>, PortError> {
        let count = move |conn: &Connection| {
            let mut select = conn.prepare_cached("SELECT state, count(*) FROM deliveries GROUP BY state")?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, to_u64(row.get(1)?))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.db.read("count deliveries", "all", count).await
    }
}

fn record_attempt(tx: &WriteTx<'_>, record: &AttemptRecord) -> Result<bool, SqliteError> {
    let stored = find(tx.conn, &record.delivery_id)?;
    let Some(recorded) = stored.and_then(|stored| stored.with_attempt(record)) else { return Ok(false) };
    store(tx, &recorded)?;
    enqueue(tx, &record.outgoing)?;
    Ok(true)
}

fn reopen_dead(tx: &WriteTx<'_>, delivery: &DeliveryId, now: Instant) -> Result<bool, SqliteError> {
    let Some(reopened) = find(tx.conn, delivery)?.and_then(|stored| stored.reopened(now)) else { return Ok(false) };
    store(tx, &reopened)?;
    Ok(true)
}

fn find(conn: &Connection, delivery: &DeliveryId) -> Result<Option<DeliveryRecord>, SqliteError> {
    let mut select = conn.prepare_cached("SELECT delivery_id, document FROM deliveries WHERE delivery_id = ?1")?;
    query_document(&mut select, "deliveries", params![delivery.to_string()])
}

fn store(tx: &WriteTx<'_>, record: &DeliveryRecord) -> Result<(), SqliteError> {
    let mut upsert = tx.conn.prepare_cached(
        "INSERT INTO deliveries (delivery_id, alert_id, state, created_at, document) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (delivery_id) DO UPDATE SET state = excluded.state, document = excluded.document",
    )?;
    upsert.execute(params![
        record.delivery_id.to_string(),
        record.key.alert_id.to_string(),
        record.state.as_str(),
        Millis(record.created_at),
        encode("delivery", record)?,
    ])?;
    Ok(())
}
