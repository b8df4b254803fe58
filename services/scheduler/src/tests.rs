use crate::handler::{CompletedHandler, FailedHandler};
use crate::{SchedulerConfig, SchedulerDeps, prove_coverage, tick};
use chrono::{DateTime, TimeDelta};
use mantissa_contracts::Envelope;
use mantissa_contracts::ids::{ObjectId, RuleId, RuleVersion};
use mantissa_contracts::messages::{FailureKind, QueryCompleted, QueryRequested, RuleFailed};
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_ports::memory::{MemoryBus, MemoryIngestStore, MemoryLedgerStore, TestClock};
use mantissa_ports::stores::{BeginOutcome, IngestStore as _, LakeCommit, RuleActivation};
use mantissa_runtime::Handler as _;
use std::sync::Arc;
use std::time::Duration;

fn at(seconds: i64) -> Instant {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

struct World {
    clock: TestClock,
    bus: Arc<MemoryBus>,
    ingests: Arc<MemoryIngestStore>,
    deps: SchedulerDeps,
}

impl World {
    async fn new() -> Self {
        let clock = TestClock::new(at(0));
        let bus = MemoryBus::new(Arc::new(clock.clone()));
        let ingests = Arc::new(MemoryIngestStore::new());
        let deps = SchedulerDeps {
            ledger: Arc::new(MemoryLedgerStore::new(bus.clone())),
            ingests: ingests.clone(),
            clock: Arc::new(clock.clone()),
            config: SchedulerConfig::default(),
        };
        let activation = RuleActivation {
            rule_id: RuleId::new("r"),
            rule_version: RuleVersion::new("1"),
            table: "cloudtrail_logs".to_owned(),
            every_s: 60,
            from: at(0),
        };
        deps.ledger.activate(&activation).await.unwrap();
        Self { clock, bus, ingests, deps }
    }

    /// Begins to ingest a part with the current time as its stamp.
    async fn begin(&self, name: &str) -> LakeCommit {
        let now = mantissa_ports::Clock::now(&self.clock);
        let commit = LakeCommit {
            object_id: ObjectId::new(name),
            part: 0,
            table: "cloudtrail_logs".to_owned(),
            stamp: now,
            event_from: now - TimeDelta::hours(3),
            event_to: now,
            n_records: 1,
        };
        assert_eq!(self.ingests.begin(&commit).await.unwrap(), BeginOutcome::Begun);
        commit
    }

    async fn ingest(&self, name: &str) {
        let commit = self.begin(name).await;
        assert!(self.ingests.complete(&commit.object_id, 0, commit.stamp).await.unwrap());
    }

    /// Requests that were published, oldest first.
    fn requests(&self) -> Vec<QueryRequested> {
        let messages = self.bus.published();
        let requests = messages.iter().filter(|message| message.message_name == "query_requested");
        requests.map(|message| Envelope::<QueryRequested>::decode(&message.body).unwrap().data).collect()
    }

    async fn complete(&self, request: &QueryRequested) {
        let completed =
            QueryCompleted { request: request.clone(), n_rows: 0, n_matches: 0, scanned_bytes: 1, duration_ms: 1 };
        let envelope = Envelope::new("test", at(0), None, completed);
        CompletedHandler(self.deps.clone()).handle(&envelope).await.unwrap();
    }

    async fn fail(&self, request: &QueryRequested, kind: FailureKind) {
        let failed = RuleFailed { request: request.clone(), kind, reason: "because".to_owned() };
        FailedHandler(self.deps.clone()).handle(&Envelope::new("test", at(0), None, failed)).await.unwrap();
    }
}

#[tokio::test]
async fn window_with_records_is_requested_once_and_bounded_by_their_event_times() {
    let world = World::new().await;
    world.clock.set(at(30));
    world.ingest("a").await;
    world.clock.set(at(70));
    assert_eq!(tick(&world.deps).await.unwrap().n_planned, 1);
    assert_eq!(tick(&world.deps).await.unwrap().n_planned, 0);
    let requests = world.requests();
    assert_eq!(requests[0].window, TimeWindow::new(at(0), at(65)));
    assert_eq!(requests[0].event_from, at(30) - TimeDelta::hours(3));
}

#[tokio::test]
async fn commit_in_progress_holds_the_window_back_until_it_is_done() {
    let world = World::new().await;
    world.clock.set(at(30));
    let commit = world.begin("slow").await;
    world.clock.set(at(600));
    tick(&world.deps).await.unwrap();
    assert!(world.requests().is_empty(), "planned past a commit in progress");
    assert!(world.ingests.complete(&commit.object_id, 0, commit.stamp).await.unwrap());
    tick(&world.deps).await.unwrap();
    assert!(world.requests()[0].window.contains(commit.stamp));
}

#[tokio::test]
async fn stretch_without_records_costs_no_query_and_leaves_no_gap() {
    let world = World::new().await;
    world.clock.set(at(7200));
    tick(&world.deps).await.unwrap();
    assert!(world.requests().is_empty());
    let span = TimeWindow::new(at(0), at(7195));
    let coverage = prove_coverage(world.deps.ledger.as_ref(), &RuleId::new("r"), span).await.unwrap();
    assert_eq!((coverage.gaps.len(), coverage.overlaps.len(), coverage.rows.len()), (0, 0, 1));
}

#[tokio::test]
async fn failed_window_is_a_gap_until_a_later_attempt_succeeds() {
    let world = World::new().await;
    world.clock.set(at(30));
    world.ingest("a").await;
    world.clock.set(at(70));
    tick(&world.deps).await.unwrap();
    world.fail(&world.requests()[0], FailureKind::Transient).await;
    let span = TimeWindow::new(at(0), at(65));
    let gaps = || async { prove_coverage(world.deps.ledger.as_ref(), &RuleId::new("r"), span).await.unwrap().gaps };
    assert_eq!(gaps().await, [span]);
    assert_eq!(tick(&world.deps).await.unwrap().n_retried, 0, "no wait before the next attempt");
    world.clock.advance(Duration::from_secs(6));
    assert_eq!(tick(&world.deps).await.unwrap().n_retried, 1);
    let requests = world.requests();
    assert_eq!((requests[1].attempt, requests[1].window), (2, requests[0].window));
    // The first attempt's late answer does not count.
    world.complete(&requests[0]).await;
    assert_eq!(gaps().await, [span]);
    world.complete(&requests[1]).await;
    assert!(gaps().await.is_empty());
}

#[tokio::test]
async fn permanent_failure_raises_a_system_alert_and_is_not_tried_again() {
    let world = World::new().await;
    world.clock.set(at(30));
    world.ingest("a").await;
    world.clock.set(at(70));
    tick(&world.deps).await.unwrap();
    world.fail(&world.requests()[0], FailureKind::Permanent).await;
    let told = world.bus.published().iter().filter(|message| message.message_name == "rule_matched").count();
    assert_eq!(told, 1);
    world.clock.advance(Duration::from_secs(5 * 3600));
    assert_eq!(tick(&world.deps).await.unwrap().n_retried, 0);
}

#[tokio::test]
async fn request_nobody_answers_is_requested_again() {
    let world = World::new().await;
    world.clock.set(at(30));
    world.ingest("a").await;
    world.clock.set(at(70));
    tick(&world.deps).await.unwrap();
    world.clock.advance(Duration::from_secs(31 * 60));
    tick(&world.deps).await.unwrap();
    world.clock.advance(Duration::from_secs(6));
    assert_eq!(tick(&world.deps).await.unwrap().n_retried, 1);
    assert_eq!(world.requests()[1].attempt, 2);
}
