//! One worker loop over one queue.

use crate::handler::{Handled, Handler, HandlerError};
use crate::metrics::Metrics;
use crate::publisher::Publisher;
use crate::trace_context;
use mantissa_contracts::topology::QueueSpec;
use mantissa_contracts::{DecodeError, Envelope};
use mantissa_ports::{Outgoing, PortError, Queue, Receipt, ReceivedMessage};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, error, info_span, warn};

/// Wait between tries of a message whose handling failed: doubles from here.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// Longest a queue can hide a message.
const LONGEST_VISIBILITY: Duration = Duration::from_secs(12 * 3600);

#[derive(Debug, Clone)]
pub struct WorkerConfig {
    pub batch_size: usize,
    pub visibility: Duration,
    /// How long one receive waits for a message.
    pub wait: Duration,
}

impl WorkerConfig {
    pub fn of(spec: &QueueSpec) -> Self {
        Self {
            batch_size: spec.batch_size as usize,
            visibility: Duration::from_secs(u64::from(spec.visibility_timeout_s)),
            wait: Duration::from_secs(1),
        }
    }
}

pub struct Worker<H: Handler> {
    pub queue: Arc<dyn Queue>,
    pub handler: H,
    pub publisher: Arc<Publisher>,
    pub metrics: Arc<Metrics>,
    pub config: WorkerConfig,
}

impl<H: Handler> Worker<H> {
    /// Runs until shutdown; finishes what it received.
    pub async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            // Not raced against the shutdown: a receive that is dropped may have hidden messages for minutes.
            match self.queue.receive(self.config.batch_size, self.config.visibility, self.config.wait).await {
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => self.handle_received(batch).await,
                Err(error) => {
                    self.count("mantissa_receive_failures_total", "receives that failed", "error", 1);
                    error!(queue.name = self.queue.name(), "receive failed: {error}");
                    tokio::select! {
                        () = shutdown.cancelled() => break,
                        () = tokio::time::sleep(FIRST_BACKOFF) => {}
                    }
                }
            }
        }
    }

    /// Handles one received batch: every message ends acknowledged, hidden for a while, or in the DLQ.
    pub async fn handle_received(&self, batch: Vec<ReceivedMessage>) {
        let mut envelopes = Vec::with_capacity(batch.len());
        let mut received = Vec::with_capacity(batch.len());
        for message in batch {
            match Envelope::<H::Message>::decode(&message.body) {
                Ok(envelope) => {
                    envelopes.push(envelope);
                    received.push(message);
                }
                Err(error) => self.bury_undecodable(&message.receipt, &error).await,
            }
        }
        if envelopes.is_empty() {
            return;
        }
        let step = self.queue.name();
        let trace = envelopes.first().and_then(|first| first.traceparent.as_deref()).map(trace_context::trace_id);
        let span = info_span!("handle", queue.name = step, n_messages = envelopes.len(), trace.id = trace);
        let handled = self.handler.handle_batch(&envelopes).instrument(span.clone()).await;
        self.conclude(&received, handled).instrument(span).await;
    }

    async fn conclude(&self, received: &[ReceivedMessage], handled: Vec<Handled>) {
        let mut outgoing: Vec<Outgoing> = Vec::new();
        let mut done: Vec<&ReceivedMessage> = Vec::new();
        for (message, result) in received.iter().zip(handled) {
            match result {
                Ok(messages) => {
                    outgoing.extend(messages);
                    done.push(message);
                }
                Err(error) => self.put_back(message, error).await,
            }
        }
        if let Err(error) = self.publisher.publish(&outgoing).await {
            // Nothing is acknowledged: the handlers run again and return the same messages with the same ids.
            for message in done {
                self.put_back(message, HandlerError::from(clone_of(&error))).await;
            }
            return;
        }
        let receipts: Vec<Receipt> = done.iter().map(|message| message.receipt.clone()).collect();
        if !receipts.is_empty() {
            self.count("mantissa_messages_handled_total", "messages handled", "ok", receipts.len() as u64);
            if let Err(error) = self.queue.ack(&receipts).await {
                warn!("acknowledge failed, the messages will be seen again: {error}");
            }
        }
    }

    async fn bury_undecodable(&self, receipt: &Receipt, error: &DecodeError) {
        self.count("mantissa_messages_handled_total", "messages handled", error.kind(), 1);
        self.bury(receipt, &format!("{}: {error}", error.kind())).await;
    }

    async fn put_back(&self, message: &ReceivedMessage, error: HandlerError) {
        let (result, hidden_for) = match &error {
            HandlerError::Permanent { reason } => {
                self.count("mantissa_messages_handled_total", "messages handled", "permanent", 1);
                self.bury(&message.receipt, reason).await;
                return;
            }
            HandlerError::NotYet { retry_in, reason } => {
                debug!("not yet, again in {retry_in:?}: {reason}");
                ("not_yet", *retry_in)
            }
            HandlerError::Transient { reason } => {
                let exponent = message.receive_count.saturating_sub(1).min(16);
                let backoff = FIRST_BACKOFF.saturating_mul(1 << exponent).min(LONGEST_BACKOFF);
                warn!(message.receive_count, "handling failed, again in {backoff:?}: {reason}");
                ("transient", backoff)
            }
        };
        self.count("mantissa_messages_handled_total", "messages handled", result, 1);
        if let Err(error) = self.queue.change_visibility(&message.receipt, hidden_for.min(LONGEST_VISIBILITY)).await {
            warn!("change of visibility failed, the message is seen again after its timeout: {error}");
        }
    }

    async fn bury(&self, receipt: &Receipt, reason: &str) {
        error!(queue.name = self.queue.name(), "message goes to the DLQ: {reason}");
        if let Err(error) = self.queue.dead_letter(receipt, reason).await {
            warn!("move to the DLQ failed, the message will be seen again: {error}");
        }
    }

    fn count(&self, name: &'static str, help: &'static str, result: &str, n: u64) {
        self.metrics.count(name, help, &[("queue", self.queue.name()), ("result", result)], n);
    }
}

/// One failed publish puts back several messages, and an error cannot be cloned.
fn clone_of(error: &PortError) -> PortError {
    match error.is_transient() {
        true => PortError::transient(error.operation, &error.subject, error.to_string()),
        false => PortError::permanent(error.operation, &error.subject, error.to_string()),
    }
}
