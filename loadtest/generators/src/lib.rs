//! Logs of an invented company, Larkspur Freight, in the genuine formats of the sources we read: for the demo,
//! for tests and for the benchmark.
//!
//! - [`DemoDay`]: one whole day with the attacks that [`attacks`] lists, each with the rules that must find it.
//! - [`LiveTail`]: what arrives between two moments, for a demo that keeps running.
//! - [`bench`]: a stream of CloudTrail records with a skewed distribution of event names.
//!
//! Invariants:
//! - The same seed, times and options give the same bytes, on every machine.
//! - No clock is read and no file is written: times come in, objects go out.
//! - Everything is invented. Strangers have addresses of the documentation and benchmark ranges
//!   (RFC 5737, RFC 2544), account ids and access keys are those AWS uses in examples.

mod api_call;
mod baseline;
pub mod bench;
mod company;
mod demo_day;
mod finding;
mod line;
mod live_tail;
mod scenarios;
mod seeded_random;
mod write_objects;

pub use demo_day::{DemoDay, DemoDayOptions};
pub use live_tail::LiveTail;
pub use scenarios::{Attack, RuleFile, attacks};

/// A raw object as it lies in a bucket or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedObject {
    /// As the service that writes it would name it: `AWSLogs/111122223333/CloudTrail/us-east-1/…json.gz`.
    pub key: String,
    pub bytes: Vec<u8>,
    /// Name of the log source: `cloudtrail`, `vpc_flow`, `guardduty` or `application`.
    pub source: &'static str,
    pub n_records: usize,
}

/// Version of what is generated. Bytes for a seed may differ between versions, never within one.
pub const GENERATOR_VERSION: u32 = 1;

#[cfg(test)]
mod tests;
