//! A person acknowledges or closes an alert.

use crate::Error;
use mantissa_contracts::ids::AlertId;
use mantissa_contracts::messages::{AlertClosed, AlertSnapshot, AlertUpdateReason, AlertUpdated};
use mantissa_contracts::{Envelope, Message};
use mantissa_domain::triage::{self, TriageAction, TriageDecision};
use mantissa_ports::stores::{AlertStore, ChangeCommit, CommitOutcome};
use mantissa_ports::{Clock, Outgoing};

const MAX_TRIES: usize = 20;

#[derive(Debug)]
pub enum TriageOutcome {
    Changed(Box<AlertSnapshot>),
    /// It was so already; why, in words.
    Nothing {
        reason: &'static str,
    },
}

/// The change and its message become durable together. A match that attaches at the same moment does not undo it.
pub async fn triage_alert(
    alerts: &dyn AlertStore,
    clock: &dyn Clock,
    alert_id: &AlertId,
    action: TriageAction,
    actor: &str,
) -> Result<TriageOutcome, Error> {
    for _ in 0..MAX_TRIES {
        let record = alerts.get(alert_id).await?.ok_or_else(|| Error::AlertMissing(alert_id.to_string()))?;
        let alert = match triage::decide(&record.alert, action, clock.now()) {
            TriageDecision::Nothing { reason } => return Ok(TriageOutcome::Nothing { reason }),
            TriageDecision::Change(alert) => alert,
        };
        let message = match action {
            TriageAction::Acknowledge => {
                wrap(clock, AlertUpdated { alert: (*alert).clone(), reason: AlertUpdateReason::Acknowledged })?
            }
            TriageAction::Close { .. } => {
                wrap(clock, AlertClosed { alert: (*alert).clone(), closed_by: actor.to_owned() })?
            }
        };
        let commit = ChangeCommit { alert: (*alert).clone(), outgoing: vec![message] };
        match alerts.commit_change(&commit).await? {
            CommitOutcome::Committed => return Ok(TriageOutcome::Changed(alert)),
            CommitOutcome::Moved | CommitOutcome::MatchesSeen(_) => {}
        }
    }
    Err(Error::Contended(alert_id.to_string()))
}

fn wrap<M: Message>(clock: &dyn Clock, message: M) -> Result<Outgoing, Error> {
    Ok(Outgoing::new(&Envelope::new("api", clock.now(), None, message))?)
}
