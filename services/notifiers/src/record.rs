//! Stage 5: the try, the delivery's new state and its messages are written together; only then is the input done.

use crate::NotifierDeps;
use crate::plan_next::{Next, next_attempt_number};
use crate::raise_system_alert::destination_failing;
use crate::send::Tried;
use chrono::TimeDelta;
use mantissa_contracts::messages::{AttemptOutcome, DeliveryRecorded, DeliveryState, NotificationReason};
use mantissa_contracts::time::Instant;
use mantissa_contracts::{Envelope, Message};
use mantissa_ports::stores::{Attempt, AttemptRecord, DeliveryRecord};
use mantissa_ports::{Outgoing, PortError};
use mantissa_runtime::handler::{Handled, HandlerError};
use std::time::Duration;

pub(crate) const SERVICE: &str = "notifiers";

/// No queue hides a message longer.
const LONGEST_HIDE: Duration = Duration::from_secs(12 * 3600);
/// A try that was made and cannot be recorded is made again; so recording is worth three tries of its own.
const RECORD_RETRIES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(250)];

/// `delivery` is the record as claimed by `owner`.
pub(crate) async fn record(
    deps: &NotifierDeps,
    delivery: &DeliveryRecord,
    owner: &str,
    tried: &Tried,
    next: &Next,
    started_at: Instant,
    traceparent: Option<&str>,
) -> Handled {
    let now = deps.clock.now();
    let judgement = &tried.judgement;
    let (state, next_attempt_at, reason) = match next {
        Next::Done { state } => (*state, None, judgement.reason.clone()),
        Next::Again { at, state } => (*state, Some(*at), judgement.reason.clone()),
        Next::Dead { why } => (DeliveryState::Dead, None, format!("{}; {why}", judgement.reason)),
    };
    let attempt = Attempt {
        number: next_attempt_number(delivery),
        at: started_at,
        outcome: judgement.outcome,
        http_status: judgement.http_status,
        reason: match judgement.outcome {
            AttemptOutcome::Suppressed => reason.clone(),
            _ => format!("{}: {reason}", asked_because(tried.asked)),
        },
        duration_ms: u64::try_from((now - started_at).num_milliseconds()).unwrap_or(0),
    };
    let possible_duplicate = delivery.possible_duplicate || judgement.outcome == AttemptOutcome::Unknown;
    let recorded = DeliveryRecorded {
        delivery_id: delivery.delivery_id,
        alert_id: delivery.key.alert_id,
        destination_id: delivery.key.destination_id.clone(),
        destination_type: delivery.destination_type,
        intent: delivery.key.intent,
        state,
        attempt: attempt.number,
        outcome: attempt.outcome,
        http_status: attempt.http_status,
        reason: attempt.reason.clone(),
        possible_duplicate,
        recorded_at: now,
        next_attempt_at,
    };
    let mut outgoing = vec![outgoing(now, traceparent, recorded)?];
    let fails = state == DeliveryState::Dead || (judgement.misses_somebody && next_attempt_at.is_none());
    if fails && tried.blames_destination {
        outgoing.push(self::outgoing(now, traceparent, destination_failing(delivery, &reason, now))?);
    }
    log(delivery, &attempt, state, next_attempt_at);
    let written = write(
        deps,
        &AttemptRecord {
            delivery_id: delivery.delivery_id,
            owner: owner.to_owned(),
            attempt,
            state,
            next_attempt_at,
            possible_duplicate,
            provider_ids: judgement.provider_ids.clone(),
            outgoing,
        },
    )
    .await?;
    if !written {
        // The claim lapsed and another worker took over; what it does counts, and it knows of a possible duplicate.
        tracing::warn!(delivery.id = %delivery.delivery_id, "claim of delivery `{}` lapsed while sending", delivery.delivery_id);
        return not_yet(now, now + TimeDelta::seconds(1), "the claim lapsed while sending");
    }
    match next {
        Next::Done { .. } => Ok(Vec::new()),
        Next::Again { at, .. } => not_yet(now, *at, &reason),
        Next::Dead { .. } => Err(dead(delivery, &reason)),
    }
}

/// Hides the input until then, or as long as a queue can.
pub(crate) fn not_yet(now: Instant, until: Instant, reason: &str) -> Handled {
    let retry_in = (until - now).to_std().unwrap_or_default().min(LONGEST_HIDE);
    Err(HandlerError::NotYet { retry_in, reason: reason.to_owned() })
}

/// Sends the input to the DLQ, also when it comes again after the delivery was given up.
pub(crate) fn dead(delivery: &DeliveryRecord, reason: &str) -> HandlerError {
    HandlerError::Permanent {
        reason: format!("delivery `{}` to `{}` is dead: {reason}", delivery.delivery_id, delivery.key.destination_id),
    }
}

fn asked_because(asked: NotificationReason) -> &'static str {
    match asked {
        NotificationReason::FirstNotification => "first_notification",
        NotificationReason::SeverityRaised => "severity_raised",
        NotificationReason::AlertClosed => "alert_closed",
    }
}

async fn write(deps: &NotifierDeps, record: &AttemptRecord) -> Result<bool, PortError> {
    for pause in RECORD_RETRIES {
        match deps.deliveries.record(record).await {
            Err(error) if error.is_transient() => tokio::time::sleep(pause).await,
            written => return written,
        }
    }
    deps.deliveries.record(record).await
}

fn outgoing<M: Message>(now: Instant, traceparent: Option<&str>, message: M) -> Result<Outgoing, PortError> {
    Outgoing::new(&Envelope::new(SERVICE, now, traceparent.map(str::to_owned), message))
}

fn log(delivery: &DeliveryRecord, attempt: &Attempt, state: DeliveryState, next_attempt_at: Option<Instant>) {
    let (id, destination) = (&delivery.delivery_id, &delivery.key.destination_id);
    let wait_until = next_attempt_at.map(|at| at.to_rfc3339()).unwrap_or_default();
    macro_rules! say {
        ($level:ident) => {
            tracing::$level!(
                delivery.id = %id, delivery.state = %state, alert.id = %delivery.key.alert_id,
                destination.id = %destination, attempt.number = attempt.number, attempt.duration_ms = attempt.duration_ms,
                next_attempt_at = %wait_until,
                "delivery to `{destination}` is {state}: {}", attempt.reason
            )
        };
    }
    match state {
        DeliveryState::Dead => say!(error),
        DeliveryState::Failed | DeliveryState::Unknown => say!(warn),
        _ => say!(info),
    }
}
