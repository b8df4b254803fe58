//! Pure decisions: which windows are due, what a match does to an alert, where an alert goes.
//!
//! No IO, no clock, no async: everything a decision depends on is passed in, and every decision returns its
//! reason. The same input gives the same decision on every machine.

pub mod address;
pub mod alert_key;
pub mod dedup;
pub mod matchers;
pub mod notify;
pub mod retry_backoff;
pub mod routing;
pub mod system_alert;
pub mod triage;
pub mod windows;
