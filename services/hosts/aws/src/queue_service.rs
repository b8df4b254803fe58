//! What serves the messages of one queue.

use async_trait::async_trait;
use mantissa_aws::sqs::HandedQueue;
use mantissa_ports::{PortError, Queue as _, ReceivedMessage};
use mantissa_runtime::{Handler, Worker};
use std::sync::Arc;
use tracing::{error, warn};

#[async_trait]
pub(crate) trait QueueService: Send + Sync {
    fn queue(&self) -> &HandedQueue;

    /// Settles each message, hides it for a while, or leaves it to its visibility timeout.
    async fn handle(&self, batch: Vec<ReceivedMessage>);
}

/// A stage's handler behind the worker loop that it has everywhere.
pub(crate) struct StageQueue<H: Handler> {
    pub(crate) queue: Arc<HandedQueue>,
    pub(crate) worker: Worker<H>,
}

#[async_trait]
impl<H: Handler> QueueService for StageQueue<H> {
    fn queue(&self) -> &HandedQueue {
        &self.queue
    }

    async fn handle(&self, batch: Vec<ReceivedMessage>) {
        self.worker.handle_received(batch).await;
    }
}

/// Takes what does not need a stage: what services of AWS write to a queue, in their own words, and what is only passed on.
#[async_trait]
pub(crate) trait TakeEvents: Send + Sync {
    type Event: Send;

    fn read(&self, body: &str) -> anyhow::Result<Self::Event>;

    async fn take(&self, event: Self::Event) -> Result<(), PortError>;
}

/// A queue of such events. One that cannot be read goes to the DLQ; one that could not be taken is left to its visibility
/// timeout.
pub(crate) struct EventQueue<T: TakeEvents> {
    pub(crate) queue: Arc<HandedQueue>,
    pub(crate) events: T,
}

#[async_trait]
impl<T: TakeEvents> QueueService for EventQueue<T> {
    fn queue(&self) -> &HandedQueue {
        &self.queue
    }

    async fn handle(&self, batch: Vec<ReceivedMessage>) {
        for message in batch {
            let settled = match self.events.read(&message.body) {
                Ok(event) => match self.events.take(event).await {
                    Ok(()) => self.queue.ack(&[message.receipt]).await,
                    Err(error) => Err(error),
                },
                Err(problem) => {
                    let reason = format!("this cannot be read: {problem:#}");
                    error!(queue.name = self.queue.name(), "message goes to the DLQ: {reason}");
                    self.queue.dead_letter(&message.receipt, &reason).await
                }
            };
            if let Err(error) = settled {
                warn!(queue.name = self.queue.name(), "the message will be seen again: {error}");
            }
        }
    }
}
