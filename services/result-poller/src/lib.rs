//! Waits for queries to end and turns their rows into matches.
//!
//! - **Consumes** `query_started`. **Produces** `rule_matched` per match, then `query_completed`; or `rule_failed`.
//! - **Idempotency key**: the match id, derived from rule, alert key and event id; a run that is read again gives the
//!   same matches.
//!
//! Invariants: `query_completed` is published only after every match of the run is durable; a result that was cut,
//! or of a query the engine no longer knows, fails the window and never passes as complete.

pub mod build_matches;
pub mod config;
pub mod deps;
pub mod error;
pub mod handler;
mod read_results;

pub use config::ResultPollerConfig;
pub use deps::ResultPollerDeps;
pub use error::Error;
pub use handler::StartedHandler;

#[cfg(test)]
mod tests;
