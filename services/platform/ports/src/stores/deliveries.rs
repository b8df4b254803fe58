//! The durable record of every delivery.

use crate::{Outgoing, PortError};
use async_trait::async_trait;
use mantissa_contracts::ids::{AlertId, DeliveryId, DestinationId};
use mantissa_contracts::messages::{AttemptOutcome, DeliveryState, DestinationType, Intent};
use mantissa_contracts::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a delivery is: one alert at one destination, to be opened, updated or closed there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeliveryKey {
    pub alert_id: AlertId,
    pub destination_id: DestinationId,
    pub intent: Intent,
    /// The alert's revision the delivery is about. Opening and closing happen once, so theirs is 0.
    pub about_revision: u64,
}

impl DeliveryKey {
    pub fn delivery_id(&self) -> DeliveryId {
        DeliveryId::derive(&[
            &self.alert_id.to_string(),
            self.destination_id.as_str(),
            self.intent.as_str(),
            &self.about_revision.to_string(),
        ])
    }
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    pub at: Instant,
    pub outcome: AttemptOutcome,
    pub http_status: Option<u16>,
    /// Without secrets.
    pub reason: String,
    pub duration_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    pub delivery_id: DeliveryId,
    pub key: DeliveryKey,
    pub destination_type: DestinationType,
    pub state: DeliveryState,
    pub attempts: Vec<Attempt>,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub next_attempt_at: Option<Instant>,
    /// Who holds the claim, and until when.
    pub owner: Option<String>,
    pub lease_until: Option<Instant>,
    /// The receiver may see this notification twice: a try ended without an answer, or its worker died while sending.
    pub possible_duplicate: bool,
    /// What the provider calls it: a Slack `ts`, a Jira key.
    pub provider_ids: BTreeMap<String, String>,
    /// When a person last had it tried anew after it was dead; its budget counts from then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened_at: Option<Instant>,
}

impl DeliveryRecord {
    /// The record as its first claim finds it: nothing was tried.
    pub fn new(key: &DeliveryKey, destination_type: DestinationType, now: Instant) -> Self {
        Self {
            delivery_id: key.delivery_id(),
            key: key.clone(),
            destination_type,
            state: DeliveryState::Pending,
            attempts: Vec::new(),
            created_at: now,
            updated_at: now,
            next_attempt_at: None,
            owner: None,
            lease_until: None,
            possible_duplicate: false,
            provider_ids: BTreeMap::new(),
            reopened_at: None,
        }
    }

    /// What claiming it comes to: the condition of the write that a store makes.
    pub fn claim(mut self, owner: &str, now: Instant, lease_until: Instant) -> ClaimOutcome {
        if self.state.is_final() {
            return ClaimOutcome::Final(self);
        }
        if self.state == DeliveryState::Sending {
            if let Some(until) = self.lease_until.filter(|until| *until > now) {
                return ClaimOutcome::Busy { until };
            }
            self.possible_duplicate = true;
        } else if let Some(until) = self.next_attempt_at.filter(|until| *until > now) {
            return ClaimOutcome::Waiting { until };
        }
        self.state = DeliveryState::Sending;
        self.owner = Some(owner.to_owned());
        self.lease_until = Some(lease_until);
        self.next_attempt_at = None;
        self.updated_at = now;
        ClaimOutcome::Claimed(self)
    }

    /// The record with the attempt; `None` when the attempt's owner does not hold the claim.
    pub fn with_attempt(mut self, ended: &AttemptRecord) -> Option<Self> {
        if self.state != DeliveryState::Sending || self.owner.as_deref() != Some(ended.owner.as_str()) {
            return None;
        }
        self.state = ended.state;
        self.next_attempt_at = ended.next_attempt_at;
        self.possible_duplicate |= ended.possible_duplicate;
        self.provider_ids.extend(ended.provider_ids.clone());
        self.owner = None;
        self.lease_until = None;
        self.updated_at = ended.attempt.at;
        self.attempts.push(ended.attempt.clone());
        Some(self)
    }

    /// The record pending again; `None` unless it is dead.
    pub fn reopened(mut self, now: Instant) -> Option<Self> {
        if self.state != DeliveryState::Dead {
            return None;
        }
        self.state = DeliveryState::Pending;
        self.next_attempt_at = None;
        self.reopened_at = Some(now);
        self.updated_at = now;
        Some(self)
    }

    /// Since when tries count against the budget.
    pub fn tried_since(&self) -> Instant {
        self.reopened_at.unwrap_or(self.created_at)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum ClaimOutcome {
    /// Send it. The record's state is `sending`.
    Claimed(DeliveryRecord),
    /// Another worker holds it until then.
    Busy { until: Instant },
    /// A further try is due only then.
    Waiting { until: Instant },
    /// No try is due any more.
    Final(DeliveryRecord),
}

/// How a claimed delivery ended this time.
#[derive(Debug, Clone)]
pub struct AttemptRecord {
    pub delivery_id: DeliveryId,
    pub owner: String,
    pub attempt: Attempt,
    pub state: DeliveryState,
    pub next_attempt_at: Option<Instant>,
    pub possible_duplicate: bool,
    /// Added to those the record has.
    pub provider_ids: BTreeMap<String, String>,
    pub outgoing: Vec<Outgoing>,
}

/// Deliveries.
///
/// - [`claim`](DeliveryStore::claim) creates the record when there is none, and is durable before it returns. Of two
///   workers that claim at once, one gets it. A claim whose lease has passed is taken over, and the record is then marked
///   `possible_duplicate`: the worker that held it may have sent.
///   A claim is its owner's until it is recorded or taken over, also past its lease; claiming it once more is `Busy`.
/// - A delivery whose state is final is `Final` until it is reopened; one with a `next_attempt_at` after `now` is `Waiting`.
/// - [`reopen`](DeliveryStore::reopen) makes a dead delivery pending again, with `reopened_at` set and its attempts kept. Of
///   every other state, and where there is no such delivery, it changes nothing and returns `false`.
/// - [`record`](DeliveryStore::record) adds the attempt, sets the state, ends the claim and publishes the messages, all
///   together, if the owner still holds the claim; otherwise nothing, and `false`.
/// - `possible_duplicate` is never unset.
/// - [`for_alert`](DeliveryStore::for_alert) is oldest first.
#[async_trait]
pub trait DeliveryStore: Send + Sync {
    async fn claim(
        &self,
        key: &DeliveryKey,
        destination_type: DestinationType,
        owner: &str,
        now: Instant,
        lease_until: Instant,
    ) -> Result<ClaimOutcome, PortError>;

    async fn record(&self, record: &AttemptRecord) -> Result<bool, PortError>;

    async fn reopen(&self, delivery: &DeliveryId, now: Instant) -> Result<bool, PortError>;

    async fn get(&self, delivery: &DeliveryId) -> Result<Option<DeliveryRecord>, PortError>;

    async fn for_alert(&self, alert: &AlertId) -> Result<Vec<DeliveryRecord>, PortError>;

    /// How many deliveries are in each state.
    async fn counts(&self) -> Result<BTreeMap<String, u64>, PortError>;
}
