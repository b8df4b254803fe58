//! A queue whose messages an event source mapping receives and hands to a Lambda function.
//!
//! The mapping deletes what the function does not report as failed. So a message is not acknowledged here: it is noted as
//! settled, and what was not settled is reported. What is moved to the DLQ or hidden for a while is so on SQS itself.

use super::held_message::HeldMessage;
use super::queue::SqsQueue;
use crate::athena::WakeOnEnd;
use async_trait::async_trait;
use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use mantissa_ports::{DeadMessage, Outgoing, PortError, Queue, QueueDepth, Receipt, ReceivedMessage};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing::warn;
use uuid::Uuid;

/// A message as the mapping hands it over.
#[derive(Debug, Clone, Default)]
pub struct HandedMessage {
    pub message_id: String,
    pub receipt_handle: String,
    pub body: String,
    /// `ApproximateReceiveCount`, `SentTimestamp` …
    pub system_attributes: HashMap<String, String>,
    pub attributes: BTreeMap<String, String>,
}

pub struct HandedQueue {
    queue: SqsQueue,
    settled: Mutex<BTreeSet<String>>,
    /// Where its messages wait for queries of Athena.
    queries: Option<WakeOnEnd>,
}

impl HandedQueue {
    pub fn new(queue: SqsQueue) -> Self {
        Self { queue, settled: Mutex::default(), queries: None }
    }

    /// One whose messages wait for queries of Athena when they are put back.
    pub fn waiting_for(queries: WakeOnEnd, queue: SqsQueue) -> Self {
        Self { queries: Some(queries), ..Self::new(queue) }
    }

    /// Shows the message that waits for the query, if one does.
    pub async fn wake(&self, execution_id: &str) -> Result<(), PortError> {
        let Some(queries) = &self.queries else { return Ok(()) };
        match queries.waits.end(execution_id).await? {
            Some(receipt) => self.queue.change_visibility(&receipt, Duration::ZERO).await,
            None => Ok(()),
        }
    }

    async fn has_nothing_to_wait_for(&self, receipt: &Receipt) -> Result<bool, PortError> {
        match (&self.queries, self.waiting(receipt)) {
            (Some(queries), Some((body, wait))) => queries.has_ended(&body, &wait).await,
            _ => Ok(false),
        }
    }

    /// The message as if it had been received here.
    pub fn accept(&self, handed: HandedMessage) -> Result<ReceivedMessage, PortError> {
        let text = |value: String| {
            let built = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            built.map_err(|error| PortError::permanent("receive from queue", self.name(), error))
        };
        let system = handed.system_attributes.into_iter();
        let attributes = handed.attributes.into_iter().map(|(name, value)| Ok((name, text(value)?)));
        let message = Message::builder()
            .message_id(handed.message_id)
            .receipt_handle(handed.receipt_handle)
            .body(handed.body)
            .set_attributes(Some(
                system.map(|(name, value)| (MessageSystemAttributeName::from(name.as_str()), value)).collect(),
            ))
            .set_message_attributes(Some(attributes.collect::<Result<_, PortError>>()?))
            .build();
        HeldMessage::new(self.name(), message)?.into_received()
    }

    /// The ids of the messages that were settled since this was asked last: acknowledged, or moved to the DLQ.
    pub fn take_settled(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.settled())
    }

    /// What a message says, and a receipt of it that is small enough to be noted: it can be shown with it, and no more.
    fn waiting(&self, receipt: &Receipt) -> Option<(String, Receipt)> {
        let held = HeldMessage::of(receipt, self.name())?;
        let bare = HeldMessage { body: String::new(), attributes: BTreeMap::new(), ..held.clone() };
        Some((held.body, Receipt(serde_json::to_string(&bare).ok()?)))
    }

    fn settle(&self, receipt: &Receipt) {
        if let Some(held) = HeldMessage::of(receipt, self.name()) {
            self.settled().insert(held.message_id);
        }
    }

    fn settled(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A set that a panicking thread inserted into is still a set.
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for HandedQueue {
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
        receipts.iter().for_each(|receipt| self.settle(receipt));
        Ok(())
    }

    async fn change_visibility(&self, receipt: &Receipt, visibility: Duration) -> Result<(), PortError> {
        let ended = self.has_nothing_to_wait_for(receipt).await.unwrap_or_else(|error| {
            warn!("the message waits out its time, its query's end cannot wake it: {error}");
            false
        });
        self.queue.change_visibility(receipt, if ended { Duration::ZERO } else { visibility }).await
    }

    async fn dead_letter(&self, receipt: &Receipt, reason: &str) -> Result<(), PortError> {
        // One with a stale receipt was not moved: whoever received it since has it.
        if self.queue.bury(receipt, reason).await? {
            self.settle(receipt);
        }
        Ok(())
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
