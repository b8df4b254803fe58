//! Makes destinations agree with the state of alerts.
//!
//! - Consumes `notification_requested`, one queue a destination type.
//! - Produces `delivery_recorded` for every try, and `rule_matched` (a system alert) when a delivery is given up.
//! - Idempotency key: the delivery, (alert, destination, intent, revision it is about).
//!
//! Invariants:
//! - A delivery is claimed in the store before its first try, and each try is recorded with its messages in one write.
//! - Of an opening and a closing that race, the closing is never lost: an opening reads the alert only under its claim,
//!   and a closing waits for an opening that is being sent.
//! - No worker sleeps for a destination: every wait is a time in the record and a hidden message.
//! - Every request passes the address filter, in the resolver, so the address checked is the address dialled.
//! - No record, message, error or log line holds a secret or anything a receiver answered, save known error codes.

mod check_destination;
mod claim;
mod clean_text;
pub mod config;
pub mod deps;
mod destinations;
pub mod error;
pub mod handler;
pub mod http;
mod limit_rate;
mod mute;
mod plan_next;
mod raise_system_alert;
mod record;
mod render;
mod retry;
mod send;
mod show_alert;
mod sync_destinations;
mod test_send;
mod why;

pub use check_destination::check_destination;
pub use claim::delivery_key;
pub use config::NotifierConfig;
pub use deps::{NotifierDeps, OutboundMail};
pub use error::NotifierError;
pub use handler::NotificationHandler;
pub use http::{AddressPolicy, HttpConfig, HttpSender};
pub use sync_destinations::sync_destinations;
pub use test_send::{TestSend, test_send};
pub use why::explain;
