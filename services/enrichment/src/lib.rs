//! Adds what is known about an alert's entities, and chooses its destinations.
//!
//! - **Consumes** `alert_opened`, `alert_updated`, `alert_closed`. **Produces** `alert_enriched` and one
//!   `notification_requested` per chosen destination, committed with the context.
//! - **Idempotency key**: (alert, revision); the ids of what it publishes are derived from them.
//!
//! Invariants: enrichment never changes an alert's revision; a table or database that cannot be read is an error
//! at start, never an alert without context; every alert goes somewhere while a destination exists.

pub mod asset_table;
pub mod deps;
pub mod error;
pub mod gather_context;
pub mod handler;
mod request_notifications;

pub use asset_table::AssetTable;
pub use deps::EnrichmentDeps;
pub use error::Error;
pub use handler::{ClosedHandler, OpenedHandler, UpdatedHandler};
