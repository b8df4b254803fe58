//! What an adapter gives the suites.

use super::ArrivedMail;
use crate::memory::{
    MemoryAlertStore, MemoryBus, MemoryDeliveryStore, MemoryDestinationStore, MemoryIngestStore, MemoryLedgerStore,
    MemoryQueue, MemoryRuleStore, MemoryTopic, TestClock,
};
use crate::stores::{AlertStore, DeliveryStore, DestinationStore, IngestStore, LedgerStore, RuleStore};
use crate::{Clock, Mailer, ObjectStorage, Queue, RawObjectSource, SecretStore, Topic};
use async_trait::async_trait;
use mantissa_contracts::time::Instant;
use mantissa_contracts::topology::{QueueSpec, TopicSpec};
use std::sync::Arc;
use std::time::Duration;

/// Queues, topics and stores over one fresh storage. Each call of a port gives a further handle on it.
#[async_trait]
pub trait Fixture: Send + Sync {
    fn now(&self) -> Instant;

    /// Lets time pass for the storage: by setting its clock, or by waiting.
    async fn advance(&self, by: Duration);

    /// The same storage as a process sees it that starts now; `None` where nothing outlives the process.
    async fn reopen(&self) -> Option<Box<dyn Fixture>>;

    fn queue(&self, spec: &'static QueueSpec) -> Arc<dyn Queue>;
    fn topic(&self, spec: &'static TopicSpec) -> Arc<dyn Topic>;
    fn ingests(&self) -> Arc<dyn IngestStore>;
    fn ledger(&self) -> Arc<dyn LedgerStore>;
    fn rules(&self) -> Arc<dyn RuleStore>;
    fn alerts(&self) -> Arc<dyn AlertStore>;
    fn deliveries(&self) -> Arc<dyn DeliveryStore>;
    fn destinations(&self) -> Arc<dyn DestinationStore>;
}

/// Objects over one fresh storage; each call opens it anew.
pub trait ObjectStorageFixture: Send + Sync {
    fn open(&self) -> Arc<dyn ObjectStorage>;
}

/// Raw objects below one location.
pub trait RawObjectFixture: Send + Sync {
    fn source(&self) -> Arc<dyn RawObjectSource>;

    /// The location everything is below; it is there once something was put.
    fn root(&self) -> String;

    /// Writes an object below the root; `/` parts folders.
    fn put(&self, name: &str, content: &[u8]);
}

/// Secrets over one fresh storage; each call opens it anew.
pub trait SecretStoreFixture: Send + Sync {
    fn open(&self) -> Arc<dyn SecretStore>;

    /// Everything a thief without the key would get, where the store has files.
    fn stored_bytes(&self) -> Option<Vec<u8>>;

    /// Whether another process that opens it finds what this one stored.
    fn outlives_its_process(&self) -> bool;
}

/// A provider that nothing has been sent to.
#[async_trait]
pub trait MailerFixture: Send + Sync {
    fn mailer(&self) -> Arc<dyn Mailer>;

    /// An address that may send, and one that may not.
    fn sender(&self) -> String;
    fn stranger(&self) -> String;

    /// What has arrived, oldest first.
    async fn arrived(&self) -> Vec<ArrivedMail>;
}

/// The fakes.
pub struct MemoryFixture {
    clock: TestClock,
    bus: Arc<MemoryBus>,
    ingests: Arc<MemoryIngestStore>,
    ledger: Arc<MemoryLedgerStore>,
    rules: Arc<MemoryRuleStore>,
    alerts: Arc<MemoryAlertStore>,
    deliveries: Arc<MemoryDeliveryStore>,
    destinations: Arc<MemoryDestinationStore>,
}

impl MemoryFixture {
    pub fn new() -> Self {
        let clock = TestClock::default();
        let bus = MemoryBus::new(Arc::new(clock.clone()));
        Self {
            clock,
            ingests: Arc::new(MemoryIngestStore::new()),
            ledger: Arc::new(MemoryLedgerStore::new(bus.clone())),
            rules: Arc::new(MemoryRuleStore::new()),
            alerts: Arc::new(MemoryAlertStore::new(bus.clone())),
            deliveries: Arc::new(MemoryDeliveryStore::new(bus.clone())),
            destinations: Arc::new(MemoryDestinationStore::new()),
            bus,
        }
    }
}

impl Default for MemoryFixture {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Fixture for MemoryFixture {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn reopen(&self) -> Option<Box<dyn Fixture>> {
        None
    }

    fn queue(&self, spec: &'static QueueSpec) -> Arc<dyn Queue> {
        Arc::new(MemoryQueue::new(self.bus.clone(), spec))
    }

    fn topic(&self, spec: &'static TopicSpec) -> Arc<dyn Topic> {
        Arc::new(MemoryTopic::new(self.bus.clone(), spec))
    }

    fn ingests(&self) -> Arc<dyn IngestStore> {
        self.ingests.clone()
    }

    fn ledger(&self) -> Arc<dyn LedgerStore> {
        self.ledger.clone()
    }

    fn rules(&self) -> Arc<dyn RuleStore> {
        self.rules.clone()
    }

    fn alerts(&self) -> Arc<dyn AlertStore> {
        self.alerts.clone()
    }

    fn deliveries(&self) -> Arc<dyn DeliveryStore> {
        self.deliveries.clone()
    }

    fn destinations(&self) -> Arc<dyn DestinationStore> {
        self.destinations.clone()
    }
}

/// Says that a sentence on durability was not checked.
pub(super) fn skip_durability() {
    eprintln!("skipped: what this adapter holds does not outlive its process");
}
