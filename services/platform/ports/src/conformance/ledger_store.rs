//! The contract of the LedgerStore port.

use super::Fixture;
use super::fixture::skip_durability;
use super::samples::{at, publishable, published, rule_id, unroutable, window};
use crate::stores::{LedgerRow, PlanOutcome, PlannedWindow, RuleActivation, RuleSchedule, WindowState};
use mantissa_contracts::ids::RuleVersion;
use mantissa_contracts::messages::FailureKind;

#[macro_export]
macro_rules! ledger_store_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { ledger_store, [$($how)*],
            first_activation_starts_the_schedule
            later_activation_goes_on_where_it_was_planned_to
            deactivated_rule_keeps_its_rows
            schedules_are_sorted_by_rule
            plan_adds_the_row_and_its_messages
            plan_elsewhere_than_where_planned_to_changes_nothing
            plan_of_an_unknown_rule_or_an_empty_window_is_a_permanent_error
            racing_plans_of_a_window_succeed_once
            plan_whose_message_cannot_be_published_changes_nothing
            finish_sets_the_state_and_publishes
            finish_of_another_attempt_or_a_judged_row_does_nothing
            failed_row_can_be_finished_again_by_its_attempt
            retry_puts_a_failed_row_back_with_the_next_attempt
            retry_of_what_has_not_failed_does_nothing
            windows_that_overlap_the_span_come_oldest_first
            unjudged_rows_come_oldest_update_first
            unjudged_rows_are_counted_by_what_they_wait_for
            rows_that_failed_for_good_come_after_those_that_wait
            ledger_survives_a_restart
        }
    };
}

fn activation(rule: &str) -> RuleActivation {
    RuleActivation {
        rule_id: rule_id(rule),
        rule_version: RuleVersion::new("v1"),
        table: "t".to_owned(),
        every_s: 300,
        from: at(0),
    }
}

fn planned(rule: &str, from: i64, to: i64) -> PlannedWindow {
    PlannedWindow {
        rule_id: rule_id(rule),
        rule_version: RuleVersion::new("v1"),
        window: window(from, to),
        state: WindowState::Planned,
        planned_at: at(to),
    }
}

fn judged() -> WindowState {
    WindowState::Judged { n_rows: 4, n_matches: 2, scanned_bytes: 1 << 40, duration_ms: 12 }
}

fn failed() -> WindowState {
    WindowState::Failed { kind: FailureKind::Transient, reason: "the engine was \"busy\"".to_owned() }
}

async fn plan(fixture: &dyn Fixture, planned: &PlannedWindow) -> PlanOutcome {
    fixture.ledger().plan(planned, &[]).await.unwrap()
}

async fn rows(fixture: &dyn Fixture, rule: &str) -> Vec<LedgerRow> {
    fixture.ledger().windows(&rule_id(rule), window(-1_000, 1_000), 100).await.unwrap()
}

/// Rule `r`, planned from 0 to 5.
async fn with_one_window(fixture: &dyn Fixture) {
    fixture.ledger().activate(&activation("r")).await.unwrap();
    assert_eq!(plan(fixture, &planned("r", 0, 5)).await, PlanOutcome::Planned);
}

async fn finish(fixture: &dyn Fixture, attempt: u32, state: &WindowState, text: &str) -> bool {
    let (outgoing, _) = publishable(text);
    fixture.ledger().finish(&rule_id("r"), at(0), attempt, state, at(7), &outgoing).await.unwrap()
}

async fn retry(fixture: &dyn Fixture, attempt: u32, text: &str) -> bool {
    let (outgoing, _) = publishable(text);
    fixture.ledger().retry(&rule_id("r"), at(0), attempt, at(8), &outgoing).await.unwrap()
}

pub async fn first_activation_starts_the_schedule(fixture: &dyn Fixture) {
    let schedule = fixture.ledger().activate(&activation("r")).await.unwrap();
    let expected = RuleSchedule {
        rule_id: rule_id("r"),
        rule_version: RuleVersion::new("v1"),
        table: "t".to_owned(),
        every_s: 300,
        active_from: at(0),
        planned_to: at(0),
        enabled: true,
    };
    assert_eq!(schedule, expected);
    assert_eq!(fixture.ledger().schedules().await.unwrap(), [expected]);
}

pub async fn later_activation_goes_on_where_it_was_planned_to(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    fixture.ledger().deactivate(&rule_id("r")).await.unwrap();
    let newer = RuleActivation {
        rule_version: RuleVersion::new("v2"),
        table: "u".to_owned(),
        every_s: 60,
        from: at(90),
        ..activation("r")
    };
    let schedule = fixture.ledger().activate(&newer).await.unwrap();
    assert_eq!((schedule.active_from, schedule.planned_to, schedule.enabled), (at(0), at(5), true));
    assert_eq!((schedule.rule_version.as_str(), schedule.table.as_str(), schedule.every_s), ("v2", "u", 60));
    assert_eq!(plan(fixture, &planned("r", 90, 95)).await, PlanOutcome::Moved { planned_to: at(5) });
}

pub async fn deactivated_rule_keeps_its_rows(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    assert!(fixture.ledger().deactivate(&rule_id("r")).await.unwrap());
    assert!(!fixture.ledger().schedules().await.unwrap()[0].enabled);
    assert_eq!(rows(fixture, "r").await.len(), 1);
    assert!(!fixture.ledger().deactivate(&rule_id("nobody")).await.unwrap());
}

pub async fn schedules_are_sorted_by_rule(fixture: &dyn Fixture) {
    for rule in ["b", "c", "a"] {
        fixture.ledger().activate(&activation(rule)).await.unwrap();
    }
    let schedules = fixture.ledger().schedules().await.unwrap();
    let ids: Vec<_> = schedules.iter().map(|schedule| schedule.rule_id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
}

pub async fn plan_adds_the_row_and_its_messages(fixture: &dyn Fixture) {
    fixture.ledger().activate(&activation("r")).await.unwrap();
    let (outgoing, bodies) = publishable("planned");
    assert_eq!(fixture.ledger().plan(&planned("r", 0, 5), &outgoing).await.unwrap(), PlanOutcome::Planned);
    let empty = PlannedWindow { state: WindowState::EMPTY, ..planned("r", 5, 9) };
    assert_eq!(plan(fixture, &empty).await, PlanOutcome::Planned);
    assert_eq!(published(fixture).await, bodies);
    let expected = LedgerRow {
        rule_id: rule_id("r"),
        rule_version: RuleVersion::new("v1"),
        window: window(0, 5),
        attempt: 1,
        state: WindowState::Planned,
        updated_at: at(5),
    };
    let second = LedgerRow { window: window(5, 9), state: WindowState::EMPTY, updated_at: at(9), ..expected.clone() };
    assert_eq!(rows(fixture, "r").await, [expected, second]);
    assert_eq!(fixture.ledger().schedules().await.unwrap()[0].planned_to, at(9));
}

pub async fn plan_elsewhere_than_where_planned_to_changes_nothing(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    let (outgoing, _) = publishable("not published");
    for (from, to) in [(0, 5), (6, 10), (4, 10)] {
        let outcome = fixture.ledger().plan(&planned("r", from, to), &outgoing).await.unwrap();
        assert_eq!(outcome, PlanOutcome::Moved { planned_to: at(5) });
    }
    assert_eq!(rows(fixture, "r").await.len(), 1);
    assert!(published(fixture).await.is_empty());
}

pub async fn plan_of_an_unknown_rule_or_an_empty_window_is_a_permanent_error(fixture: &dyn Fixture) {
    let unknown = fixture.ledger().plan(&planned("nobody", 0, 5), &[]).await.expect_err("an unknown rule");
    assert!(!unknown.is_transient());
    fixture.ledger().activate(&activation("r")).await.unwrap();
    let empty = fixture.ledger().plan(&planned("r", 0, 0), &[]).await.expect_err("an empty window");
    assert!(!empty.is_transient());
}

pub async fn racing_plans_of_a_window_succeed_once(fixture: &dyn Fixture) {
    fixture.ledger().activate(&activation("r")).await.unwrap();
    let plans = (0..8).map(|i| {
        let ledger = fixture.ledger();
        let (outgoing, _) = publishable(&i.to_string());
        tokio::spawn(async move { ledger.plan(&planned("r", 0, 5 + i), &outgoing).await.unwrap() })
    });
    let outcomes = futures::future::join_all(plans).await;
    let n_planned = outcomes.iter().filter(|outcome| *outcome.as_ref().unwrap() == PlanOutcome::Planned).count();
    assert_eq!((n_planned, rows(fixture, "r").await.len(), published(fixture).await.len()), (1, 1, 1));
}

pub async fn plan_whose_message_cannot_be_published_changes_nothing(fixture: &dyn Fixture) {
    fixture.ledger().activate(&activation("r")).await.unwrap();
    let (mut outgoing, _) = publishable("with a bad one");
    outgoing.extend(unroutable());
    fixture.ledger().plan(&planned("r", 0, 5), &outgoing).await.expect_err("a message without a target");
    assert!(rows(fixture, "r").await.is_empty());
    assert_eq!(fixture.ledger().schedules().await.unwrap()[0].planned_to, at(0));
    assert!(published(fixture).await.is_empty());
}

pub async fn finish_sets_the_state_and_publishes(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    assert!(finish(fixture, 1, &judged(), "done").await);
    let row = rows(fixture, "r").await.remove(0);
    assert_eq!((row.state, row.updated_at), (judged(), at(7)));
    assert_eq!(published(fixture).await, publishable("done").1);
}

pub async fn finish_of_another_attempt_or_a_judged_row_does_nothing(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    assert!(!finish(fixture, 2, &judged(), "a").await);
    assert!(!finish(fixture, 0, &judged(), "b").await);
    assert!(finish(fixture, 1, &judged(), "c").await);
    assert!(!finish(fixture, 1, &judged(), "d").await);
    assert!(!finish(fixture, 1, &failed(), "e").await);
    assert_eq!(rows(fixture, "r").await[0].state, judged());
    assert_eq!(published(fixture).await, publishable("c").1);
    assert!(!fixture.ledger().finish(&rule_id("r"), at(1), 1, &judged(), at(7), &[]).await.unwrap());
}

pub async fn failed_row_can_be_finished_again_by_its_attempt(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    assert!(finish(fixture, 1, &failed(), "a").await);
    assert_eq!(rows(fixture, "r").await[0].state, failed());
    assert!(finish(fixture, 1, &judged(), "b").await);
    assert_eq!(rows(fixture, "r").await[0].state, judged());
}

pub async fn retry_puts_a_failed_row_back_with_the_next_attempt(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    finish(fixture, 1, &failed(), "failed").await;
    published(fixture).await;
    assert!(retry(fixture, 1, "again").await);
    let row = rows(fixture, "r").await.remove(0);
    assert_eq!((row.attempt, row.state, row.updated_at), (2, WindowState::Planned, at(8)));
    assert_eq!(published(fixture).await, publishable("again").1);
    assert!(!finish(fixture, 1, &judged(), "late").await);
    assert!(finish(fixture, 2, &judged(), "done").await);
}

pub async fn retry_of_what_has_not_failed_does_nothing(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    assert!(!retry(fixture, 1, "a").await);
    finish(fixture, 1, &failed(), "b").await;
    assert!(!retry(fixture, 2, "c").await);
    assert!(retry(fixture, 1, "d").await);
    assert!(!retry(fixture, 1, "e").await);
    finish(fixture, 2, &judged(), "f").await;
    assert!(!retry(fixture, 2, "g").await);
    let mut expected = [publishable("b").1, publishable("d").1, publishable("f").1].concat();
    expected.sort();
    assert_eq!(published(fixture).await, expected);
}

pub async fn windows_that_overlap_the_span_come_oldest_first(fixture: &dyn Fixture) {
    fixture.ledger().activate(&activation("r")).await.unwrap();
    fixture.ledger().activate(&activation("s")).await.unwrap();
    for (from, to) in [(0, 5), (5, 10), (10, 20), (20, 25)] {
        plan(fixture, &planned("r", from, to)).await;
    }
    plan(fixture, &planned("s", 0, 100)).await;
    let find = |from, to, limit| async move {
        let rows = fixture.ledger().windows(&rule_id("r"), window(from, to), limit).await.unwrap();
        rows.into_iter().map(|row| (row.window.from - at(0)).num_minutes()).collect::<Vec<_>>()
    };
    assert_eq!(find(5, 20, 10).await, [5, 10]);
    assert_eq!(find(4, 21, 10).await, [0, 5, 10, 20]);
    assert_eq!(find(4, 21, 2).await, [0, 5]);
    assert!(find(25, 99, 10).await.is_empty());
}

pub async fn unjudged_rows_come_oldest_update_first(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    plan(fixture, &planned("r", 5, 6)).await;
    plan(fixture, &PlannedWindow { state: WindowState::EMPTY, ..planned("r", 6, 10) }).await;
    finish(fixture, 1, &failed(), "a").await;
    let rows = fixture.ledger().unjudged(10).await.unwrap();
    let starts: Vec<_> = rows.iter().map(|row| (row.window.from - at(0)).num_minutes()).collect();
    assert_eq!(starts, [5, 0]);
    assert_eq!(fixture.ledger().unjudged(1).await.unwrap().len(), 1);
}

pub async fn unjudged_rows_are_counted_by_what_they_wait_for(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    for start in [5, 6, 7] {
        plan(fixture, &planned("r", start, start + 1)).await;
    }
    plan(fixture, &PlannedWindow { state: WindowState::EMPTY, ..planned("r", 8, 10) }).await;
    finish(fixture, 1, &failed(), "a").await;
    let counts = fixture.ledger().count_unjudged().await.unwrap();
    assert_eq!((counts.n_planned, counts.n_failed), (3, 1));
}

pub async fn rows_that_failed_for_good_come_after_those_that_wait(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    let for_good = WindowState::Failed { kind: FailureKind::Permanent, reason: "r".to_owned() };
    finish(fixture, 1, &for_good, "a").await;
    plan(fixture, &planned("r", 5, 600)).await;
    let rows = fixture.ledger().unjudged(10).await.unwrap();
    let starts: Vec<_> = rows.iter().map(|row| (row.window.from - at(0)).num_minutes()).collect();
    assert_eq!(starts, [5, 0]);
}

pub async fn ledger_survives_a_restart(fixture: &dyn Fixture) {
    with_one_window(fixture).await;
    finish(fixture, 1, &judged(), "done").await;
    let Some(reopened) = fixture.reopen().await else { return skip_durability() };
    assert_eq!(rows(reopened.as_ref(), "r").await[0].state, judged());
    assert_eq!(reopened.ledger().schedules().await.unwrap()[0].planned_to, at(5));
    assert_eq!(published(reopened.as_ref()).await, publishable("done").1);
}
