//! Raw objects → records, streaming: an object is never held in memory as a whole.
//!
//! Every byte of an object ends as a record, as an entry of the quarantine with its place and reason, or is white space
//! or the brackets around records. Nothing here panics on what it reads.

mod access_log;
mod application;
mod cloudtrail;
mod detect_source;
mod event_times;
mod frame;
mod guardduty;
mod json_record;
mod open_object;
mod part;
mod read_object;
mod syslog;
#[cfg(test)]
mod tests;
mod vpc_flow;
mod vpc_flow_parquet;

pub use part::{Part, PartLimits, Quarantined};
pub use read_object::{ObjectContext, ReadSummary, read_object};
