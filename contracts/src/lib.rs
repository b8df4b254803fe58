//! What the services say to each other and to third parties.
//!
//! This is a leaf crate: it holds wire types, the ids they carry, and the one table of queues and topics
//! ([`topology`]). It holds no behaviour of the product and imports none of our crates.
//!
//! The Rust types are the source. `schemas/`, `asyncapi.yaml` and `topology.json` are generated from them
//! (`make contracts`), committed, and a test fails when they drift.

pub mod documents;
pub mod envelope;
pub mod ids;
pub mod messages;
pub mod time;
pub mod topology;

pub use envelope::{DecodeError, Envelope, Message};
