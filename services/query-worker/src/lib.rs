//! Hands a requested query to the engine.
//!
//! - **Consumes** `query_requested`. **Produces** `query_started`, or `rule_failed` when there is nothing to run.
//! - **Idempotency key**: the query run id, which is the engine's token: a request delivered twice starts one query.
//!
//! Invariants: every statement passes the guard; a rule that cannot be compiled fails its window visibly.

pub mod config;
pub mod deps;
pub mod error;
pub mod handler;
mod start_query;

pub use config::QueryWorkerConfig;
pub use deps::QueryWorkerDeps;
pub use error::Error;
pub use handler::RequestHandler;

#[cfg(test)]
mod tests;
