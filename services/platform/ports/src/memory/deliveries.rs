//! Deliveries in a map.

use super::bus::{MemoryBus, route};
use super::locked;
use crate::PortError;
use crate::stores::{AttemptRecord, ClaimOutcome, DeliveryKey, DeliveryRecord, DeliveryStore};
use async_trait::async_trait;
use mantissa_contracts::ids::{AlertId, DeliveryId};
use mantissa_contracts::messages::{DeliveryState, DestinationType};
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
        let record =
            deliveries.entry(key.delivery_id()).or_insert_with(|| DeliveryRecord::new(key, destination_type, now));
        if record.state.is_final() {
            return Ok(ClaimOutcome::Final(record.clone()));
        }
        if record.state == DeliveryState::Sending {
            if let Some(until) = record.lease_until.filter(|until| *until > now) {
                return Ok(ClaimOutcome::Busy { until });
            }
            record.possible_duplicate = true;
        } else if let Some(until) = record.next_attempt_at.filter(|until| *until > now) {
            return Ok(ClaimOutcome::Waiting { until });
        }
        record.state = DeliveryState::Sending;
        record.owner = Some(owner.to_owned());
        record.lease_until = Some(lease_until);
        record.next_attempt_at = None;
        record.updated_at = now;
        Ok(ClaimOutcome::Claimed(record.clone()))
    }

    async fn record(&self, record: &AttemptRecord) -> Result<bool, PortError> {
        let routed = route(&record.outgoing)?;
        let mut deliveries = locked(&self.deliveries);
        let Some(stored) = deliveries.get_mut(&record.delivery_id) else { return Ok(false) };
        if stored.state != DeliveryState::Sending || stored.owner.as_deref() != Some(record.owner.as_str()) {
            return Ok(false);
        }
        stored.attempts.push(record.attempt.clone());
        stored.state = record.state;
        stored.next_attempt_at = record.next_attempt_at;
        stored.possible_duplicate |= record.possible_duplicate;
        stored.provider_ids.extend(record.provider_ids.clone());
        stored.owner = None;
        stored.lease_until = None;
        stored.updated_at = record.attempt.at;
        self.bus.deliver(routed);
        Ok(true)
    }

    async fn reopen(&self, delivery: &DeliveryId, now: Instant) -> Result<bool, PortError> {
        let mut deliveries = locked(&self.deliveries);
        let Some(stored) = deliveries.get_mut(delivery).filter(|stored| stored.state == DeliveryState::Dead) else {
            return Ok(false);
        };
        stored.state = DeliveryState::Pending;
        stored.next_attempt_at = None;
        stored.reopened_at = Some(now);
        stored.updated_at = now;
        Ok(true)
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
