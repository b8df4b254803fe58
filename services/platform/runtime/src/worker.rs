//! One worker loop over one queue.

use crate::handler::{self, Handled, Handler, HandlerError};
use crate::metrics::Metrics;
use crate::trace_context;
use crate::trace_export::{self, Step, StepKind};
use futures::FutureExt as _;
use mantissa_contracts::time::Instant;
use mantissa_contracts::topology::QueueSpec;
use mantissa_contracts::{DecodeError, Envelope};
use mantissa_ports::Publisher;
use mantissa_ports::{Clock as _, Outgoing, PortError, Queue, Receipt, ReceivedMessage, SystemClock};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, error, info_span, warn};

#[cfg(test)]
mod tests;

/// Wait after the first failed handling of a message. Each further wait is [`BACKOFF_FACTOR`] times as long, so that the
/// five receives a queue allows outlast a disturbance of a minute.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const BACKOFF_FACTOR: u32 = 4;
const LONGEST_BACKOFF: Duration = Duration::from_secs(15 * 60);
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
        // The trace is each message's own.
        let span = info_span!("handle", queue.name = step, n_messages = envelopes.len());
        let started = SystemClock.now();
        let handled = self.handle_caught(&envelopes).instrument(span.clone()).await;
        let outcomes = self.conclude(&envelopes, &received, handled).instrument(span).await;
        if trace_export::is_installed() {
            for ((envelope, message), outcome) in envelopes.iter().zip(&received).zip(outcomes) {
                self.record_step(envelope, message.receive_count, started, outcome);
            }
        }
    }

    /// A handler that panics must not end the loop, and the message it panics on must not take others along: each is
    /// handled again by itself, which handlers are made for.
    async fn handle_caught(&self, envelopes: &[Envelope<H::Message>]) -> Vec<Handled> {
        match AssertUnwindSafe(self.handler.handle_batch(envelopes)).catch_unwind().await {
            Ok(handled) => handled,
            Err(_) if envelopes.len() > 1 => {
                let mut handled = Vec::with_capacity(envelopes.len());
                for envelope in envelopes {
                    handled.extend(Box::pin(self.handle_caught(std::slice::from_ref(envelope))).await);
                }
                handled
            }
            Err(panic) => {
                self.count("mantissa_handler_panics_total", "handlers that panicked", "panic", 1);
                let reason = format!("the handler panicked: {}", said_by(panic.as_ref()));
                error!(queue.name = self.queue.name(), "{reason}");
                vec![Err(HandlerError::Transient { reason })]
            }
        }
    }

    async fn conclude(
        &self,
        envelopes: &[Envelope<H::Message>],
        received: &[ReceivedMessage],
        handled: Vec<Handled>,
    ) -> Vec<Outcome> {
        let mut outgoing: Vec<Outgoing> = Vec::new();
        let mut done: Vec<(&Envelope<H::Message>, &ReceivedMessage)> = Vec::new();
        let mut outcomes = Vec::with_capacity(received.len());
        for ((envelope, message), result) in envelopes.iter().zip(received).zip(handled) {
            match result {
                Ok(messages) => {
                    outgoing.extend(messages);
                    done.push((envelope, message));
                    outcomes.push(Outcome::Done);
                }
                Err(error) => {
                    outcomes.push(match &error {
                        HandlerError::NotYet { .. } => Outcome::NotYet,
                        HandlerError::Transient { reason } | HandlerError::Permanent { reason } => {
                            Outcome::Failed(reason.clone())
                        }
                    });
                    self.put_back(envelope, message, error).await;
                }
            }
        }
        if let Err(error) = self.publisher.publish(&outgoing).await {
            // Nothing is acknowledged: the handlers run again and return the same messages with the same ids.
            for (envelope, message) in done {
                self.put_back(envelope, message, HandlerError::from(clone_of(&error))).await;
            }
            let failed = |outcome| match outcome {
                Outcome::Done => Outcome::Failed(error.to_string()),
                other => other,
            };
            return outcomes.into_iter().map(failed).collect();
        }
        let receipts: Vec<Receipt> = done.iter().map(|(_, message)| message.receipt.clone()).collect();
        if !receipts.is_empty() {
            self.count("mantissa_messages_handled_total", "messages handled", "ok", receipts.len() as u64);
            if let Err(error) = self.queue.ack(&receipts).await {
                warn!("acknowledge failed, the messages will be seen again: {error}");
            }
        }
        outcomes
    }

    fn record_step(&self, envelope: &Envelope<H::Message>, receive_count: u32, started: Instant, outcome: Outcome) {
        let Some(parent) = envelope.traceparent.as_deref() else { return };
        // What was published refers to the span of the try that succeeded; one that failed has a span of its own.
        let (own, error) = match outcome {
            Outcome::Done => (handler::trace_of(envelope), None),
            Outcome::Failed(reason) => {
                (trace_context::child(parent, &format!("{}/{receive_count}", envelope.id)), Some(reason))
            }
            Outcome::NotYet => return,
        };
        let Some(own) = own else { return };
        trace_export::record(Step {
            name: format!("process {}", self.queue.name()),
            kind: StepKind::Consumer,
            traceparent: &own,
            parent: Some(parent),
            started,
            attributes: vec![
                ("messaging.operation.type", "process".to_owned()),
                ("messaging.destination.name", self.queue.name().to_owned()),
                ("messaging.message.id", envelope.id.to_string()),
                ("mantissa.receive_count", receive_count.to_string()),
            ],
            error,
        });
    }

    async fn bury_undecodable(&self, receipt: &Receipt, error: &DecodeError) {
        self.count("mantissa_messages_handled_total", "messages handled", error.kind(), 1);
        self.bury(receipt, &format!("{}: {error}", error.kind())).await;
    }

    async fn put_back(&self, envelope: &Envelope<H::Message>, message: &ReceivedMessage, error: HandlerError) {
        let trace = trace_context::log_span(envelope.traceparent.as_deref());
        self.hide_or_bury(message, error).instrument(trace).await;
    }

    async fn hide_or_bury(&self, message: &ReceivedMessage, error: HandlerError) {
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
                let factor = BACKOFF_FACTOR.saturating_pow(message.receive_count.saturating_sub(1));
                let backoff = FIRST_BACKOFF.saturating_mul(factor).min(LONGEST_BACKOFF);
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

/// What became of one message, for its trace.
enum Outcome {
    Done,
    NotYet,
    Failed(String),
}

fn said_by(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "it did not say why",
    }
}

/// One failed publish puts back several messages, and an error cannot be cloned.
fn clone_of(error: &PortError) -> PortError {
    match error.is_transient() {
        true => PortError::transient(error.operation, &error.subject, error.to_string()),
        false => PortError::permanent(error.operation, &error.subject, error.to_string()),
    }
}
