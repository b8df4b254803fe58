use crate::{QueryWorkerConfig, QueryWorkerDeps, RequestHandler};
use chrono::DateTime;
use mantissa_contracts::Envelope;
use mantissa_contracts::ids::{QueryRunId, RuleId, RuleVersion};
use mantissa_contracts::messages::{FailureKind, QueryRequested, RuleFailed};
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_detection::CompiledRules;
use mantissa_ports::Outgoing;
use mantissa_ports::memory::{Answer, MemoryQueryEngine, MemoryRuleStore, TestClock};
use mantissa_ports::stores::{RuleStore as _, StoredRule};
use mantissa_runtime::{Handler as _, HandlerError};
use std::sync::Arc;

const RULE: &str = "
title: Trail deleted
id: 6f0cf5a5-27a7-4f37-a7a5-0d2f8ff8a001
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName: DeleteTrail}
  condition: selection
level: high
";

fn at(seconds: i64) -> Instant {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

struct World {
    engine: Arc<MemoryQueryEngine>,
    handler: RequestHandler,
}

impl World {
    async fn new(yaml: &str) -> Self {
        let engine = Arc::new(MemoryQueryEngine::new(|_| Answer::RunsOn));
        let rules = MemoryRuleStore::new();
        let stored = StoredRule {
            rule_id: RuleId::new("r"),
            rule_version: RuleVersion::new("1"),
            path: "r.yml".to_owned(),
            yaml: yaml.to_owned(),
        };
        rules.put(&stored).await.unwrap();
        let handler = RequestHandler(QueryWorkerDeps {
            rules: Arc::new(rules),
            compiled: Arc::new(CompiledRules::default()),
            engine: engine.clone(),
            clock: Arc::new(TestClock::new(at(120))),
            config: QueryWorkerConfig::default(),
        });
        Self { engine, handler }
    }

    async fn handle(&self, request: &QueryRequested) -> Outgoing {
        let mut messages = self.handler.handle(&Envelope::new("test", at(60), None, request.clone())).await.unwrap();
        assert_eq!(messages.len(), 1);
        messages.remove(0)
    }

    async fn fails(&self, request: &QueryRequested) -> RuleFailed {
        Envelope::<RuleFailed>::decode(&self.handle(request).await.body).unwrap().data
    }
}

fn request(version: &str) -> QueryRequested {
    QueryRequested {
        query_run_id: QueryRunId::derive(&["r", version]),
        rule_id: RuleId::new("r"),
        rule_version: RuleVersion::new(version),
        window: TimeWindow { from: at(0), to: at(60) },
        event_from: at(-3600),
        event_to: at(59),
        attempt: 1,
    }
}

#[tokio::test]
async fn request_delivered_twice_starts_one_bounded_query_and_says_the_same() {
    let world = World::new(RULE).await;
    let first = world.handle(&request("1")).await;
    let again = world.handle(&request("1")).await;
    assert_eq!(first.id, again.id);
    let started = world.engine.started();
    assert_eq!(started.len(), 1);
    let (query, config) = (&started[0], &world.handler.0.config);
    assert_eq!(query.token, request("1").query_run_id.to_string());
    assert_eq!((query.max_rows, query.timeout), (config.max_rows, config.timeout));
    let limit = format!("LIMIT {}", config.max_rows + 1);
    let (window_from, window_to) = ("2023-11-14 22:13:20.000", "2023-11-14 22:14:20.000");
    let (event_from, event_to) = ("2023-11-14 21:13:20.000", "2023-11-14 22:14:19.000");
    for part in ["'deletetrail'", window_from, window_to, event_from, event_to, "day = '14'", &limit] {
        assert!(query.sql.contains(part), "`{part}` in {}", query.sql);
    }
}

#[tokio::test]
async fn rule_that_cannot_run_fails_its_window_and_says_why() {
    let world = World::new(&RULE.replace("eventName: DeleteTrail", "eventName|nonsense: x")).await;
    let failed = world.fails(&request("1")).await;
    assert_eq!((failed.kind, failed.request), (FailureKind::Permanent, request("1")));
    assert!(failed.reason.contains("nonsense"), "{}", failed.reason);
    let failed = world.fails(&request("2")).await;
    assert_eq!(failed.kind, FailureKind::Permanent);
    assert!(failed.reason.contains("version `2`"), "{}", failed.reason);
    assert!(world.engine.started().is_empty());
}

#[tokio::test]
async fn engine_that_does_not_answer_is_asked_again_and_fails_no_window() {
    let world = World::new(RULE).await;
    world.engine.set_away(true);
    let envelope = Envelope::new("test", at(60), None, request("1"));
    assert!(matches!(world.handler.handle(&envelope).await, Err(HandlerError::Transient { .. })));
    world.engine.set_away(false);
    assert_eq!(world.handle(&request("1")).await.message_name, "query_started");
}
