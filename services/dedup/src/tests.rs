use crate::{DedupDeps, MatchHandler};
use chrono::{DateTime, TimeDelta};
use mantissa_contracts::Envelope;
use mantissa_contracts::ids::{MatchId, RuleId, RuleVersion};
use mantissa_contracts::messages::{AlertSnapshot, KeyPart, RuleMatched, RuleRef, Severity};
use mantissa_contracts::time::Instant;
use mantissa_contracts::topology::find_queue;
use mantissa_ports::memory::{MemoryAlertStore, MemoryBus, TestClock};
use mantissa_ports::stores::{AlertFilter, AlertStore as _, MAX_COMMIT_MATCHES};
use mantissa_runtime::Handler as _;
use std::sync::Arc;

fn at(seconds: i64) -> Instant {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn match_of(key: &str, event: &str, seconds: i64) -> Envelope<RuleMatched> {
    let rule_match = RuleMatched {
        match_id: MatchId::derive(&["r", key, event]),
        rule: RuleRef {
            rule_id: RuleId::new("r"),
            rule_version: RuleVersion::new("1"),
            title: "rule".to_owned(),
            severity: Severity::High,
            log_source: "cloudtrail".to_owned(),
            tags: vec![],
            runbook: None,
            destinations: vec![],
        },
        title: "rule".to_owned(),
        query_run_id: None,
        window: None,
        alert_key: vec![KeyPart { field: "user".to_owned(), value: Some(key.to_owned()) }],
        event_time: at(seconds),
        n_events: 1,
        dedup_window_s: 3600,
        evidence: vec![],
    };
    Envelope::new("test", at(seconds), None, rule_match)
}

struct World {
    bus: Arc<MemoryBus>,
    alerts: Arc<MemoryAlertStore>,
    clock: TestClock,
}

impl World {
    fn new() -> Self {
        let clock = TestClock::new(at(10_000));
        let bus = MemoryBus::new(Arc::new(clock.clone()));
        Self { alerts: Arc::new(MemoryAlertStore::new(bus.clone())), bus, clock }
    }

    fn handler(&self) -> MatchHandler {
        MatchHandler(DedupDeps { alerts: self.alerts.clone(), clock: Arc::new(self.clock.clone()) })
    }

    async fn alerts(&self) -> Vec<AlertSnapshot> {
        self.alerts.list(&AlertFilter::default(), 1000, None).await.unwrap()
    }

    fn published(&self, name: &str) -> usize {
        self.bus.published().iter().filter(|message| message.message_name == name).count()
    }
}

async fn handle(handler: &MatchHandler, batch: &[Envelope<RuleMatched>]) {
    for handled in handler.handle_batch(batch).await {
        assert!(handled.unwrap().is_empty());
    }
}

#[tokio::test]
async fn burst_of_one_key_is_one_alert_and_one_message() {
    let world = World::new();
    let burst: Vec<_> = (0..50).map(|n| match_of("ana", &n.to_string(), n)).collect();
    handle(&world.handler(), &burst).await;
    let alerts = world.alerts().await;
    assert_eq!((alerts.len(), alerts[0].n_matches), (1, 50));
    assert_eq!((world.published("alert_opened"), world.published("alert_updated")), (1, 0));
}

#[tokio::test]
async fn redelivered_matches_change_nothing() {
    let world = World::new();
    let batch = [match_of("ana", "1", 0), match_of("ana", "2", 1), match_of("ana", "1", 0)];
    handle(&world.handler(), &batch).await;
    handle(&world.handler(), &batch).await;
    handle(&world.handler(), &[match_of("ana", "2", 1), match_of("ana", "3", 2)]).await;
    assert_eq!(world.alerts().await[0].n_matches, 3);
    assert_eq!((world.published("alert_opened"), world.published("alert_updated")), (1, 1));
}

#[tokio::test]
async fn racing_workers_open_one_alert_per_key_and_lose_no_match() {
    let world = World::new();
    let mut workers = Vec::new();
    for worker in 0..8 {
        let handler = world.handler();
        workers.push(tokio::spawn(async move {
            for n in 0..20 {
                // Every worker gets every match of two keys, in an order of its own: all are duplicates but for one.
                let event = (n + worker * 3) % 20;
                let batch =
                    [match_of("ana", &event.to_string(), event), match_of("bob", &event.to_string(), 600 - event)];
                handle(&handler, &batch).await;
                tokio::task::yield_now().await;
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    let alerts = world.alerts().await;
    assert_eq!(alerts.iter().map(|alert| alert.n_matches).collect::<Vec<_>>(), [20, 20]);
    assert_eq!(world.published("alert_opened"), 2);
}

#[tokio::test]
async fn matches_of_two_dedup_windows_in_one_receive_open_two_alerts() {
    let world = World::new();
    handle(&world.handler(), &[match_of("ana", "late", 9000), match_of("ana", "early", 0)]).await;
    let mut starts: Vec<_> = world.alerts().await.iter().map(|alert| alert.dedup_from).collect();
    starts.sort();
    assert_eq!(starts, [at(0), at(0) + TimeDelta::seconds(9000)]);
}

#[test]
fn what_one_receive_returns_fits_into_one_commit() {
    let batch_size = find_queue("dedup-rule_matched").unwrap().batch_size;
    assert!(batch_size as usize <= MAX_COMMIT_MATCHES, "{batch_size}");
}
