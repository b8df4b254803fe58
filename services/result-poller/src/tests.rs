use crate::{ResultPollerConfig, ResultPollerDeps, StartedHandler};
use chrono::DateTime;
use mantissa_contracts::ids::{QueryRunId, RuleId, RuleVersion};
use mantissa_contracts::messages::{
    FailureKind, QueryCompleted, QueryRequested, QueryStarted, RuleFailed, RuleMatched,
};
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_contracts::topology::find_queue;
use mantissa_contracts::{Envelope, Message};
use mantissa_detection::CompiledRules;
use mantissa_ports::Publisher;
use mantissa_ports::memory::{Answer, MemoryBus, MemoryQueryEngine, MemoryQueue, MemoryRuleStore, TestClock};
use mantissa_ports::stores::{RuleStore as _, StoredRule};
use mantissa_ports::{Column, Outgoing, QueryEngine as _, QueryRequest, Queue};
use mantissa_runtime::{Handled, Handler as _, HandlerError};
use std::sync::Arc;
use std::time::Duration;

const RULE: &str = "
title: Trail deleted
id: 6f0cf5a5-27a7-4f37-a7a5-0d2f8ff8a001
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName: DeleteTrail}
  condition: selection
level: high
mantissa:
  group_by: [recipientAccountId]
";
const COLUMNS: [&str; 4] = ["event_id", "event_time", "raw", "k0"];

fn at(seconds: i64) -> Instant {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

struct World {
    engine: Arc<MemoryQueryEngine>,
    bus: Arc<MemoryBus>,
    handler: StartedHandler,
}

impl World {
    async fn new(answer: Answer) -> Self {
        let clock = Arc::new(TestClock::new(at(120)));
        let engine = Arc::new(MemoryQueryEngine::new(move |_| answer.clone()));
        let bus = MemoryBus::new(clock.clone());
        let rules = MemoryRuleStore::new();
        let stored = StoredRule {
            rule_id: RuleId::new("r"),
            rule_version: RuleVersion::new("1"),
            path: "r.yml".to_owned(),
            yaml: RULE.to_owned(),
        };
        rules.put(&stored).await.unwrap();
        let matched: Arc<dyn Queue> =
            Arc::new(MemoryQueue::new(bus.clone(), find_queue("dedup-rule_matched").unwrap()));
        let handler = StartedHandler(ResultPollerDeps {
            rules: Arc::new(rules),
            compiled: Arc::new(CompiledRules::default()),
            engine: engine.clone(),
            publisher: Arc::new(Publisher::new(vec![matched], vec![])),
            clock,
            config: ResultPollerConfig { wait_inside: Duration::ZERO, ..ResultPollerConfig::default() },
        });
        Self { engine, bus, handler }
    }

    async fn start(&self) -> Envelope<QueryStarted> {
        let query = QueryRequest {
            token: "run".to_owned(),
            sql: "SELECT 1".to_owned(),
            max_rows: 10_000,
            timeout: Duration::from_secs(60),
        };
        let engine_query_id = self.engine.start(&query).await.unwrap();
        let request = QueryRequested {
            query_run_id: QueryRunId::derive(&["run"]),
            rule_id: RuleId::new("r"),
            rule_version: RuleVersion::new("1"),
            window: TimeWindow { from: at(0), to: at(60) },
            event_from: at(-3600),
            event_to: at(59),
            attempt: 1,
        };
        Envelope::new("test", at(60), None, QueryStarted { request, engine_query_id, started_at: at(60) })
    }

    async fn run(&self) -> Handled {
        self.handler.handle(&self.start().await).await
    }

    /// The matches in their queue.
    async fn matches(&self) -> Vec<RuleMatched> {
        let queue = MemoryQueue::new(self.bus.clone(), find_queue("dedup-rule_matched").unwrap());
        let received = queue.receive(10_000, Duration::from_secs(1), Duration::ZERO).await.unwrap();
        received.iter().map(|message| Envelope::<RuleMatched>::decode(&message.body).unwrap().data).collect()
    }
}

fn rows(columns: &[&str], rows: Vec<Vec<Option<String>>>) -> Answer {
    let column = |name: &&str| Column { name: (*name).to_owned(), data_type: "varchar".to_owned() };
    Answer::Rows { columns: columns.iter().map(column).collect(), rows, scanned_bytes: 4096 }
}

fn row(event: usize) -> Vec<Option<String>> {
    [&format!("event-{event}"), "2023-11-14 22:13:21.000", "{}", "111122223333"]
        .map(|text| Some(text.to_owned()))
        .into()
}

fn only<M: Message>(handled: Handled) -> M {
    let messages: Vec<Outgoing> = handled.unwrap();
    assert_eq!(messages.len(), 1);
    Envelope::<M>::decode(&messages[0].body).unwrap().data
}

#[tokio::test]
async fn every_page_is_read_and_an_event_the_lake_holds_twice_matches_once() {
    let mut all: Vec<_> = (0..2500).map(row).collect();
    all.push(row(3));
    let world = World::new(rows(&COLUMNS, all)).await;
    let completed: QueryCompleted = only(world.run().await);
    assert_eq!((completed.n_rows, completed.n_matches), (2501, 2500));
    assert_eq!((completed.scanned_bytes, completed.duration_ms), (4096, 7));
    let matches = world.matches().await;
    assert_eq!(matches.len(), 2500, "matches are in their queue before the run is said to be complete");
    assert_eq!(matches[0].alert_key[0].value.as_deref(), Some("111122223333"));
}

#[tokio::test]
async fn result_read_twice_gives_the_same_messages() {
    let world = World::new(rows(&COLUMNS, (0..3).map(row).collect())).await;
    let first = world.run().await.unwrap();
    let again = world.run().await.unwrap();
    assert_eq!(first, again);
    let queue = MemoryQueue::new(world.bus.clone(), find_queue("dedup-rule_matched").unwrap());
    let received = queue.receive(10, Duration::from_secs(1), Duration::ZERO).await.unwrap();
    let bodies: Vec<_> = received.into_iter().map(|message| message.body).collect();
    assert_eq!(bodies.len(), 6);
    assert_eq!(bodies[..3], bodies[3..]);
}

#[tokio::test]
async fn query_that_runs_is_looked_at_again() {
    let world = World::new(Answer::RunsOn).await;
    let look_again_in = world.handler.0.config.look_again_in;
    assert!(matches!(world.run().await, Err(HandlerError::NotYet { retry_in, .. }) if retry_in == look_again_in));
}

#[tokio::test]
async fn engine_that_does_not_answer_is_asked_again_and_fails_no_window() {
    let world = World::new(rows(&COLUMNS, vec![row(1)])).await;
    let started = world.start().await;
    world.engine.set_away(true);
    assert!(matches!(world.handler.handle(&started).await, Err(HandlerError::Transient { .. })));
    world.engine.set_away(false);
    let completed: QueryCompleted = only(world.handler.handle(&started).await);
    assert_eq!(completed.n_matches, 1);
}

#[tokio::test]
async fn failed_query_fails_its_window_with_the_engine_s_words() {
    for kind in [FailureKind::Transient, FailureKind::Permanent] {
        let world = World::new(Answer::Fails { kind, reason: "the engine's words".to_owned() }).await;
        let failed: RuleFailed = only(world.run().await);
        assert_eq!((failed.kind, failed.reason.as_str()), (kind, "the engine's words"));
    }
}

#[tokio::test]
async fn cancelled_and_forgotten_queries_are_to_be_tried_again() {
    let world = World::new(Answer::RunsOn).await;
    let started = world.start().await;
    world.engine.cancel(&started.data.engine_query_id).await.unwrap();
    let failed: RuleFailed = only(world.handler.handle(&started).await);
    assert_eq!(failed.kind, FailureKind::Transient);
    world.engine.restart();
    let failed: RuleFailed = only(world.handler.handle(&started).await);
    assert_eq!(failed.kind, FailureKind::Transient);
    assert!(failed.reason.contains("does not know"), "{}", failed.reason);
}

#[tokio::test]
async fn result_that_is_not_the_rule_s_fails_the_window_and_names_the_column() {
    let mut bad_time = row(1);
    bad_time[1] = Some("yesterday".to_owned());
    let mut no_id = row(1);
    no_id[0] = None;
    let without_key = rows(&COLUMNS[..3], vec![row(1)[..3].to_vec()]);
    for (answer, column) in
        [(rows(&COLUMNS, vec![bad_time]), "event_time"), (rows(&COLUMNS, vec![no_id]), "event_id"), (without_key, "k0")]
    {
        let world = World::new(answer).await;
        let failed: RuleFailed = only(world.run().await);
        assert_eq!(failed.kind, FailureKind::Permanent);
        assert!(failed.reason.contains(&format!("`{column}`")), "{}", failed.reason);
    }
}
