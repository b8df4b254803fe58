//! The stages from ingest to dedup over the real adapters, wired as the binary wires them, under a clock that a test moves.

use mantissa_contracts::Envelope;
use mantissa_contracts::messages::ObjectReceived;
use mantissa_contracts::time::Instant;
use mantissa_contracts::topology::{QUEUES, TOPICS, find_queue};
use mantissa_dedup::{DedupDeps, MatchHandler};
use mantissa_detection::{CompiledRules, load_rules};
use mantissa_embedded::query_engine::{DataFusionEngine, EngineConfig};
use mantissa_embedded::sqlite::{
    SqliteAlertStore, SqliteDb, SqliteIngestStore, SqliteLedgerStore, SqliteQueue, SqliteRuleStore, SqliteTopic,
};
use mantissa_embedded::{FsObjectStorage, FsRawObjectSource};
use mantissa_ingest::{IngestConfig, IngestDeps, IngestHandler};
use mantissa_ports::Publisher;
use mantissa_ports::memory::TestClock;
use mantissa_ports::stores::{AlertStore, StoredRule};
use mantissa_ports::{Clock, DeadMessage, ObjectStorage, Outgoing, Queue, Topic};
use mantissa_query_worker::{QueryWorkerConfig, QueryWorkerDeps, RequestHandler};
use mantissa_result_poller::{ResultPollerConfig, ResultPollerDeps, StartedHandler};
use mantissa_runtime::metrics::Metrics;
use mantissa_runtime::{Handler, Worker, WorkerConfig};
use mantissa_scheduler::handler::{CompletedHandler, FailedHandler};
use mantissa_scheduler::{RuleInForce, SchedulerConfig, SchedulerDeps, activate_rules};
use mantissa_tests::cloudtrail::ActionRule;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct SingleMachine {
    folder: tempfile::TempDir,
    clock: TestClock,
    publisher: Arc<Publisher>,
    pub(crate) scheduler: SchedulerDeps,
    pub(crate) alerts: Arc<dyn AlertStore>,
    ingest: Worker<IngestHandler>,
    query_worker: Worker<RequestHandler>,
    result_poller: Worker<StartedHandler>,
    dedup: Worker<MatchHandler>,
    completed: Worker<CompletedHandler>,
    failed: Worker<FailedHandler>,
}

impl SingleMachine {
    /// The rules are in force from the clock's first instant.
    pub(crate) async fn start(rules: &[ActionRule]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let test_clock = TestClock::default();
        let clock: Arc<dyn Clock> = Arc::new(test_clock.clone());
        let db = SqliteDb::open(folder.path().join("mantissa.db"), clock.clone()).unwrap();
        let queues: Vec<Arc<dyn Queue>> =
            QUEUES.iter().map(|spec| Arc::new(SqliteQueue::new(db.clone(), spec)) as Arc<dyn Queue>).collect();
        let topics: Vec<Arc<dyn Topic>> =
            TOPICS.iter().map(|spec| Arc::new(SqliteTopic::new(db.clone(), spec)) as Arc<dyn Topic>).collect();
        let publisher = Arc::new(Publisher::new(queues, topics));
        let lake: Arc<dyn ObjectStorage> = Arc::new(FsObjectStorage::new(folder.path().join("lake")));
        let engine = Arc::new(DataFusionEngine::new(EngineConfig::new(folder.path().join("lake"))).unwrap());
        let (rule_store, compiled) = (Arc::new(SqliteRuleStore::new(db.clone())), Arc::new(CompiledRules::default()));
        let ingests = Arc::new(SqliteIngestStore::new(db.clone()));
        let alerts: Arc<dyn AlertStore> = Arc::new(SqliteAlertStore::new(db.clone()));
        let scheduler = SchedulerDeps {
            ledger: Arc::new(SqliteLedgerStore::new(db)),
            ingests: ingests.clone(),
            clock: clock.clone(),
            config: SchedulerConfig::default(),
        };
        activate_rules(&scheduler, rule_store.as_ref(), &in_force(folder.path(), rules)).await.unwrap();
        let worker = WorkerParts { publisher: publisher.clone(), metrics: Arc::new(Metrics::default()) };
        Self {
            ingest: worker.over(
                "ingest-object_received",
                IngestHandler {
                    deps: IngestDeps {
                        raw_objects: Arc::new(FsRawObjectSource),
                        lake: lake.clone(),
                        quarantine: lake,
                        ingests,
                        clock: clock.clone(),
                        config: IngestConfig::default(),
                    },
                    metrics: worker.metrics.clone(),
                },
            ),
            query_worker: worker.over(
                "query-worker-query_requested",
                RequestHandler(QueryWorkerDeps {
                    rules: rule_store.clone(),
                    compiled: compiled.clone(),
                    engine: engine.clone(),
                    clock: clock.clone(),
                    config: QueryWorkerConfig::default(),
                }),
            ),
            result_poller: worker.over(
                "result-poller-query_started",
                StartedHandler(ResultPollerDeps {
                    rules: rule_store,
                    compiled,
                    engine,
                    publisher: publisher.clone(),
                    clock: clock.clone(),
                    // The clock stands still, so waiting for a later look would be for ever.
                    config: ResultPollerConfig {
                        wait_inside: Duration::from_secs(60),
                        ..ResultPollerConfig::default()
                    },
                }),
            ),
            dedup: worker.over("dedup-rule_matched", MatchHandler(DedupDeps { alerts: alerts.clone(), clock })),
            completed: worker.over("scheduler-query_completed", CompletedHandler(scheduler.clone())),
            failed: worker.over("scheduler-rule_failed", FailedHandler(scheduler.clone())),
            folder,
            clock: test_clock,
            publisher,
            scheduler,
            alerts,
        }
    }

    pub(crate) fn clock_now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// An object arrives.
    pub(crate) async fn receive(&self, name: &str, content: &str) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let received = ObjectReceived {
            location: path.to_str().unwrap().to_owned(),
            etag: "1".to_owned(),
            size_bytes: content.len() as u64,
            received_at: self.clock.now(),
            source: "auto".to_owned(),
        };
        let envelope = Envelope::new("test", self.clock.now(), None, received);
        self.publisher.publish(&[Outgoing::new(&envelope).unwrap()]).await.unwrap();
    }

    /// Every stage works until none has anything to do.
    pub(crate) async fn work(&self) {
        loop {
            let n_handled = work_off(&self.ingest).await
                + work_off(&self.query_worker).await
                + work_off(&self.result_poller).await
                + work_off(&self.dedup).await
                + work_off(&self.completed).await
                + work_off(&self.failed).await;
            if n_handled == 0 {
                return;
            }
        }
    }

    pub(crate) async fn planned_to(&self, rule: &ActionRule) -> Instant {
        let schedules = self.scheduler.ledger.schedules().await.unwrap();
        schedules.iter().find(|schedule| schedule.rule_id.as_str() == rule.rule_id).unwrap().planned_to
    }

    /// How many matches alerts hold, by the rows that make a match count once.
    pub(crate) fn n_match_ids(&self) -> u64 {
        let conn = rusqlite::Connection::open(self.folder.path().join("mantissa.db")).unwrap();
        let n: i64 =
            conn.query_row("SELECT count(DISTINCT match_id) FROM alert_matches", [], |row| row.get(0)).unwrap();
        u64::try_from(n).unwrap()
    }

    pub(crate) async fn dead_messages(&self) -> Vec<DeadMessage> {
        let mut dead = Vec::new();
        for queue in self.publisher.queues() {
            dead.extend(queue.dead(100, None).await.unwrap());
        }
        dead
    }
}

struct WorkerParts {
    publisher: Arc<Publisher>,
    metrics: Arc<Metrics>,
}

impl WorkerParts {
    fn over<H: Handler>(&self, queue: &str, handler: H) -> Worker<H> {
        Worker {
            queue: self.publisher.queue(queue).unwrap().clone(),
            handler,
            publisher: self.publisher.clone(),
            metrics: self.metrics.clone(),
            config: WorkerConfig { wait: Duration::ZERO, ..WorkerConfig::of(find_queue(queue).unwrap()) },
        }
    }
}

async fn work_off<H: Handler>(worker: &Worker<H>) -> usize {
    let mut n_handled = 0;
    loop {
        let config = &worker.config;
        let batch = worker.queue.receive(config.batch_size, config.visibility, config.wait).await.unwrap();
        if batch.is_empty() {
            return n_handled;
        }
        n_handled += batch.len();
        worker.handle_received(batch).await;
    }
}

fn in_force(folder: &std::path::Path, rules: &[ActionRule]) -> Vec<RuleInForce> {
    let files: Vec<_> = rules.iter().map(|rule| folder.join(format!("{}.yml", rule.action))).collect();
    for (file, rule) in files.iter().zip(rules) {
        std::fs::write(file, rule.yaml()).unwrap();
    }
    let loaded = load_rules(&files);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let in_force = loaded.rules.iter().map(|rule| RuleInForce {
        stored: StoredRule {
            rule_id: rule.rule.rule_id.clone(),
            rule_version: rule.rule.rule_version.clone(),
            path: rule.path.clone(),
            yaml: rule.yaml.clone(),
        },
        table: rule.table.to_owned(),
        every_s: rule.every.as_secs(),
    });
    in_force.collect()
}
