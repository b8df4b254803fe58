//! Queues, topics and stores on SQLite.

use async_trait::async_trait;
use mantissa_contracts::time::Instant;
use mantissa_contracts::topology::{QueueSpec, TopicSpec};
use mantissa_embedded::sqlite::{
    SqliteAlertStore, SqliteDb, SqliteDeliveryStore, SqliteDestinationStore, SqliteIngestStore, SqliteLedgerStore,
    SqliteQueue, SqliteRuleStore, SqliteTopic,
};
use mantissa_ports::conformance::Fixture;
use mantissa_ports::memory::TestClock;
use mantissa_ports::stores::{AlertStore, DeliveryStore, DestinationStore, IngestStore, LedgerStore, RuleStore};
use mantissa_ports::{Clock, Queue, Topic};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

struct SqliteFixture {
    clock: TestClock,
    db: Arc<SqliteDb>,
    path: PathBuf,
    /// Held by the first fixture of a file; the directory goes with it.
    _dir: Option<tempfile::TempDir>,
}

impl SqliteFixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mantissa.db");
        Self { _dir: Some(dir), ..Self::open(path, TestClock::default()) }
    }

    fn open(path: PathBuf, clock: TestClock) -> Self {
        let db = SqliteDb::open(&path, Arc::new(clock.clone())).unwrap();
        Self { clock, db, path, _dir: None }
    }
}

#[async_trait]
impl Fixture for SqliteFixture {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// A second connection to the file, which sees what is committed and nothing else.
    async fn reopen(&self) -> Option<Box<dyn Fixture>> {
        Some(Box::new(Self::open(self.path.clone(), self.clock.clone())))
    }

    fn queue(&self, spec: &'static QueueSpec) -> Arc<dyn Queue> {
        Arc::new(SqliteQueue::new(self.db.clone(), spec))
    }

    fn topic(&self, spec: &'static TopicSpec) -> Arc<dyn Topic> {
        Arc::new(SqliteTopic::new(self.db.clone(), spec))
    }

    fn ingests(&self) -> Arc<dyn IngestStore> {
        Arc::new(SqliteIngestStore::new(self.db.clone()))
    }

    fn ledger(&self) -> Arc<dyn LedgerStore> {
        Arc::new(SqliteLedgerStore::new(self.db.clone()))
    }

    fn rules(&self) -> Arc<dyn RuleStore> {
        Arc::new(SqliteRuleStore::new(self.db.clone()))
    }

    fn alerts(&self) -> Arc<dyn AlertStore> {
        Arc::new(SqliteAlertStore::new(self.db.clone()))
    }

    fn deliveries(&self) -> Arc<dyn DeliveryStore> {
        Arc::new(SqliteDeliveryStore::new(self.db.clone()))
    }

    fn destinations(&self) -> Arc<dyn DestinationStore> {
        Arc::new(SqliteDestinationStore::new(self.db.clone()))
    }
}

mantissa_ports::store_and_queue_conformance!(SqliteFixture::new());
