//! Reads raw log objects into the lake.
//!
//! - **Consumes** `object_received`.
//! - **Produces** files of the lake and of the quarantine, and `rule_matched` (a system alert) when something was
//!   quarantined.
//! - **Idempotency key**: the SHA-256 of the object's bytes. The same content under another name, or delivered again, is
//!   recognised; a try that died is done again from its first part that is not complete.
//!
//! Invariants: a record appears in the lake under a stamp that was not sealed when it was begun, and if its stamp was
//! sealed meanwhile, it is stamped and written again, so no judged window ever gets a record later; what cannot be read is
//! in the quarantine with file, line and reason before the object counts as done; an object is never held in memory whole.

mod commit_part;
mod compact_table;
pub mod config;
pub mod deps;
pub mod error;
pub mod handler;
mod ingest_object;
mod read_parts;
mod reingest_quarantine;
#[cfg(test)]
mod tests;
mod watch_folder;
mod write_quarantine;

pub use compact_table::{CompactReport, compact_table};
pub use config::IngestConfig;
pub use deps::IngestDeps;
pub use error::Error;
pub use handler::IngestHandler;
pub use ingest_object::{IngestReport, Progress, ingest_object};
pub use reingest_quarantine::{ReingestReport, reingest_quarantine};
pub use watch_folder::{FolderWatch, received_object};
pub use write_quarantine::{QUARANTINE_PREFIX, QuarantineEntry, list_quarantine};
