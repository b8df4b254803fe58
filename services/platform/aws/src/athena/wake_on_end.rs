//! The end of a query wakes the message that waits for it.

use super::query_ref::QueryRef;
use crate::dynamodb::DynamoQueryWaits;
use crate::sqs::HandedQueue;
use async_trait::async_trait;
use mantissa_contracts::Envelope;
use mantissa_contracts::messages::QueryStarted;
use mantissa_ports::{DeadMessage, Outgoing, PortError, Queue, QueueDepth, Receipt, ReceivedMessage};
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;
use uuid::Uuid;

/// The queue of `query_started`: a message that is put back there waits for its query.
pub struct WakeOnEnd {
    queue: Arc<HandedQueue>,
    waits: DynamoQueryWaits,
}

impl WakeOnEnd {
    pub fn new(queue: Arc<HandedQueue>, waits: DynamoQueryWaits) -> Self {
        Self { queue, waits }
    }

    /// Shows the message that waits for the query, if one does.
    pub async fn wake(&self, execution_id: &str) -> Result<(), PortError> {
        match self.waits.end(execution_id).await? {
            Some(receipt) => self.queue.change_visibility(&receipt, Duration::ZERO).await,
            None => Ok(()),
        }
    }

    /// Whether the query has ended, so that there is nothing to wait for.
    async fn has_ended(&self, receipt: &Receipt) -> Result<bool, PortError> {
        let Some((body, wait)) = self.queue.waiting(receipt) else { return Ok(false) };
        // A body that is none of ours went to the DLQ before anyone waited for it.
        let Ok(started) = Envelope::<QueryStarted>::decode(&body) else { return Ok(false) };
        match QueryRef::of(&started.data.engine_query_id) {
            Some(query) => self.waits.wait(&query.execution_id, &wait).await,
            None => Ok(false),
        }
    }
}

#[async_trait]
impl Queue for WakeOnEnd {
    fn name(&self) -> &str {
        self.queue.name()
    }

    async fn send(&self, messages: &[Outgoing]) -> Result<(), PortError> {
        self.queue.send(messages).await
    }

    async fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, PortError> {
        self.queue.receive(max, visibility, wait).await
    }

    async fn ack(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        self.queue.ack(receipts).await
    }

    async fn change_visibility(&self, receipt: &Receipt, visibility: Duration) -> Result<(), PortError> {
        let ended = self.has_ended(receipt).await.unwrap_or_else(|error| {
            warn!("the message waits out its time, its query's end cannot wake it: {error}");
            false
        });
        self.queue.change_visibility(receipt, if ended { Duration::ZERO } else { visibility }).await
    }

    async fn dead_letter(&self, receipt: &Receipt, reason: &str) -> Result<(), PortError> {
        self.queue.dead_letter(receipt, reason).await
    }

    async fn depth(&self) -> Result<QueueDepth, PortError> {
        self.queue.depth().await
    }

    async fn dead(&self, limit: usize, after: Option<Uuid>) -> Result<Vec<DeadMessage>, PortError> {
        self.queue.dead(limit, after).await
    }

    async fn dead_message(&self, dead_id: Uuid) -> Result<Option<DeadMessage>, PortError> {
        self.queue.dead_message(dead_id).await
    }

    async fn replay(&self, dead_id: Uuid) -> Result<bool, PortError> {
        self.queue.replay(dead_id).await
    }

    async fn discard(&self, dead_id: Uuid) -> Result<bool, PortError> {
        self.queue.discard(dead_id).await
    }
}
