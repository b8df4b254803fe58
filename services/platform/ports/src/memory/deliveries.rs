//! Deliveries in a map.

use super::bus::{MemoryBus, route};
use super::locked;
use crate::PortError;
use crate::stores::{AttemptRecord, ClaimOutcome, DeliveryKey, DeliveryRecord, DeliveryStore};
use async_trait::async_trait;
use mantissa_contracts::ids::{AlertId, DeliveryId};
use mantissa_contracts::messages::DestinationType;
use mantissa_contracts::time::Instant;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

pub struct MemoryDeliveryStore {
    bus: Arc<MemoryBus>,
    deliveries: Mutex<HashMap<DeliveryId, DeliveryRecord>>,
}

impl MemoryDeliveryStore {
    pub fn new(bus: Arc<MemoryBus>) -> Self {
        Self { bus, deliveries: Mutex::default() }
    }
}

#[async_trait]
impl DeliveryStore for MemoryDeliveryStore {
    async fn claim(
        &self,
        key: &DeliveryKey,
        destination_type: DestinationType,
        owner: &str,
        now: Instant,
        lease_until: Instant,
    ) -> Result<ClaimOutcome, PortError> {
        let mut deliveries = locked(&self.deliveries);
        let stored = deliveries.get(&key.delivery_id()).cloned();
        let record = stored.unwrap_or_else(|| DeliveryRecord::new(key, destination_type, now));
        let outcome = record.claim(owner, now, lease_until);
        if let ClaimOutcome::Claimed(claimed) = &outcome {
            deliveries.insert(claimed.delivery_id, claimed.clone());
        }
        Ok(outcome)
    }

    async fn record(&self, record: &AttemptRecord) -> Result<bool, PortError> {
        let routed = route(&record.outgoing)?;
        let mut deliveries = locked(&self.deliveries);
        let Some(stored) = deliveries.get(&record.delivery_id) else { return Ok(false) };
        let Some(recorded) = stored.clone().with_attempt(record) else { return Ok(false) };
        deliveries.insert(recorded.delivery_id, recorded);
        self.bus.deliver(routed);
        Ok(true)
    }

    async fn reopen(&self, delivery: &DeliveryId, now: Instant) -> Result<bool, PortError> {
        let mut deliveries = locked(&self.deliveries);
        let reopened = deliveries.get(delivery).and_then(|stored| stored.clone().reopened(now));
        let is_reopened = reopened.is_some();
        deliveries.extend(reopened.map(|record| (record.delivery_id, record)));
        Ok(is_reopened)
    }

    async fn get(&self, delivery: &DeliveryId) -> Result<Option<DeliveryRecord>, PortError> {
        Ok(locked(&self.deliveries).get(delivery).cloned())
    }

    async fn for_alert(&self, alert: &AlertId) -> Result<Vec<DeliveryRecord>, PortError> {
        let deliveries = locked(&self.deliveries);
        let mut found: Vec<_> = deliveries.values().filter(|record| record.key.alert_id == *alert).cloned().collect();
        found.sort_by_key(|record| (record.created_at, record.delivery_id));
        Ok(found)
    }

    async fn counts(&self) -> Result<BTreeMap<String, u64>, PortError> {
        let mut counts = BTreeMap::new();
        for record in locked(&self.deliveries).values() {
            *counts.entry(record.state.to_string()).or_insert(0) += 1;
        }
        Ok(counts)
    }
}
