use super::*;
use chrono::DateTime;
use mantissa_contracts::ids::{MatchId, RuleId, RuleVersion};
use mantissa_contracts::messages::{RuleRef, Severity};

fn at(minutes: i64) -> Instant {
    DateTime::from_timestamp(1_700_000_000 + minutes * 60, 0).unwrap()
}

fn match_at(minutes: i64) -> RuleMatched {
    RuleMatched {
        match_id: MatchId::derive(&[&minutes.to_string()]),
        rule: RuleRef {
            rule_id: RuleId::new("r"),
            rule_version: RuleVersion::new("1"),
            title: "rule".to_owned(),
            severity: Severity::Medium,
            log_source: "cloudtrail".to_owned(),
            tags: vec![],
            runbook: None,
            destinations: vec![],
        },
        title: "rule".to_owned(),
        query_run_id: None,
        window: None,
        alert_key: vec![],
        event_time: at(minutes),
        n_events: 1,
        dedup_window_s: 3600,
        evidence: vec![],
    }
}

fn open_alert(minutes: i64) -> AlertSnapshot {
    decide(&[], &[&match_at(minutes)], at(minutes)).unwrap().alert
}

#[test]
fn first_match_opens_an_alert_with_a_window_from_its_event_time() {
    let decision = decide(&[], &[&match_at(0)], at(500)).unwrap();
    assert_eq!(decision.reason, DedupReason::Opened);
    assert_eq!((decision.alert.dedup_from, decision.alert.dedup_to), (at(0), at(60)));
    assert_eq!((decision.alert.opened_at, decision.alert.revision, decision.alert.n_matches), (at(500), 1, 1));
}

#[test]
fn second_match_within_window_attaches_to_open_alert() {
    let alert = open_alert(0);
    let decision = decide(std::slice::from_ref(&alert), &[&match_at(59)], at(59)).unwrap();
    assert_eq!(decision.reason, DedupReason::Attached);
    assert_eq!((decision.alert.alert_id, decision.alert.revision), (alert.alert_id, 2));
    assert_eq!((decision.alert.n_matches, decision.alert.last_event_at), (2, at(59)));
}

#[test]
fn match_at_the_window_end_opens_a_new_alert() {
    let alert = open_alert(0);
    let decision = decide(std::slice::from_ref(&alert), &[&match_at(60)], at(60)).unwrap();
    assert_eq!(decision.reason, DedupReason::Opened);
    assert_ne!(decision.alert.alert_id, alert.alert_id);
}

#[test]
fn late_match_from_before_the_window_attaches_and_moves_the_first_event() {
    let decision = decide(&[open_alert(30)], &[&match_at(0)], at(90)).unwrap();
    assert_eq!(decision.reason, DedupReason::Attached);
    assert_eq!((decision.alert.first_event_at, decision.alert.dedup_from), (at(0), at(30)));
}

#[test]
fn match_in_the_window_of_a_closed_alert_is_counted_there() {
    let mut alert = open_alert(0);
    alert.status = AlertStatus::Closed;
    let decision = decide(&[alert], &[&match_at(1)], at(1)).unwrap();
    assert_eq!(decision.reason, DedupReason::AttachedToClosed);
    assert_eq!(decision.alert.status, AlertStatus::Closed);
}

#[test]
fn batch_takes_only_matches_of_the_same_alert() {
    let (a, b, c) = (match_at(0), match_at(10), match_at(70));
    let decision = decide(&[], &[&a, &b, &c], at(80)).unwrap();
    assert_eq!((decision.n_taken, decision.alert.n_matches), (2, 2));
}

#[test]
fn alert_id_depends_on_what_happened_not_on_when_it_was_handled() {
    let first = decide(&[], &[&match_at(0)], at(1)).unwrap().alert.alert_id;
    let again = decide(&[], &[&match_at(0)], at(999)).unwrap().alert.alert_id;
    assert_eq!(first, again);
}

#[test]
fn threshold_counts_are_not_added_up() {
    let mut many = match_at(1);
    many.n_events = 40;
    let mut more = match_at(2);
    more.n_events = 41;
    let decision = decide(&[], &[&many, &more], at(3)).unwrap();
    assert_eq!((decision.alert.n_events, decision.alert.n_matches), (41, 2));
}

#[test]
fn higher_severity_is_kept_and_said() {
    let mut severe = match_at(1);
    severe.rule.severity = Severity::Critical;
    let decision = decide(&[open_alert(0)], &[&severe], at(1)).unwrap();
    assert!(decision.severity_raised);
    assert_eq!(decision.alert.severity, Severity::Critical);
}

#[test]
fn long_evidence_is_cut_at_a_character_and_marked() {
    let mut rule_match = match_at(0);
    rule_match.evidence =
        vec![Evidence { event_id: "e".into(), event_time: at(0), raw: "é".repeat(20_000), truncated: false }];
    let alert = decide(&[], &[&rule_match], at(0)).unwrap().alert;
    assert!(alert.evidence[0].truncated);
    assert_eq!(alert.evidence[0].raw.chars().count(), MAX_EVIDENCE_CHARS);
}
