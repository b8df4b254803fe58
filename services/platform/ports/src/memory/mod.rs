//! In-memory fakes of every port. They keep the whole contract (redelivery, stale receipts, DLQ, delays,
//! conditional writes, outbox) except durability: what they hold dies with the process. [`MemoryQueryEngine`] has no
//! SQL either: it is told what a statement comes to.
//!
//! [`MemoryBus`] holds all queues; stores that publish take it, so that a change and its messages appear together.

mod alerts;
mod bus;
mod clock;
mod deliveries;
mod destinations;
mod ingests;
mod ledger;
mod mailer;
mod object_storage;
mod query_engine;
mod queue;
mod raw_objects;
mod rules;
mod secret_store;
mod topic;

pub use alerts::MemoryAlertStore;
pub use bus::MemoryBus;
pub use clock::TestClock;
pub use deliveries::MemoryDeliveryStore;
pub use destinations::MemoryDestinationStore;
pub use ingests::MemoryIngestStore;
pub use ledger::MemoryLedgerStore;
pub use mailer::MemoryMailer;
pub use object_storage::MemoryObjectStorage;
pub use query_engine::{Answer, MemoryQueryEngine};
pub use queue::MemoryQueue;
pub use raw_objects::MemoryRawObjects;
pub use rules::MemoryRuleStore;
pub use secret_store::MemorySecretStore;
pub use topic::MemoryTopic;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A poisoned lock means a test failed while it held it; the state itself is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
