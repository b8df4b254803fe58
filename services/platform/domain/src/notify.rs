//! Whether a change of an alert is worth telling its destinations.

use mantissa_contracts::messages::{AlertUpdateReason, Intent, NotificationReason};

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertChange {
    Opened,
    Updated(AlertUpdateReason),
    Closed,
}

/// The intent and its reason, or `None`: a person is paged once, so further matches are counted without noise.
pub fn intent_of(change: AlertChange) -> Option<(Intent, NotificationReason)> {
    match change {
        AlertChange::Opened => Some((Intent::Open, NotificationReason::FirstNotification)),
        AlertChange::Closed => Some((Intent::Close, NotificationReason::AlertClosed)),
        AlertChange::Updated(AlertUpdateReason::SeverityRaised) => {
            Some((Intent::Update, NotificationReason::SeverityRaised))
        }
        AlertChange::Updated(AlertUpdateReason::MatchAttached | AlertUpdateReason::Acknowledged) => None,
    }
}
