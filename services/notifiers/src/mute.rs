//! Stage 2: is there anything to say? The destination is made to agree with the alert's current state, so a message
//! for an alert that moved on is a no-op with a reason.

#[cfg(test)]
mod tests;

use crate::raise_system_alert::is_about_destination;
use mantissa_contracts::messages::NotificationRequested;
use mantissa_contracts::messages::{AlertSnapshot, AlertStatus, AttemptOutcome, DeliveryState, Intent};
use mantissa_contracts::time::Instant;
use mantissa_ports::stores::{DeliveryRecord, Destination};
use std::collections::BTreeMap;

/// The name under which a delivery keeps the alert revision it showed, beside the provider's ids.
pub(crate) const SHOWN_REVISION: &str = "shown_revision";

/// The name under which a delivery keeps who of several recipients got it: later tries are for the others.
pub(crate) const TAKEN_FOR: &str = "taken_for";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruling {
    Deliver,
    /// Another notification of this alert is being sent to this destination; what is left to say depends on it.
    Wait {
        until: Instant,
    },
    Suppress(SuppressReason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SuppressReason {
    DestinationRemoved,
    DestinationDisabled,
    /// A system alert about a destination is not sent to that destination.
    AboutThisDestination,
    AlertAlreadyClosed,
    AlertNotClosed,
    NothingOpenedHere,
    /// An opening that is still to come shows the current state.
    OpeningShowsIt,
    AlreadyShown,
}

impl SuppressReason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::DestinationRemoved => "suppressed: destination_removed",
            Self::DestinationDisabled => "suppressed: destination_disabled",
            Self::AboutThisDestination => "suppressed: alert_is_about_this_destination",
            Self::AlertAlreadyClosed => "suppressed: alert_already_closed",
            Self::AlertNotClosed => "suppressed: alert_not_closed",
            Self::NothingOpenedHere => "suppressed: nothing_opened_here",
            Self::OpeningShowsIt => "suppressed: opening_will_show_it",
            Self::AlreadyShown => "suppressed: already_shown",
        }
    }
}

/// `earlier` are the deliveries of this alert, to whichever destination; an opening does not need them.
pub(crate) fn mute(
    request: &NotificationRequested,
    alert: &AlertSnapshot,
    destination: Option<&Destination>,
    earlier: &[DeliveryRecord],
    now: Instant,
) -> Ruling {
    let Some(destination) = destination else {
        return Ruling::Suppress(SuppressReason::DestinationRemoved);
    };
    if !destination.enabled {
        return Ruling::Suppress(SuppressReason::DestinationDisabled);
    }
    if is_about_destination(alert, &destination.destination_id) {
        return Ruling::Suppress(SuppressReason::AboutThisDestination);
    }
    let closed = alert.status == AlertStatus::Closed;
    let mut here = earlier
        .iter()
        .filter(|record| record.key.destination_id == request.destination_id && record.key.intent != Intent::Close);
    match request.intent {
        Intent::Open if closed => Ruling::Suppress(SuppressReason::AlertAlreadyClosed),
        Intent::Open => Ruling::Deliver,
        Intent::Update if closed => Ruling::Suppress(SuppressReason::AlertAlreadyClosed),
        Intent::Update => rule_on_update(request, here, now),
        Intent::Close if !closed => Ruling::Suppress(SuppressReason::AlertNotClosed),
        Intent::Close => {
            if let Some(until) = here.clone().find_map(|record| sending_until(record, now)) {
                Ruling::Wait { until }
            } else if here.any(may_stand) {
                Ruling::Deliver
            } else {
                Ruling::Suppress(SuppressReason::NothingOpenedHere)
            }
        }
    }
}

fn rule_on_update<'a>(
    request: &NotificationRequested,
    here: impl Iterator<Item = &'a DeliveryRecord>,
    now: Instant,
) -> Ruling {
    let mut ruling = Ruling::Deliver;
    for record in here.filter(|record| record.key.about_revision != request.alert_revision) {
        let shown: Option<u64> = record.provider_ids.get(SHOWN_REVISION).and_then(|revision| revision.parse().ok());
        if shown.is_some_and(|revision| revision >= request.alert_revision) {
            return Ruling::Suppress(SuppressReason::AlreadyShown);
        }
        if record.key.intent == Intent::Open {
            match record.state {
                DeliveryState::Sending => {
                    ruling = sending_until(record, now).map_or(ruling, |until| Ruling::Wait { until });
                }
                // Those who got it are not shown the opening again.
                DeliveryState::Pending | DeliveryState::Failed if !some_got(record) => {
                    ruling = Ruling::Suppress(SuppressReason::OpeningShowsIt);
                }
                _ => {}
            }
        }
    }
    ruling
}

/// `None` also where the claim lapsed: its worker may have sent, and nothing tells when another takes over.
fn sending_until(record: &DeliveryRecord, now: Instant) -> Option<Instant> {
    record.lease_until.filter(|until| record.state == DeliveryState::Sending && *until > now)
}

/// True also where it is not known: closing what never stood does no harm, leaving it open does.
fn may_stand(record: &DeliveryRecord) -> bool {
    use DeliveryState::{Accepted, Acknowledged, Delivered, Posted, Sending, Unknown};
    matches!(record.state, Accepted | Posted | Delivered | Acknowledged | Unknown | Sending)
        || record.possible_duplicate
        || some_got(record)
        || record.attempts.iter().any(|attempt| attempt.outcome == AttemptOutcome::Unknown)
}

fn some_got(record: &DeliveryRecord) -> bool {
    record.provider_ids.contains_key(TAKEN_FOR)
}

/// What of the earlier deliveries the provider can be referred to: the newest `ts` of a Slack message, its channel.
pub(crate) fn earlier_provider_ids(
    request: &NotificationRequested,
    earlier: &[DeliveryRecord],
) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for record in earlier.iter().filter(|record| record.key.destination_id == request.destination_id) {
        ids.extend(record.provider_ids.clone());
    }
    ids
}
