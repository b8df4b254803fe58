//! The query engine of one machine: DataFusion over the Parquet lake, speaking the Trino dialect.
//!
//! Trino SQL is parsed, its tree is rewritten to what DataFusion plans ([`rewrite`]), and what DataFusion lacks is
//! supplied as functions ([`functions`]). What neither can do is an error that names the function and its position.
//!
//! Invariants:
//! - Only tables and views of the catalogue can be read; no statement but a query is ever planned.
//! - The files of a table are listed anew for each query.
//! - A result is complete or the query failed: nothing is cut.

mod engine;
mod error;
mod functions;
mod interrupt_joins;
mod limits;
mod open_session;
mod plan_unnest;
mod render_value;
mod rewrite;
mod run_query;
mod tables;
mod widen_lambdas;

pub use engine::{DataFusionEngine, EngineConfig};
pub use error::QueryError;

#[cfg(test)]
mod tests;
