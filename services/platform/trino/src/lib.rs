//! The QueryEngine port over Trino's HTTP statement protocol: for an installation outside AWS whose lake outgrew one
//! machine, and as the judge of our SQL, because Trino is what Athena runs.
//!
//! Trino hands out a result once, page by page, while the query runs. A task follows each query to its end and holds the
//! result here (`ports/src/tracked_queries.rs`); a result that is larger than this process may hold fails its query.
//!
//! Invariants:
//! - A query that nobody follows any more is cancelled on the cluster; where that cannot be said, because the process ends or
//!   nobody answers, the cluster ends it by itself when nobody asks for its pages for some minutes.
//! - Credentials go to the configured address only, and only over TLS.
//! - A result is complete or the query failed: nothing is cut.

mod answer;
mod client;
mod config;
mod engine;
mod error;
mod lake_statements;
mod print_value;
mod register_lake;
mod run_statement;
#[cfg(test)]
mod tests;

pub use config::{Credentials, TrinoConfig};
pub use engine::TrinoQueryEngine;
pub use error::TrinoError;
pub use register_lake::{LakeRegistration, Registered, RegisteredAs};
