//! Stage 1: the delivery is claimed, so that one worker sends it, and known before it is sent.

use crate::NotifierDeps;
use chrono::TimeDelta;
use mantissa_contracts::messages::{DestinationType, Intent, NotificationRequested};
use mantissa_contracts::time::Instant;
use mantissa_ports::PortError;
use mantissa_ports::stores::{ClaimOutcome, DeliveryKey};

/// The delivery that a notification is about: openings and closings happen once an alert, updates once for each revision
/// that asked for one.
pub fn delivery_key(request: &NotificationRequested) -> DeliveryKey {
    DeliveryKey {
        alert_id: request.alert_id,
        destination_id: request.destination_id.clone(),
        intent: request.intent,
        about_revision: match request.intent {
            Intent::Open | Intent::Close => 0,
            Intent::Update => request.alert_revision,
        },
    }
}

/// `owner` is new for every claim: a claim that lapsed must not be mistaken for the one that followed it.
pub(crate) async fn claim(
    deps: &NotifierDeps,
    request: &NotificationRequested,
    key: &DeliveryKey,
    owner: &str,
    now: Instant,
) -> Result<ClaimOutcome, PortError> {
    let lease = match (&deps.mail, request.destination_type) {
        (Some(outbound), DestinationType::Email) => deps.config.lease + outbound.mailer.longest_send(),
        _ => deps.config.lease,
    };
    let lease_until = now + TimeDelta::from_std(lease).unwrap_or(TimeDelta::minutes(15));
    deps.deliveries.claim(key, request.destination_type, owner, now, lease_until).await
}
