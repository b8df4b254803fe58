//! The scheduler stands still for 26 hours while logs keep coming; then everything is judged, once.
//!
//! The stages run in this process over the real adapters, because only so can a day pass in seconds.

use crate::single_machine::SingleMachine;
use chrono::TimeDelta;
use mantissa_contracts::ids::RuleId;
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_ports::stores::{AlertFilter, LedgerRow, WindowState};
use mantissa_scheduler::{prove_coverage, tick};
use mantissa_tests::cloudtrail::{ActionRule, CREATE_USER, STOP_LOGGING, arn, file_of, record};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const RULES: [ActionRule; 2] = [CREATE_USER, STOP_LOGGING];
const OUTAGE: TimeDelta = TimeDelta::hours(26);

/// What is ingested, and what must come of it: distinct event ids by rule and caller.
#[derive(Default)]
struct Injected {
    expected: BTreeMap<(RuleId, String), BTreeSet<String>>,
    n_files: usize,
}

impl Injected {
    /// One file with a match of each rule now, one of hours ago, and some that match nothing.
    async fn inject(&mut self, machine: &SingleMachine, now: Instant) {
        let mut records = Vec::new();
        for (rule, caller) in [(&RULES[0], "maya"), (&RULES[1], "noor")] {
            let lateness = TimeDelta::minutes(i64::try_from(self.n_files * 37 % 1200).unwrap());
            for (kind, at) in [("now", now), ("late", now - lateness)] {
                let event_id = format!("{}-{}-{kind}", self.n_files, rule.action);
                records.push(record(&event_id, rule.action, caller, at));
                let key = (RuleId::new(rule.rule_id), arn(caller));
                self.expected.entry(key).or_default().insert(event_id);
            }
        }
        records.push(record(&format!("{}-none", self.n_files), "DescribeInstances", "maya", now));
        let file = file_of(&records);
        machine.receive(&format!("{}.json", self.n_files), &file).await;
        // The same object under another name.
        machine.receive(&format!("{}-again.json", self.n_files), &file).await;
        self.n_files += 1;
    }

    fn n_events(&self) -> usize {
        self.expected.values().map(BTreeSet::len).sum()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outage_of_26_hours_is_judged_whole_and_no_event_twice() {
    let machine = SingleMachine::start(&RULES).await;
    let mut injected = Injected::default();
    let enabled_at = machine.clock_now();

    // An hour as usual.
    for _ in 0..4 {
        injected.inject(&machine, machine.clock_now()).await;
        machine.work().await;
        machine.advance(Duration::from_secs(900));
        tick(&machine.scheduler).await.unwrap();
        machine.work().await;
    }
    let planned_before = machine.planned_to(&RULES[0]).await;
    assert!(planned_before > enabled_at);

    // Logs come, and nobody plans.
    let outage_from = machine.clock_now();
    while machine.clock_now() - outage_from < OUTAGE {
        injected.inject(&machine, machine.clock_now()).await;
        machine.work().await;
        machine.advance(Duration::from_secs(1800));
    }
    assert_eq!(machine.planned_to(&RULES[0]).await, planned_before);

    // Two schedulers come back at once.
    let ticked = tokio::join!(tick(&machine.scheduler), tick(&machine.scheduler));
    let n_planned = ticked.0.unwrap().n_planned + ticked.1.unwrap().n_planned;
    machine.work().await;
    for _ in 0..3 {
        machine.advance(Duration::from_secs(300));
        tick(&machine.scheduler).await.unwrap();
        machine.work().await;
    }
    assert!(n_planned >= 2 * 5, "26 hours in steps of 6 are 5 windows a rule, planned were {n_planned}");
    check_ledger(&machine, &injected, enabled_at, outage_from).await;
    check_alerts(&machine, &injected).await;
}

async fn check_ledger(machine: &SingleMachine, injected: &Injected, enabled_at: Instant, outage_from: Instant) {
    let mut n_matches_of_all = 0;
    for rule in &RULES {
        let planned_to = machine.planned_to(rule).await;
        // The youngest ingestion time is not sealed; after it, without events, no window is due for an hour.
        assert!(planned_to - outage_from >= OUTAGE - machine.scheduler.config.settle, "planned to {planned_to} only");
        let span = TimeWindow::new(enabled_at, planned_to);
        let coverage =
            prove_coverage(machine.scheduler.ledger.as_ref(), &RuleId::new(rule.rule_id), span).await.unwrap();
        assert_eq!((&coverage.gaps, &coverage.overlaps), (&Vec::new(), &Vec::new()));
        let rows = coverage.rows;
        assert_eq!((rows[0].window.from, rows.last().unwrap().window.to), (enabled_at, planned_to));
        for pair in rows.windows(2) {
            assert_eq!(pair[0].window.to, pair[1].window.from, "windows do not join");
        }
        let longest = rows.iter().map(|row| row.window.to - row.window.from).max().unwrap();
        assert!(longest <= machine.scheduler.config.longest_window, "{longest}");
        n_matches_of_all += rows.iter().map(n_matches).sum::<u64>();
    }
    // Each event in exactly one window: a second judging would count it again.
    assert_eq!(n_matches_of_all, injected.n_events() as u64);
}

fn n_matches(row: &LedgerRow) -> u64 {
    match &row.state {
        WindowState::Judged { n_matches, .. } => *n_matches,
        other => panic!("{}: {other:?}", row.window),
    }
}

async fn check_alerts(machine: &SingleMachine, injected: &Injected) {
    let alerts = machine.alerts.list(&AlertFilter::default(), 10_000, None).await.unwrap();
    let mut found = BTreeMap::new();
    for alert in &alerts {
        let key = (alert.rule.rule_id.clone(), alert.alert_key[0].value.clone().unwrap());
        assert!(injected.expected.contains_key(&key), "{alert:?}");
        *found.entry(key).or_insert(0) += alert.n_matches;
    }
    let expected: BTreeMap<_, _> =
        injected.expected.iter().map(|(key, events)| (key.clone(), events.len() as u64)).collect();
    assert_eq!(found, expected);
    assert_eq!(machine.n_match_ids(), injected.n_events() as u64, "match ids that alerts hold");
    assert!(machine.dead_messages().await.is_empty(), "{:?}", machine.dead_messages().await);
}
