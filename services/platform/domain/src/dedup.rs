//! What a match does: open an alert, or attach to one.
//!
//! An alert's dedup window is a fixed span from the event time of the match that opened it. A match attaches to
//! an alert of its key whose window is less than a window's length away on either side, so that events which
//! arrive out of order do not open a second alert for the same burst.

use chrono::TimeDelta;
use mantissa_contracts::ids::AlertId;
use mantissa_contracts::messages::{AlertSnapshot, AlertStatus, Evidence, RuleMatched};
use mantissa_contracts::time::{Instant, TimeWindow, format_instant};

/// Events kept on the alert itself; the lake has the rest.
const MAX_EVIDENCE: usize = 5;
/// Characters of one record kept on the alert: with all of them escaped the message stays within its limit.
const MAX_EVIDENCE_CHARS: usize = 4 * 1024;

/// Why a match did what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DedupReason {
    /// No alert of the key is near: a new one is opened.
    Opened,
    /// Inside the dedup window of an alert that is not closed.
    Attached,
    /// Inside the dedup window of an alert a person closed: counted there, nobody is told again.
    AttachedToClosed,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DedupDecision {
    /// The alert after the change.
    pub alert: AlertSnapshot,
    pub reason: DedupReason,
    /// The severity is higher than it was.
    pub severity_raised: bool,
    /// How many of the matches, from the first, the decision covers. The rest belong to another alert.
    pub n_taken: usize,
}

/// Span of dedup windows that matches between `first` and `last` can touch.
pub fn reach(first: Instant, last: Instant, dedup_window: TimeDelta) -> TimeWindow {
    TimeWindow::new(first - dedup_window, last + dedup_window)
}

/// Decides for the first of `matches` (all of one rule and key, ordered by event time), and takes along those
/// after it that belong to the same alert. `alerts` are those of the key within [`reach`]. `None` without matches.
pub fn decide(alerts: &[AlertSnapshot], matches: &[&RuleMatched], now: Instant) -> Option<DedupDecision> {
    let first = matches.first()?;
    let near = alerts
        .iter()
        .filter(|alert| is_near(alert, first))
        // An open alert before a closed one, then the one whose window starts closest.
        .min_by_key(|alert| {
            let distance = (alert.dedup_from - first.event_time).abs();
            (alert.status == AlertStatus::Closed, distance, alert.alert_id)
        });
    let (mut alert, reason) = match near {
        None => (open(first, now), DedupReason::Opened),
        Some(alert) => {
            let mut alert = alert.clone();
            alert.revision += 1;
            alert.updated_at = now;
            let reason = match alert.status {
                AlertStatus::Closed => DedupReason::AttachedToClosed,
                AlertStatus::Open | AlertStatus::Acknowledged => DedupReason::Attached,
            };
            (alert, reason)
        }
    };
    let severity_before = near.map(|alert| alert.severity);
    let mut n_taken = 0;
    for rule_match in matches {
        // A later match may be nearer to another alert of the key; it is decided on its own.
        let nearer_to_another = alerts.iter().any(|other| {
            other.alert_id != alert.alert_id
                && is_near(other, rule_match)
                && (other.dedup_from - rule_match.event_time).abs() < (alert.dedup_from - rule_match.event_time).abs()
        });
        if n_taken > 0 && (!is_near(&alert, rule_match) || nearer_to_another) {
            break;
        }
        attach(&mut alert, rule_match);
        n_taken += 1;
    }
    let severity_raised = severity_before.is_some_and(|before| alert.severity > before);
    Some(DedupDecision { alert, reason, severity_raised, n_taken })
}

fn is_near(alert: &AlertSnapshot, rule_match: &RuleMatched) -> bool {
    let dedup_window = alert.dedup_to - alert.dedup_from;
    rule_match.event_time < alert.dedup_to && rule_match.event_time > alert.dedup_from - dedup_window
}

fn open(first: &RuleMatched, now: Instant) -> AlertSnapshot {
    let dedup_from = first.event_time;
    AlertSnapshot {
        alert_id: alert_id(first, dedup_from),
        revision: 1,
        rule: first.rule.clone(),
        title: first.title.clone(),
        severity: first.rule.severity,
        status: AlertStatus::Open,
        verdict: None,
        alert_key: first.alert_key.clone(),
        dedup_from,
        dedup_to: dedup_from + window_of(first),
        first_event_at: first.event_time,
        last_event_at: first.event_time,
        opened_at: now,
        updated_at: now,
        n_matches: 0,
        n_events: 0,
        evidence: Vec::new(),
    }
}

/// H(rule, alert key, start of the dedup window in event time).
fn alert_id(rule_match: &RuleMatched, dedup_from: Instant) -> AlertId {
    AlertId::derive(&[
        rule_match.rule.rule_id.as_str(),
        &crate::alert_key::digest(&rule_match.alert_key),
        &format_instant(dedup_from),
    ])
}

fn window_of(rule_match: &RuleMatched) -> TimeDelta {
    // A window of nothing would let no second match in, and no instant be inside it.
    let seconds = rule_match.dedup_window_s.clamp(1, 366 * 24 * 3600);
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1000))
}

fn attach(alert: &mut AlertSnapshot, rule_match: &RuleMatched) {
    alert.n_matches += 1;
    alert.n_events = match rule_match.n_events {
        0 | 1 => alert.n_events + 1,
        // A threshold's matches overlap: their counts are of the same events.
        count => alert.n_events.max(count),
    };
    alert.first_event_at = alert.first_event_at.min(rule_match.event_time);
    alert.last_event_at = alert.last_event_at.max(rule_match.event_time);
    alert.severity = alert.severity.max(rule_match.rule.severity);
    let room = MAX_EVIDENCE.saturating_sub(alert.evidence.len());
    let held: Vec<&str> = alert.evidence.iter().map(|evidence| evidence.event_id.as_str()).collect();
    let new: Vec<Evidence> = rule_match
        .evidence
        .iter()
        .filter(|evidence| !held.contains(&evidence.event_id.as_str()))
        .take(room)
        .map(shorten)
        .collect();
    alert.evidence.extend(new);
}

fn shorten(evidence: &Evidence) -> Evidence {
    let mut evidence = evidence.clone();
    if let Some((cut, _)) = evidence.raw.char_indices().nth(MAX_EVIDENCE_CHARS) {
        evidence.raw.truncate(cut);
        evidence.truncated = true;
    }
    evidence
}

#[cfg(test)]
mod tests;
