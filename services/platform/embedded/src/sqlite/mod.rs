//! Queues, topics and stores in one SQLite file.
//!
//! Invariants:
//! - Every write goes through one writer thread ([`write_in_groups`]), which commits many at once: one fsync for
//!   all that arrived during the last. A write is answered after its commit, never before.
//! - Messages of a state change are inserted into their queues in the same transaction ([`enqueue_messages`]), so
//!   there is nothing to publish afterwards: this is the outbox.
//! - Other processes may have the file open; between us only SQLite's locks hold.

mod alerts;
mod commit_alerts;
mod database;
mod deliveries;
mod destinations;
mod documents;
mod enqueue_messages;
mod error;
mod ingests;
mod ledger;
mod lock_data_dir;
mod migrate_schema;
mod queue;
mod receive_messages;
mod release_held;
mod rules;
#[cfg(test)]
mod tests;
mod topic;
mod write_in_groups;

pub use alerts::SqliteAlertStore;
pub use database::SqliteDb;
pub use deliveries::SqliteDeliveryStore;
pub use destinations::SqliteDestinationStore;
pub use error::SqliteError;
pub use ingests::SqliteIngestStore;
pub use ledger::SqliteLedgerStore;
pub use lock_data_dir::DataDirLock;
pub use queue::SqliteQueue;
pub use release_held::Released;
pub use rules::SqliteRuleStore;
pub use topic::SqliteTopic;
