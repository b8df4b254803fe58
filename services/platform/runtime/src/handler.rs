//! What a stage gives the worker loop.

use crate::trace_context;
use async_trait::async_trait;
use mantissa_contracts::{Envelope, Message};
use mantissa_ports::{Outgoing, PortError};
use std::time::Duration;

/// How one message was handled. `Ok` lists messages to publish before the input is acknowledged.
pub type Handled = Result<Vec<Outgoing>, HandlerError>;

/// Why a message is not done.
#[derive(Debug)]
pub enum HandlerError {
    /// Nothing is wrong, it is too early: hide the message for this long and hand it over again.
    NotYet { retry_in: Duration, reason: String },
    /// Trying again may help; backs off, and after the queue's receives goes to the DLQ.
    Transient { reason: String },
    /// Trying again cannot help: to the DLQ now.
    Permanent { reason: String },
}

impl HandlerError {
    pub fn transient(error: impl std::fmt::Display) -> Self {
        Self::Transient { reason: error.to_string() }
    }

    pub fn permanent(error: impl std::fmt::Display) -> Self {
        Self::Permanent { reason: error.to_string() }
    }
}

impl From<PortError> for HandlerError {
    fn from(error: PortError) -> Self {
        if error.is_transient() { Self::transient(error) } else { Self::permanent(error) }
    }
}

/// The trace context for what is done about a message: a child of the one it carries.
pub fn trace_of<M: Message>(envelope: &Envelope<M>) -> Option<String> {
    envelope.traceparent.as_deref().and_then(|parent| trace_context::child(parent, &envelope.id.to_string()))
}

/// A stage's handler of one kind of message.
///
/// Handlers are idempotent: queues deliver at least once, reorder and duplicate.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    type Message: Message;

    async fn handle(&self, envelope: &Envelope<Self::Message>) -> Handled;

    /// Handles what one receive returned; results in the order of the messages. Override it where messages
    /// that belong together are cheaper handled together.
    async fn handle_batch(&self, batch: &[Envelope<Self::Message>]) -> Vec<Handled> {
        let handled = batch.iter().map(|envelope| trace_context::within(trace_of(envelope), self.handle(envelope)));
        futures::future::join_all(handled).await
    }
}
