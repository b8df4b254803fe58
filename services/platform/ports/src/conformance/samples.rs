//! Messages and alerts the suites use.

use super::Fixture;
use crate::{Outgoing, Queue, ReceivedMessage};
use mantissa_contracts::ids::{AlertId, RuleId, RuleVersion, derive};
use mantissa_contracts::messages::{AlertSnapshot, AlertStatus, KeyPart, RuleRef, Severity};
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_contracts::topology::{QueueSpec, Target, find_queue, target_of};
use std::sync::Arc;
use std::time::Duration;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const NO_WAIT: Duration = Duration::ZERO;

pub(super) fn queue_spec(name: &str) -> &'static QueueSpec {
    find_queue(name).unwrap_or_else(|| panic!("the topology has no queue `{name}`"))
}

pub(super) fn query_queue() -> &'static QueueSpec {
    queue_spec("query-worker-query_requested")
}

/// A message of this name with a body that says `text`.
pub(super) fn message(name: &str, text: &str) -> Outgoing {
    Outgoing {
        message_name: name.to_owned(),
        id: derive("sample", &[text]),
        body: format!("{{\"text\":\"{text}\"}}"),
        attributes: [("type".to_owned(), format!("mantissa.{name}.v1"))].into(),
        delay: Duration::ZERO,
    }
}

pub(super) fn messages(n: usize) -> Vec<Outgoing> {
    (0..n).map(|i| message("query_requested", &i.to_string())).collect()
}

/// Receives once, hiding what it gets for a minute.
pub(super) async fn take(queue: &Arc<dyn Queue>, max: usize) -> Vec<ReceivedMessage> {
    queue.receive(max, MINUTE, NO_WAIT).await.unwrap()
}

pub(super) async fn take_one(queue: &Arc<dyn Queue>) -> ReceivedMessage {
    let mut received = take(queue, 1).await;
    received.pop().expect("the queue should have a visible message")
}

/// Receives and acknowledges until nothing is left; the bodies, sorted.
pub(super) async fn drain(queue: &Arc<dyn Queue>) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let received = take(queue, 10).await;
        if received.is_empty() {
            bodies.sort();
            return bodies;
        }
        let receipts: Vec<_> = received.iter().map(|message| message.receipt.clone()).collect();
        queue.ack(&receipts).await.unwrap();
        bodies.extend(received.into_iter().map(|message| message.body));
    }
}

/// What stores published with `rule_matched`, which goes to one queue.
pub(super) async fn published(fixture: &dyn Fixture) -> Vec<String> {
    match target_of("rule_matched") {
        Some(Target::Queue(name)) => drain(&fixture.queue(queue_spec(name))).await,
        other => panic!("rule_matched should go to a queue, not to {other:?}"),
    }
}

/// A message that [`published`] finds, and its body.
pub(super) fn publishable(text: &str) -> (Vec<Outgoing>, Vec<String>) {
    let message = message("rule_matched", text);
    (vec![message.clone()], vec![message.body])
}

/// A message that no queue or topic takes.
pub(super) fn unroutable() -> Vec<Outgoing> {
    vec![message("no_such_message", "lost")]
}

/// `n` minutes after a fixed instant.
pub(super) fn at(n: i64) -> Instant {
    Instant::from_timestamp_millis(1_772_366_400_000 + n * 60_000).expect("a time in range")
}

pub(super) fn window(from: i64, to: i64) -> TimeWindow {
    TimeWindow::new(at(from), at(to))
}

pub(super) fn rule_id(name: &str) -> RuleId {
    RuleId::new(name)
}

/// Revision 1 of an open alert of rule `rule` and key value `value`, opened at minute `opened`.
pub(super) fn alert(rule: &str, value: &str, opened: i64) -> AlertSnapshot {
    AlertSnapshot {
        alert_id: AlertId::derive(&[rule, value, &opened.to_string()]),
        revision: 1,
        rule: RuleRef {
            rule_id: rule_id(rule),
            rule_version: RuleVersion::new("v1"),
            title: "Sample rule".to_owned(),
            severity: Severity::High,
            log_source: "cloudtrail".to_owned(),
            tags: vec!["attack.t1078".to_owned()],
            runbook: None,
            destinations: Vec::new(),
        },
        title: format!("Sample of {value}"),
        severity: Severity::High,
        status: AlertStatus::Open,
        verdict: None,
        alert_key: vec![KeyPart { field: "userIdentity.arn".to_owned(), value: Some(value.to_owned()) }],
        dedup_from: at(opened),
        dedup_to: at(opened + 60),
        first_event_at: at(opened),
        last_event_at: at(opened),
        opened_at: at(opened),
        updated_at: at(opened),
        n_matches: 1,
        n_events: 1,
        evidence: Vec::new(),
    }
}
