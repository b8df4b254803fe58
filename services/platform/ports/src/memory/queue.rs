//! One queue of the bus.

use super::bus::{MemoryBus, QueueState};
use crate::{DeadMessage, Outgoing, PortError, Queue, QueueDepth, Receipt, ReceivedMessage};
use async_trait::async_trait;
use mantissa_contracts::time::Instant;
use mantissa_contracts::topology::QueueSpec;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A test that moves its clock wakes nobody, so waiting receivers look again this often.
const POLL: Duration = Duration::from_millis(10);

pub struct MemoryQueue {
    bus: Arc<MemoryBus>,
    spec: &'static QueueSpec,
}

impl MemoryQueue {
    pub fn new(bus: Arc<MemoryBus>, spec: &'static QueueSpec) -> Self {
        Self { bus, spec }
    }

    fn take(&self, max: usize, visibility: Duration) -> Vec<ReceivedMessage> {
        self.bus.with_queue(self.spec, |queue, now| {
            let visible = queue.messages.iter_mut().filter(|(_, message)| message.visible_at <= now).take(max);
            visible
                .map(|(id, message)| {
                    message.receive_count += 1;
                    message.visible_at = now + visibility;
                    ReceivedMessage {
                        receipt: Receipt(format!("{id}-{}", message.receive_count)),
                        body: message.body.clone(),
                        attributes: message.attributes.clone(),
                        receive_count: message.receive_count,
                        sent_at: message.sent_at,
                    }
                })
                .collect()
        })
    }

    /// Runs `work` on the message a receipt is for; does nothing with a stale receipt.
    fn with_received(&self, receipt: &Receipt, work: impl FnOnce(&mut QueueState, u64, Instant)) {
        self.bus.with_queue(self.spec, |queue, now| {
            let Some((id, count)) = parse_receipt(receipt) else { return };
            if queue.messages.get(&id).is_some_and(|message| message.receive_count == count) {
                work(queue, id, now);
            }
        });
    }
}

fn parse_receipt(receipt: &Receipt) -> Option<(u64, u32)> {
    let (id, count) = receipt.0.split_once('-')?;
    Some((id.parse().ok()?, count.parse().ok()?))
}

#[async_trait]
impl Queue for MemoryQueue {
    fn name(&self) -> &str {
        self.spec.name
    }

    async fn send(&self, messages: &[Outgoing]) -> Result<(), PortError> {
        self.bus.send(self.spec.name, messages);
        Ok(())
    }

    async fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, PortError> {
        let give_up_at = tokio::time::Instant::now() + wait;
        loop {
            // Listening starts before looking, so a message that arrives in between is not slept through.
            let arrived = self.bus.arrived.notified();
            let messages = self.take(max, visibility);
            let left = give_up_at.saturating_duration_since(tokio::time::Instant::now());
            if !messages.is_empty() || left.is_zero() {
                return Ok(messages);
            }
            let _ = tokio::time::timeout(left.min(POLL), arrived).await;
        }
    }

    async fn ack(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        for receipt in receipts {
            self.with_received(receipt, |queue, id, _| {
                queue.messages.remove(&id);
            });
        }
        Ok(())
    }

    async fn change_visibility(&self, receipt: &Receipt, visibility: Duration) -> Result<(), PortError> {
        self.with_received(receipt, |queue, id, now| {
            if let Some(message) = queue.messages.get_mut(&id) {
                message.visible_at = now + visibility;
            }
        });
        self.bus.arrived.notify_waiters();
        Ok(())
    }

    async fn dead_letter(&self, receipt: &Receipt, reason: &str) -> Result<(), PortError> {
        self.with_received(receipt, |queue, id, now| queue.bury(self.spec.name, id, reason, now));
        Ok(())
    }

    async fn depth(&self) -> Result<QueueDepth, PortError> {
        Ok(self.bus.with_queue(self.spec, |queue, now| {
            let mut depth = QueueDepth { n_dead: queue.dead.len() as u64, ..QueueDepth::default() };
            for message in queue.messages.values() {
                match (message.visible_at <= now, message.receive_count) {
                    (true, _) => depth.n_visible += 1,
                    (false, 0) => depth.n_delayed += 1,
                    (false, _) => depth.n_in_flight += 1,
                }
            }
            depth
        }))
    }

    async fn dead(&self, limit: usize, after: Option<Uuid>) -> Result<Vec<DeadMessage>, PortError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.bus.with_queue(self.spec, |queue, _| {
            queue.dead.range((start, Bound::Unbounded)).map(|(_, dead)| dead.clone()).take(limit).collect()
        }))
    }

    async fn dead_message(&self, dead_id: Uuid) -> Result<Option<DeadMessage>, PortError> {
        Ok(self.bus.with_queue(self.spec, |queue, _| queue.dead.get(&dead_id).cloned()))
    }

    async fn replay(&self, dead_id: Uuid) -> Result<bool, PortError> {
        Ok(self.bus.revive(self.spec.name, dead_id))
    }

    async fn discard(&self, dead_id: Uuid) -> Result<bool, PortError> {
        Ok(self.bus.with_queue(self.spec, |queue, _| queue.dead.remove(&dead_id).is_some()))
    }
}
