//! The DeliveryStore port on DynamoDB.

use super::item::{Attributes, Item, Key, Stored, number, sortable};
use super::outbox::Outbox;
use super::table::{Range, Table, settle};
use super::transaction::{Expression, Outcome, Transaction};
use async_trait::async_trait;
use mantissa_contracts::ids::{AlertId, DeliveryId};
use mantissa_contracts::messages::{DeliveryState, DestinationType};
use mantissa_contracts::time::Instant;
use mantissa_ports::stores::{AttemptRecord, ClaimOutcome, DeliveryKey, DeliveryRecord, DeliveryStore};
use mantissa_ports::{Outgoing, PortError};
use std::collections::BTreeMap;

const MAX_ATTEMPTS: u32 = 30;
/// Items the counts are spread over, so that deliveries do not wait for each other's.
const N_COUNT_SHARDS: u128 = 16;

pub struct DynamoDeliveryStore {
    pub(super) table: Table,
    pub(super) outbox: Outbox,
}

/// A record and the version it was read at.
struct Versioned {
    record: DeliveryRecord,
    version: u64,
}

fn delivery_key(delivery: &DeliveryId) -> Key {
    Key::new(format!("DELIVERY#{delivery}"), "DELIVERY")
}

fn alert_partition(alert: &AlertId) -> String {
    format!("ALERT#{alert}")
}

fn count_key(shard: u128) -> Key {
    Key::new(format!("COUNT#{shard}"), "COUNT")
}

#[async_trait]
impl DeliveryStore for DynamoDeliveryStore {
    async fn claim(
        &self,
        key: &DeliveryKey,
        destination_type: DestinationType,
        owner: &str,
        now: Instant,
        lease_until: Instant,
    ) -> Result<ClaimOutcome, PortError> {
        let id = key.delivery_id();
        settle("claim delivery", &id.to_string(), MAX_ATTEMPTS, || async {
            let stored = self.find(&id).await?;
            let record = match &stored {
                Some(stored) => stored.record.clone(),
                None => DeliveryRecord::new(key, destination_type, now),
            };
            let outcome = record.claim(owner, now, lease_until);
            let ClaimOutcome::Claimed(claimed) = &outcome else { return Ok(Some(outcome)) };
            Ok(self.store(stored.as_ref(), claimed, &[]).await?.then_some(outcome))
        })
        .await
    }

    async fn record(&self, record: &AttemptRecord) -> Result<bool, PortError> {
        let id = &record.delivery_id;
        self.change("record attempt of delivery", id, &record.outgoing, |stored| stored.with_attempt(record)).await
    }

    async fn reopen(&self, delivery: &DeliveryId, now: Instant) -> Result<bool, PortError> {
        self.change("reopen delivery", delivery, &[], |stored| stored.reopened(now)).await
    }

    async fn get(&self, delivery: &DeliveryId) -> Result<Option<DeliveryRecord>, PortError> {
        Ok(self.find(delivery).await?.map(|stored| stored.record))
    }

    async fn for_alert(&self, alert: &AlertId) -> Result<Vec<DeliveryRecord>, PortError> {
        let pointers = self.table.query(&Range::partition(alert_partition(alert)), usize::MAX).await?;
        let keys = pointers
            .iter()
            .map(|item| Ok(Key::new(Stored { table: self.table.name, item }.text("delivery")?, "DELIVERY")))
            .collect::<Result<Vec<_>, PortError>>()?;
        let items = self.table.get_many(&keys).await?;
        let mut records = items.iter().map(|item| self.read(item)).collect::<Result<Vec<DeliveryRecord>, _>>()?;
        records.sort_by_key(|record| (record.created_at, record.delivery_id));
        Ok(records)
    }

    async fn counts(&self) -> Result<BTreeMap<String, u64>, PortError> {
        let keys: Vec<Key> = (0..N_COUNT_SHARDS).map(count_key).collect();
        let mut counts = BTreeMap::new();
        for item in self.table.get_many(&keys).await? {
            for (name, value) in &item {
                let Some(n) = value.as_n().ok().and_then(|text| text.parse::<i64>().ok()) else { continue };
                *counts.entry(name.clone()).or_insert(0) += n;
            }
        }
        Ok(counts
            .into_iter()
            .filter_map(|(state, n)| Some((state, u64::try_from(n).ok().filter(|n| *n > 0)?)))
            .collect())
    }
}

impl DynamoDeliveryStore {
    /// Replaces the record by what becomes of it; `false` where there is none or nothing becomes of it.
    async fn change(
        &self,
        operation: &'static str,
        delivery: &DeliveryId,
        outgoing: &[Outgoing],
        become_of: impl Fn(DeliveryRecord) -> Option<DeliveryRecord> + Sync,
    ) -> Result<bool, PortError> {
        settle(operation, &delivery.to_string(), MAX_ATTEMPTS, || async {
            let Some(stored) = self.find(delivery).await? else { return Ok(Some(false)) };
            let Some(changed) = become_of(stored.record.clone()) else { return Ok(Some(false)) };
            Ok(self.store(Some(&stored), &changed, outgoing).await?.then_some(true))
        })
        .await
    }

    async fn find(&self, delivery: &DeliveryId) -> Result<Option<Versioned>, PortError> {
        let Some(item) = self.table.get(&delivery_key(delivery)).await? else { return Ok(None) };
        let version = Stored { table: self.table.name, item: &item }.number("version")?;
        Ok(Some(Versioned { record: self.read(&item)?, version }))
    }

    fn read(&self, item: &Item) -> Result<DeliveryRecord, PortError> {
        Stored { table: self.table.name, item }.document()
    }

    /// Writes the record, its place in the counts and the messages; `false` when it changed since it was read.
    async fn store(
        &self,
        before: Option<&Versioned>,
        record: &DeliveryRecord,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError> {
        let id = &record.delivery_id;
        let key = delivery_key(id);
        let mut transaction = Transaction::new(&self.table, id.to_string());
        let version = before.map_or(0, |before| before.version) + 1;
        let item = Attributes::default().number("version", version).document(&id.to_string(), record)?.with_key(&key);
        let unchanged = match before {
            Some(before) => Expression::new("#version = :was", vec![(":was", number(before.version))]),
            None => Expression::absent(),
        };
        transaction.put(&self.table, item, Some(&unchanged))?;
        if before.is_none() {
            let place = format!("{}#{id}", sortable(record.created_at));
            let pointer = Attributes::default().text("delivery", &key.pk);
            let of_alert = Key::new(alert_partition(&record.key.alert_id), place);
            transaction.put(&self.table, pointer.with_key(&of_alert), None)?;
        }
        self.move_count(&mut transaction, before.map(|before| before.record.state), record)?;
        Ok(self.outbox.commit(transaction, outgoing).await? == Outcome::Committed)
    }

    fn move_count(
        &self,
        transaction: &mut Transaction,
        before: Option<DeliveryState>,
        record: &DeliveryRecord,
    ) -> Result<(), PortError> {
        if before == Some(record.state) {
            return Ok(());
        }
        let mut add = format!("ADD #{} :one", record.state.as_str());
        let mut values = vec![(":one", number(1))];
        if let Some(before) = before {
            add.push_str(&format!(", #{} :less", before.as_str()));
            values.push((":less", number(-1)));
        }
        let shard = count_key(record.delivery_id.as_uuid().as_u128() % N_COUNT_SHARDS);
        transaction.update(&self.table, &shard, &Expression::new(add, values), None)
    }
}
