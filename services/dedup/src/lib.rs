//! Groups matches into alerts.
//!
//! - **Consumes** `rule_matched`. **Produces** `alert_opened` and `alert_updated`, committed with the alert.
//! - **Idempotency key**: the match id, unique within its rule.
//!
//! Invariants: at most one alert per (rule, alert key) and dedup window is opened, also when workers race: the
//! key's revision decides, never get-then-put; a match counts once however often it is delivered.

pub mod deps;
pub mod error;
mod group_matches;
pub mod handler;
#[cfg(test)]
mod tests;

pub use deps::DedupDeps;
pub use error::Error;
pub use group_matches::group_matches;
pub use handler::MatchHandler;
