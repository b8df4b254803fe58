//! Commits the matches of one (rule, alert key).

use crate::{DedupDeps, Error};
use chrono::TimeDelta;
use mantissa_contracts::messages::{AlertOpened, AlertUpdateReason, AlertUpdated, RuleMatched};
use mantissa_contracts::{Envelope, Message};
use mantissa_domain::dedup::{DedupDecision, DedupReason, decide, reach};
use mantissa_ports::Outgoing;
use mantissa_ports::stores::{CommitOutcome, MatchCommit};
use mantissa_runtime::trace_context;
use std::collections::HashSet;
use tracing::{debug, info};

/// Lost races after which the matches go back to the queue.
const MAX_TRIES: u32 = 20;

/// Commits all matches, which must be of one rule and key. A match that an alert holds already is left out.
pub async fn group_matches(deps: &DedupDeps, key_digest: &str, mut matches: Vec<&RuleMatched>) -> Result<(), Error> {
    matches.sort_by_key(|rule_match| (rule_match.event_time, rule_match.match_id));
    // The same match twice in one receive is a duplicate delivery.
    let mut seen = HashSet::new();
    matches.retain(|rule_match| seen.insert(rule_match.match_id));
    let mut tries = 0;
    while let (Some(first), Some(last)) = (matches.first().copied(), matches.last().copied()) {
        let widest = matches.iter().map(|rule_match| rule_match.dedup_window_s).max().unwrap_or(0);
        let widest = TimeDelta::seconds(i64::try_from(widest.min(366 * 24 * 3600)).unwrap_or(0));
        let span = reach(first.event_time, last.event_time, widest);
        let state = deps.alerts.key_state(&first.rule.rule_id, key_digest, span).await?;
        let Some(decision) = decide(&state.alerts, &matches, deps.clock.now()) else { break };
        let n_taken = decision.n_taken;
        let commit = MatchCommit {
            key_digest: key_digest.to_owned(),
            expected_key_revision: state.key_revision,
            match_ids: matches.iter().take(n_taken).map(|rule_match| rule_match.match_id).collect(),
            alert: decision.alert.clone(),
            outgoing: vec![message_of(deps, &decision)?],
        };
        match deps.alerts.commit_matches(&commit).await? {
            CommitOutcome::Committed => {
                say(&decision);
                matches.drain(..n_taken);
                tries = 0;
            }
            CommitOutcome::MatchesSeen(held) => {
                debug!(rule.id = %first.rule.rule_id, "{} matches were delivered before", held.len());
                let held: HashSet<_> = held.into_iter().collect();
                let before = matches.len();
                matches.retain(|rule_match| !held.contains(&rule_match.match_id));
                if matches.len() == before {
                    // The store named none of ours: going round again would not end.
                    return Err(contended(first, tries));
                }
            }
            CommitOutcome::Moved => {
                tries += 1;
                if tries >= MAX_TRIES {
                    return Err(contended(first, tries));
                }
            }
        }
    }
    Ok(())
}

fn contended(rule_match: &RuleMatched, tries: u32) -> Error {
    Error::Contended { rule: rule_match.rule.rule_id.to_string(), tries }
}

fn message_of(deps: &DedupDeps, decision: &DedupDecision) -> Result<Outgoing, Error> {
    let alert = decision.alert.clone();
    match decision.reason {
        DedupReason::Opened => outgoing(deps, AlertOpened { alert }),
        DedupReason::Attached | DedupReason::AttachedToClosed => {
            let reason = match decision.severity_raised {
                true => AlertUpdateReason::SeverityRaised,
                false => AlertUpdateReason::MatchAttached,
            };
            outgoing(deps, AlertUpdated { alert, reason })
        }
    }
}

fn outgoing<M: Message>(deps: &DedupDeps, message: M) -> Result<Outgoing, Error> {
    Ok(Outgoing::new(&Envelope::new("dedup", deps.clock.now(), trace_context::current(), message))?)
}

fn say(decision: &DedupDecision) {
    let alert = &decision.alert;
    match decision.reason {
        DedupReason::Opened => info!(
            rule.id = %alert.rule.rule_id, alert.id = %alert.alert_id,
            "opened alert `{}` with {} matches", alert.title, decision.n_taken
        ),
        DedupReason::Attached | DedupReason::AttachedToClosed => debug!(
            rule.id = %alert.rule.rule_id, alert.id = %alert.alert_id,
            "attached {} matches to alert `{}` ({:?})", decision.n_taken, alert.title, decision.reason
        ),
    }
}
