//! What a person does to an alert.

use mantissa_contracts::messages::{AlertSnapshot, AlertStatus, Verdict};
use mantissa_contracts::time::Instant;

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriageAction {
    Acknowledge,
    Close { verdict: Verdict },
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq)]
pub enum TriageDecision {
    /// The alert after the change.
    Change(Box<AlertSnapshot>),
    /// It is so already; the reason, in words for the person.
    Nothing { reason: &'static str },
}

pub fn decide(alert: &AlertSnapshot, action: TriageAction, now: Instant) -> TriageDecision {
    let mut changed = alert.clone();
    match (action, alert.status) {
        (TriageAction::Acknowledge, AlertStatus::Acknowledged) => {
            return TriageDecision::Nothing { reason: "the alert is acknowledged already" };
        }
        (TriageAction::Acknowledge, AlertStatus::Closed) => {
            return TriageDecision::Nothing { reason: "the alert is closed" };
        }
        (TriageAction::Acknowledge, AlertStatus::Open) => changed.status = AlertStatus::Acknowledged,
        (TriageAction::Close { verdict }, AlertStatus::Closed) if alert.verdict == Some(verdict) => {
            return TriageDecision::Nothing { reason: "the alert is closed with that verdict already" };
        }
        (TriageAction::Close { verdict }, _) => {
            changed.status = AlertStatus::Closed;
            changed.verdict = Some(verdict);
        }
    }
    changed.revision += 1;
    changed.updated_at = now;
    TriageDecision::Change(Box::new(changed))
}
