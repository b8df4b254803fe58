//! The QueryEngine port on Athena.
//!
//! Athena knows neither a timeout nor a limit of rows for one query. Both travel in the id we give a query, so that whoever
//! asks about it, in whichever process, holds it to them.

mod engine;
mod judge_execution;
mod query_ref;
mod wake_on_end;

pub use engine::{AthenaConfig, AthenaQueryEngine};
pub use wake_on_end::WakeOnEnd;
