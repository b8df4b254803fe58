//! The contract of the AlertStore port.

use super::Fixture;
use super::fixture::skip_durability;
use super::samples::{alert, at, publishable, published, rule_id, unroutable, window};
use crate::stores::{AlertFilter, ChangeCommit, CommitOutcome, KeyState, MAX_COMMIT_MATCHES, MatchCommit};
use mantissa_contracts::ids::MatchId;
use mantissa_contracts::messages::{AlertContext, AlertSnapshot, AlertStatus, KeyPart, MAX_KEY_PARTS, Severity};

#[macro_export]
macro_rules! alert_store_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { alert_store, [$($how)*],
            unknown_key_has_revision_zero_and_no_alerts
            committed_matches_store_alert_revision_and_messages_together
            commit_with_another_key_revision_is_moved_and_changes_nothing
            commit_with_another_alert_revision_is_moved
            held_match_is_seen_and_changes_nothing
            match_held_by_one_rule_is_free_for_another
            commit_takes_as_many_matches_as_it_may
            racing_commits_on_a_key_open_one_alert
            commit_whose_message_cannot_be_published_changes_nothing
            key_state_has_the_alerts_whose_dedup_window_overlaps
            change_replaces_exactly_the_revision_before
            racing_changes_succeed_once
            context_is_replaced_and_leaves_the_revision_alone
            context_stays_when_the_alert_changes
            context_of_an_unknown_alert_publishes_nothing
            list_is_newest_opened_first_and_pages
            list_filters
            related_alerts_share_a_key_value_in_the_span
            alerts_survive_a_restart
        }
    };
}

fn match_ids(texts: &[&str]) -> Vec<MatchId> {
    texts.iter().map(|text| MatchId::derive(&[text])).collect()
}

fn commit(alert: AlertSnapshot, key_revision: u64, matches: &[&str]) -> MatchCommit {
    MatchCommit {
        key_digest: digest(&alert),
        expected_key_revision: key_revision,
        match_ids: match_ids(matches),
        outgoing: publishable(&format!("{}-{}", alert.alert_id, alert.revision)).0,
        alert,
    }
}

fn digest(alert: &AlertSnapshot) -> String {
    alert.alert_key.iter().map(|part| part.value.as_deref().unwrap_or("-")).collect()
}

fn next(alert: &AlertSnapshot) -> AlertSnapshot {
    AlertSnapshot { revision: alert.revision + 1, n_matches: alert.n_matches + 1, ..alert.clone() }
}

async fn matches(fixture: &dyn Fixture, commit: &MatchCommit) -> CommitOutcome {
    fixture.alerts().commit_matches(commit).await.unwrap()
}

async fn change(fixture: &dyn Fixture, alert: AlertSnapshot) -> CommitOutcome {
    let outgoing = publishable(&format!("change {}", alert.revision)).0;
    fixture.alerts().commit_change(&ChangeCommit { alert, outgoing }).await.unwrap()
}

async fn get(fixture: &dyn Fixture, alert: &AlertSnapshot) -> Option<AlertSnapshot> {
    fixture.alerts().get(&alert.alert_id).await.unwrap().map(|record| record.alert)
}

/// Opens an alert on a key that has none.
async fn open(fixture: &dyn Fixture, alert: &AlertSnapshot) {
    let outcome = matches(fixture, &commit(alert.clone(), 0, &[&alert.alert_id.to_string()])).await;
    assert_eq!(outcome, CommitOutcome::Committed);
}

async fn key_state(fixture: &dyn Fixture, alert: &AlertSnapshot, from: i64, to: i64) -> KeyState {
    fixture.alerts().key_state(&alert.rule.rule_id, &digest(alert), window(from, to)).await.unwrap()
}

pub async fn unknown_key_has_revision_zero_and_no_alerts(fixture: &dyn Fixture) {
    assert_eq!(key_state(fixture, &alert("r", "a", 0), -100, 100).await, KeyState::default());
}

pub async fn committed_matches_store_alert_revision_and_messages_together(fixture: &dyn Fixture) {
    let first = alert("r", "a", 0);
    assert_eq!(matches(fixture, &commit(first.clone(), 0, &["m1", "m2"])).await, CommitOutcome::Committed);
    assert_eq!(get(fixture, &first).await, Some(first.clone()));
    let state = KeyState { key_revision: 1, alerts: vec![first.clone()] };
    assert_eq!(key_state(fixture, &first, -100, 100).await, state);
    let second = next(&first);
    assert_eq!(matches(fixture, &commit(second.clone(), 1, &["m3"])).await, CommitOutcome::Committed);
    let state = KeyState { key_revision: 2, alerts: vec![second.clone()] };
    assert_eq!(key_state(fixture, &first, -100, 100).await, state);
    let mut bodies = [commit(first, 0, &[]).outgoing, commit(second, 1, &[]).outgoing].concat();
    bodies.sort_by(|a, b| a.body.cmp(&b.body));
    assert_eq!(published(fixture).await, bodies.into_iter().map(|message| message.body).collect::<Vec<_>>());
}

pub async fn commit_with_another_key_revision_is_moved_and_changes_nothing(fixture: &dyn Fixture) {
    let first = alert("r", "a", 0);
    assert_eq!(matches(fixture, &commit(first.clone(), 1, &["m1"])).await, CommitOutcome::Moved);
    assert_eq!(get(fixture, &first).await, None);
    assert!(published(fixture).await.is_empty());
    open(fixture, &first).await;
    published(fixture).await;
    for key_revision in [0, 2] {
        assert_eq!(matches(fixture, &commit(next(&first), key_revision, &["m1"])).await, CommitOutcome::Moved);
    }
    assert_eq!(get(fixture, &first).await, Some(first.clone()));
    assert!(published(fixture).await.is_empty());
    // The match is not held: the same commit goes through once the revision is right.
    assert_eq!(matches(fixture, &commit(next(&first), 1, &["m1"])).await, CommitOutcome::Committed);
}

pub async fn commit_with_another_alert_revision_is_moved(fixture: &dyn Fixture) {
    let first = alert("r", "a", 0);
    let skipping = AlertSnapshot { revision: 2, ..first.clone() };
    assert_eq!(matches(fixture, &commit(skipping, 0, &["m1"])).await, CommitOutcome::Moved);
    open(fixture, &first).await;
    for revision in [1, 3] {
        let wrong = AlertSnapshot { revision, ..first.clone() };
        assert_eq!(matches(fixture, &commit(wrong, 1, &["m1"])).await, CommitOutcome::Moved);
    }
    // A person changed the alert after the key was read.
    assert_eq!(change(fixture, next(&first)).await, CommitOutcome::Committed);
    assert_eq!(matches(fixture, &commit(next(&first), 1, &["m1"])).await, CommitOutcome::Moved);
}

pub async fn held_match_is_seen_and_changes_nothing(fixture: &dyn Fixture) {
    let first = alert("r", "a", 0);
    matches(fixture, &commit(first.clone(), 0, &["m1", "m2"])).await;
    published(fixture).await;
    let again = commit(next(&first), 1, &["m3", "m2"]);
    assert_eq!(matches(fixture, &again).await, CommitOutcome::MatchesSeen(match_ids(&["m2"])));
    // Also when the key has moved on: that the match is held stays true.
    let stale = commit(first.clone(), 0, &["m1", "m2"]);
    assert_eq!(matches(fixture, &stale).await, CommitOutcome::MatchesSeen(match_ids(&["m1", "m2"])));
    assert_eq!(get(fixture, &first).await, Some(first.clone()));
    assert_eq!(key_state(fixture, &first, 0, 1).await.key_revision, 1);
    assert!(published(fixture).await.is_empty());
}

pub async fn match_held_by_one_rule_is_free_for_another(fixture: &dyn Fixture) {
    assert_eq!(matches(fixture, &commit(alert("r", "a", 0), 0, &["m1"])).await, CommitOutcome::Committed);
    assert_eq!(matches(fixture, &commit(alert("s", "a", 0), 0, &["m1"])).await, CommitOutcome::Committed);
}

pub async fn commit_takes_as_many_matches_as_it_may(fixture: &dyn Fixture) {
    // Values as long as the result poller lets them be, of four bytes each.
    let value = |i: usize| format!("{i}{}", "\u{1F600}".repeat(1024));
    let part = |i: usize| KeyPart { field: format!("field{i}"), value: Some(value(i)) };
    let first = AlertSnapshot { alert_key: (0..MAX_KEY_PARTS).map(part).collect(), ..alert("r", "a", 0) };
    let texts: Vec<String> = (0..MAX_COMMIT_MATCHES).map(|i| i.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let opening = MatchCommit { key_digest: "digest".to_owned(), ..commit(first.clone(), 0, &texts) };
    assert_eq!(matches(fixture, &opening).await, CommitOutcome::Committed);
    // An event that came late moves the opening, and every part of the key with it.
    let texts: Vec<String> = (0..MAX_COMMIT_MATCHES).map(|i| format!("more {i}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let moved = AlertSnapshot { opened_at: at(-1), ..next(&first) };
    let moving = MatchCommit { key_digest: "digest".to_owned(), ..commit(moved.clone(), 1, &texts) };
    assert_eq!(matches(fixture, &moving).await, CommitOutcome::Committed);
    let nobody = alert("r", "nobody", 0).alert_id;
    let related = fixture.alerts().related(&[value(9)], window(-1, 0), &nobody, 10).await.unwrap();
    assert_eq!(related, (vec![moved.clone()], 1));
    let again = commit(next(&moved), 2, &["new", "more 69"]);
    let again = MatchCommit { key_digest: "digest".to_owned(), ..again };
    assert_eq!(matches(fixture, &again).await, CommitOutcome::MatchesSeen(match_ids(&["more 69"])));
}

pub async fn racing_commits_on_a_key_open_one_alert(fixture: &dyn Fixture) {
    let commits = (0..8).map(|i| {
        let alerts = fixture.alerts();
        let matched = format!("m{i}");
        // Different first matches give different alerts, each of which would be open.
        let mut commit = commit(alert("r", "a", i), 0, &[&matched]);
        commit.key_digest = "a".to_owned();
        tokio::spawn(async move { alerts.commit_matches(&commit).await.unwrap() })
    });
    let outcomes: Vec<_> = futures::future::join_all(commits).await.into_iter().map(|o| o.unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == CommitOutcome::Committed).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == CommitOutcome::Moved).count(), 7);
    assert_eq!(fixture.alerts().list(&AlertFilter::default(), 10, None).await.unwrap().len(), 1);
    assert_eq!(published(fixture).await.len(), 1);
}

pub async fn commit_whose_message_cannot_be_published_changes_nothing(fixture: &dyn Fixture) {
    let first = alert("r", "a", 0);
    let mut bad = commit(first.clone(), 0, &["m1"]);
    bad.outgoing.extend(unroutable());
    fixture.alerts().commit_matches(&bad).await.expect_err("a message without a target");
    assert_eq!(get(fixture, &first).await, None);
    assert!(published(fixture).await.is_empty());
    assert_eq!(matches(fixture, &commit(first, 0, &["m1"])).await, CommitOutcome::Committed);
}

pub async fn key_state_has_the_alerts_whose_dedup_window_overlaps(fixture: &dyn Fixture) {
    let (first, second) = (alert("r", "a", 0), alert("r", "a", 60));
    open(fixture, &first).await;
    assert_eq!(matches(fixture, &commit(second.clone(), 1, &["m2"])).await, CommitOutcome::Committed);
    open(fixture, &alert("r", "b", 0)).await;
    open(fixture, &alert("s", "a", 0)).await;
    // Dedup windows are [0, 60) and [60, 120).
    assert_eq!(key_state(fixture, &first, 59, 61).await.alerts, [first.clone(), second.clone()]);
    assert_eq!(key_state(fixture, &first, 60, 61).await.alerts, [second]);
    assert_eq!(key_state(fixture, &first, -5, 60).await.alerts, std::slice::from_ref(&first));
    assert_eq!(key_state(fixture, &first, 120, 130).await, KeyState { key_revision: 2, alerts: vec![] });
}

pub async fn change_replaces_exactly_the_revision_before(fixture: &dyn Fixture) {
    let first = alert("r", "a", 0);
    assert_eq!(change(fixture, first.clone()).await, CommitOutcome::Moved);
    open(fixture, &first).await;
    published(fixture).await;
    let closed = AlertSnapshot { status: AlertStatus::Closed, ..next(&first) };
    assert_eq!(change(fixture, closed.clone()).await, CommitOutcome::Committed);
    assert_eq!(get(fixture, &first).await, Some(closed.clone()));
    assert_eq!(published(fixture).await.len(), 1);
    assert_eq!(change(fixture, closed.clone()).await, CommitOutcome::Moved);
    assert_eq!(change(fixture, next(&next(&closed))).await, CommitOutcome::Moved);
    assert!(published(fixture).await.is_empty());
    assert_eq!(get(fixture, &first).await, Some(closed));
}

pub async fn racing_changes_succeed_once(fixture: &dyn Fixture) {
    let first = alert("r", "a", 0);
    open(fixture, &first).await;
    published(fixture).await;
    let changes = (0..8).map(|i| {
        let (alerts, outgoing) = (fixture.alerts(), publishable(&i.to_string()).0);
        let commit = ChangeCommit { alert: next(&first), outgoing };
        tokio::spawn(async move { alerts.commit_change(&commit).await.unwrap() })
    });
    let outcomes = futures::future::join_all(changes).await;
    assert_eq!(outcomes.into_iter().filter(|o| *o.as_ref().unwrap() == CommitOutcome::Committed).count(), 1);
    assert_eq!(published(fixture).await.len(), 1);
}

pub async fn context_is_replaced_and_leaves_the_revision_alone(fixture: &dyn Fixture) {
    let first = alert("r", "a", 0);
    open(fixture, &first).await;
    published(fixture).await;
    for n_related_24h in [1, 2] {
        let context = AlertContext { n_related_24h, ..AlertContext::default() };
        let (outgoing, bodies) = publishable(&format!("context {n_related_24h}"));
        assert!(fixture.alerts().set_context(&first.alert_id, &context, &outgoing).await.unwrap());
        let record = fixture.alerts().get(&first.alert_id).await.unwrap().expect("the alert is stored");
        assert_eq!((record.alert, record.context), (first.clone(), Some(context)));
        assert_eq!(published(fixture).await, bodies);
    }
}

pub async fn context_stays_when_the_alert_changes(fixture: &dyn Fixture) {
    let first = alert("r", "a", 0);
    open(fixture, &first).await;
    let context = AlertContext { n_related_24h: 7, ..AlertContext::default() };
    fixture.alerts().set_context(&first.alert_id, &context, &[]).await.unwrap();
    assert_eq!(change(fixture, next(&first)).await, CommitOutcome::Committed);
    let third = next(&next(&first));
    assert_eq!(matches(fixture, &commit(third, 1, &["m9"])).await, CommitOutcome::Committed);
    let record = fixture.alerts().get(&first.alert_id).await.unwrap().expect("the alert is stored");
    assert_eq!(record.context, Some(context));
}

pub async fn context_of_an_unknown_alert_publishes_nothing(fixture: &dyn Fixture) {
    let nobody = alert("r", "nobody", 0).alert_id;
    let (outgoing, _) = publishable("lost");
    assert!(!fixture.alerts().set_context(&nobody, &AlertContext::default(), &outgoing).await.unwrap());
    assert!(published(fixture).await.is_empty());
}

pub async fn list_is_newest_opened_first_and_pages(fixture: &dyn Fixture) {
    let mut expected = Vec::new();
    for (value, opened) in [("a", 5), ("b", 9), ("c", 9), ("d", 9), ("e", 1)] {
        let alert = alert("r", value, opened);
        open(fixture, &alert).await;
        expected.push(alert);
    }
    expected.sort_by_key(|alert| (std::cmp::Reverse(alert.opened_at), alert.alert_id));
    let mut listed: Vec<AlertSnapshot> = Vec::new();
    loop {
        let after = listed.last().map(|alert| (alert.opened_at, alert.alert_id));
        let page = fixture.alerts().list(&AlertFilter::default(), 2, after).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        listed.extend(page);
    }
    assert_eq!(listed, expected);
}

pub async fn list_filters(fixture: &dyn Fixture) {
    let low = AlertSnapshot { severity: Severity::Low, ..alert("r", "low", 1) };
    let critical = AlertSnapshot { severity: Severity::Critical, ..alert("s", "critical", 2) };
    let closed = AlertSnapshot { status: AlertStatus::Closed, ..alert("r", "closed", 3) };
    for alert in [&low, &critical, &closed] {
        open(fixture, alert).await;
    }
    let all = AlertFilter::default();
    let cases = [
        (AlertFilter { status: Some(AlertStatus::Open), ..all.clone() }, vec![&critical, &low]),
        (AlertFilter { min_severity: Some(Severity::High), ..all.clone() }, vec![&closed, &critical]),
        (AlertFilter { rule_id: Some(rule_id("r")), ..all.clone() }, vec![&closed, &low]),
        (AlertFilter { opened: Some(window(1, 3)), ..all.clone() }, vec![&critical, &low]),
        (AlertFilter { rule_id: Some(rule_id("r")), status: Some(AlertStatus::Open), ..all.clone() }, vec![&low]),
        (all, vec![&closed, &critical, &low]),
    ];
    for (filter, expected) in cases {
        let listed = fixture.alerts().list(&filter, 10, None).await.unwrap();
        assert_eq!(listed.iter().collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

pub async fn related_alerts_share_a_key_value_in_the_span(fixture: &dyn Fixture) {
    let mut both = alert("r", "10.0.0.1", 4);
    both.alert_key.push(KeyPart { field: "user".to_owned(), value: Some("eve".to_owned()) });
    both.alert_key.push(KeyPart { field: "host".to_owned(), value: None });
    let (same, other) = (alert("s", "10.0.0.1", 2), alert("r", "10.0.0.2", 3));
    let (early, late) = (alert("t", "eve", 1), alert("u", "eve", 9));
    for alert in [&both, &same, &other, &early, &late] {
        open(fixture, alert).await;
    }
    let values = ["10.0.0.1".to_owned(), "eve".to_owned()];
    let related = |except: AlertSnapshot, limit| {
        let (alerts, values) = (fixture.alerts(), values.clone());
        async move { alerts.related(&values, window(1, 9), &except.alert_id, limit).await.unwrap() }
    };
    assert_eq!(related(other.clone(), 10).await, (vec![both.clone(), same.clone(), early.clone()], 3));
    assert_eq!(related(both.clone(), 10).await, (vec![same.clone(), early], 2));
    assert_eq!(related(other, 2).await, (vec![both, same], 3));
    let none = fixture.alerts().related(&[], window(1, 9), &late.alert_id, 10).await.unwrap();
    assert_eq!(none, (vec![], 0));
}

pub async fn alerts_survive_a_restart(fixture: &dyn Fixture) {
    let first = alert("r", "a", 0);
    open(fixture, &first).await;
    let Some(reopened) = fixture.reopen().await else { return skip_durability() };
    let fixture = reopened.as_ref();
    assert_eq!(get(fixture, &first).await, Some(first.clone()));
    assert_eq!(key_state(fixture, &first, 0, 1).await.key_revision, 1);
    let again = commit(next(&first), 1, &[&first.alert_id.to_string()]);
    assert!(matches!(matches(fixture, &again).await, CommitOutcome::MatchesSeen(_)));
    assert_eq!(published(fixture).await.len(), 1);
    assert!(fixture.alerts().list(&AlertFilter::default(), 1, Some((at(0), first.alert_id))).await.unwrap().is_empty());
}
