//! Stage 4: one try.

use crate::NotifierDeps;
use crate::destinations::{Endpoint, Sending};
use crate::error::UnusableDestination;
use crate::mute::{Ruling, SHOWN_REVISION, SuppressReason, TAKEN_FOR, mute};
use crate::render::{Notification, Rendered, Rung, render};
use crate::retry::Judgement;
use mantissa_contracts::messages::{AttemptOutcome, NotificationReason, NotificationRequested, Severity};
use mantissa_ports::PortError;
use mantissa_ports::stores::{AlertRecord, DeliveryRecord, Destination};
use std::collections::BTreeMap;

/// One try and what the plan for the next one needs to know.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) judgement: Judgement,
    /// Why the notification was asked for.
    pub(crate) asked: NotificationReason,
    pub(crate) severity: Severity,
    /// Whether a failure tells anything about the destination.
    pub(crate) blames_destination: bool,
}

/// What was found out before the claim.
pub(crate) struct Prepared {
    pub(crate) destination: Option<Destination>,
    /// `None` when there is no such destination or it is disabled.
    pub(crate) endpoint: Option<Result<Endpoint, UnusableDestination>>,
    /// For updates and closings; an opening is ruled on under its claim.
    pub(crate) ruled: Option<(Ruling, AlertRecord)>,
    pub(crate) earlier_ids: BTreeMap<String, String>,
}

/// Never fails: whatever goes wrong under a claim is a try that is recorded.
pub(crate) async fn send(
    deps: &NotifierDeps,
    request: &NotificationRequested,
    delivery: &DeliveryRecord,
    prepared: &Prepared,
) -> Tried {
    let asked = request.reason;
    let tried = |judgement, severity, blames_destination| Tried { judgement, asked, severity, blames_destination };
    let (ruling, record) = match &prepared.ruled {
        Some((ruling, record)) => (*ruling, record.clone()),
        None => match deps.alerts.get(&request.alert_id).await {
            Ok(Some(record)) => {
                (mute(request, &record.alert, prepared.destination.as_ref(), &[], deps.clock.now()), record)
            }
            Ok(None) => {
                let gone = Judgement::new(AttemptOutcome::Permanent, "there is no such alert");
                return tried(gone, request.severity, false);
            }
            Err(error) => return tried(port_failure(&error), request.severity, false),
        },
    };
    let severity = record.alert.severity.max(request.severity);
    match ruling {
        Ruling::Suppress(reason) => return tried(suppressed(reason), severity, false),
        Ruling::Wait { .. } => {
            let waits = Judgement::new(AttemptOutcome::Transient, "another notification of the alert is being sent");
            return tried(waits, severity, false);
        }
        Ruling::Deliver => {}
    }
    let endpoint = match &prepared.endpoint {
        Some(Ok(endpoint)) => endpoint,
        Some(Err(unusable)) => return tried(unusable_failure(unusable), severity, true),
        None => return tried(suppressed(SuppressReason::DestinationRemoved), severity, false),
    };
    let notification = Notification {
        alert: &record.alert,
        context: record.context.as_ref(),
        intent: request.intent,
        base_url: deps.config.base_url.as_ref(),
    };
    let rendered = match render(endpoint, &notification) {
        Ok(rendered) => rendered,
        Err(error) => {
            return tried(Judgement::new(AttemptOutcome::Permanent, format!("not rendered: {error}")), severity, false);
        }
    };
    let sending = Sending {
        http: &deps.http,
        mail: deps.mail.as_ref(),
        alert_id: request.alert_id,
        delivery_id: delivery.delivery_id,
        earlier_ids: &prepared.earlier_ids,
        tried_ids: &delivery.provider_ids,
        now: deps.clock.now(),
    };
    let mut judgement = send_rendered(endpoint, &rendered, &sending).await;
    let is_shown = judgement.outcome == AttemptOutcome::Succeeded || judgement.provider_ids.contains_key(TAKEN_FOR);
    // Whoever got it at an earlier try saw the alert as it was then.
    if is_shown && !delivery.provider_ids.contains_key(TAKEN_FOR) {
        judgement.provider_ids.insert(SHOWN_REVISION.to_owned(), record.alert.revision.to_string());
    }
    tried(judgement, severity, true)
}

pub(crate) async fn send_rendered(endpoint: &Endpoint, rendered: &Rendered, sending: &Sending<'_>) -> Judgement {
    let mut judgement = endpoint.send(&rendered.body, sending).await;
    if rendered.rung != Rung::Full {
        judgement.reason = format!("{} (rendered {})", judgement.reason, rendered.rung.as_str());
    }
    judgement
}

pub(crate) fn unusable_failure(unusable: &UnusableDestination) -> Judgement {
    let outcome = match unusable {
        UnusableDestination::Port(error) if error.is_transient() => AttemptOutcome::Transient,
        // As with a key that is being rotated: it may be there in a moment.
        UnusableDestination::MissingSecret { .. } => AttemptOutcome::Auth,
        _ => AttemptOutcome::Permanent,
    };
    Judgement::new(outcome, format!("destination is not usable: {unusable}"))
}

fn port_failure(error: &PortError) -> Judgement {
    let outcome = if error.is_transient() { AttemptOutcome::Transient } else { AttemptOutcome::Permanent };
    Judgement::new(outcome, error.to_string())
}

fn suppressed(reason: SuppressReason) -> Judgement {
    Judgement::new(AttemptOutcome::Suppressed, reason.as_str())
}
