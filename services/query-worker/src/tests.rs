use crate::{QueryWorkerConfig, QueryWorkerDeps, RequestHandler};
use chrono::DateTime;
use mantissa_contracts::Envelope;
use mantissa_contracts::ids::{QueryRunId, RuleId, RuleVersion};
use mantissa_contracts::messages::{FailureKind, QueryRequested, QueryStarted, RuleFailed};
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_detection::CompiledRules;
use mantissa_ports::Outgoing;
use mantissa_ports::memory::{Answer, MemoryQueryEngine, MemoryRuleStore, TestClock};
use mantissa_ports::stores::{RuleStore as _, StoredRule};
use mantissa_runtime::Handler as _;
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
async fn request_delivered_twice_starts_one_bounded_query() {
    let world = World::new(RULE).await;
    let first = world.handle(&request("1")).await;
    let again = world.handle(&request("1")).await;
    let ids =
        [first, again].map(|message| Envelope::<QueryStarted>::decode(&message.body).unwrap().data.engine_query_id);
    assert_eq!(ids[0], ids[1]);
    let started = world.engine.started();
    assert_eq!(started.len(), 1);
    let limit = world.handler.0.config.max_rows;
    assert_eq!(
        (started[0].token.as_str(), started[0].max_rows),
        (request("1").query_run_id.to_string().as_str(), limit)
    );
    for part in ["deletetrail", "2023-11-14 22:13:20.000", "2023-11-14 22:14:20.000"] {
        assert!(started[0].sql.contains(part), "`{part}` in {}", started[0].sql);
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
async fn one_bad_request_of_a_batch_leaves_the_others() {
    let world = World::new(RULE).await;
    let batch = [request("2"), request("1")].map(|request| Envelope::new("test", at(60), None, request));
    let names: Vec<String> =
        world.handler.handle_batch(&batch).await.into_iter().map(|one| one.unwrap()[0].message_name.clone()).collect();
    assert_eq!(names, ["rule_failed", "query_started"]);
}
