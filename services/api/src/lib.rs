//! Serves people and programs: the status page, the read API, health and metrics; and a person's triage.
//!
//! - **Consumes** requests. **Produces** `alert_updated` and `alert_closed`, committed with the alert.
//! - **Idempotency key**: the alert's revision; the same click twice changes an alert once.
//!
//! Invariants: every number shown was measured when it was asked for; values from logs are escaped where they are shown;
//! nothing here writes except triage.

pub mod deps;
pub mod error;
pub mod gather_status;
mod observe_requests;
mod render_page;
pub mod routes;
pub mod triage_alert;

pub use deps::ApiDeps;
pub use error::Error;
pub use gather_status::{Status, gather_status};
pub use routes::router;
pub use triage_alert::{TriageOutcome, triage_alert};
