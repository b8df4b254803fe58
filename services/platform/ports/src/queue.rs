//! A durable queue that delivers at least once.

use crate::{Outgoing, PortError};
use async_trait::async_trait;
use mantissa_contracts::time::Instant;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// Proof of one receive of one message. A later receive of the same message has another receipt.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Receipt(pub String);

#[derive(Debug, Clone)]
pub struct ReceivedMessage {
    pub receipt: Receipt,
    pub body: String,
    pub attributes: BTreeMap<String, String>,
    /// 1 on the first receive.
    pub receive_count: u32,
    pub sent_at: Instant,
}

/// A message in a DLQ.
#[derive(Debug, Clone, Serialize)]
pub struct DeadMessage {
    /// Names the message within its DLQ until it is replayed or discarded.
    pub dead_id: Uuid,
    pub queue: String,
    pub body: String,
    pub attributes: BTreeMap<String, String>,
    pub reason: String,
    pub receive_count: u32,
    pub sent_at: Instant,
    pub died_at: Instant,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct QueueDepth {
    /// Ready to be received.
    pub n_visible: u64,
    /// Received, neither acknowledged nor visible again.
    pub n_in_flight: u64,
    /// Sent with a delay that has not passed.
    pub n_delayed: u64,
    /// In the DLQ.
    pub n_dead: u64,
}

/// A durable queue with its DLQ.
///
/// - **Send.** `Ok` from [`send`](Queue::send) means every message is durable. `Err` means any of them may be:
///   the caller sends again and receivers see duplicates, never loss. A message sent with a delay is not
///   received before the delay has passed.
/// - **Receive.** [`receive`](Queue::receive) returns at most `max` messages, in no promised order, and hides each
///   from other receivers for `visibility`. It returns at once when there are messages and waits up to `wait`
///   for one when there are none. A message that is not acknowledged in that time is received again, with a
///   receive count one higher.
/// - **Acknowledge.** [`ack`](Queue::ack) removes messages for good, each on its own: one stale receipt does not
///   keep the others. Acknowledging with a receipt that a later receive has replaced does nothing.
/// - **Visibility.** [`change_visibility`](Queue::change_visibility) hides a received message for that long from
///   now; zero makes it visible at once. With a stale receipt it does nothing.
/// - **DLQ.** A message that was received `max_receive_count` times and becomes visible again goes to the DLQ
///   instead of to a receiver, with a reason. [`dead_letter`](Queue::dead_letter) sends it there now; with a stale
///   receipt it does nothing. A message in the DLQ stays there, body and attributes unchanged, until it is
///   replayed or discarded.
/// - **Replay.** [`replay`](Queue::replay) moves a dead message back, once, visible at once, with a receive count that
///   starts anew. Replaying or discarding one that is not there returns `false`.
/// - **Durability.** All of it survives the death of the process at any instant.
#[async_trait]
pub trait Queue: Send + Sync {
    fn name(&self) -> &str;

    async fn send(&self, messages: &[Outgoing]) -> Result<(), PortError>;

    async fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, PortError>;

    async fn ack(&self, receipts: &[Receipt]) -> Result<(), PortError>;

    async fn change_visibility(&self, receipt: &Receipt, visibility: Duration) -> Result<(), PortError>;

    async fn dead_letter(&self, receipt: &Receipt, reason: &str) -> Result<(), PortError>;

    async fn depth(&self) -> Result<QueueDepth, PortError>;

    /// Dead messages, oldest first, after `after` (exclusive) in that order, also when that one is no longer there.
    async fn dead(&self, limit: usize, after: Option<Uuid>) -> Result<Vec<DeadMessage>, PortError>;

    async fn dead_message(&self, dead_id: Uuid) -> Result<Option<DeadMessage>, PortError>;

    async fn replay(&self, dead_id: Uuid) -> Result<bool, PortError>;

    async fn discard(&self, dead_id: Uuid) -> Result<bool, PortError>;
}
