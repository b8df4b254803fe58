//! The stages as Lambda functions: one small binary each in `bin/`, and what they have in common.
//!
//! A composition root: it opens the adapters that a function's environment names, hands them to the stage, and turns what
//! Lambda hands over into what the stage takes. What is decided is decided in the stages and in `platform/`.
//!
//! Invariants: a message that was not settled is reported as failed, so that the event source mapping does not delete it;
//! a message of no known queue fails its whole batch, visibly.

mod announce_lifecycle;
mod announce_objects;
pub mod config;
pub mod configuration;
mod configure;
mod deployment;
mod function;
pub mod functions;
mod queue_service;
mod report_metrics;
mod wake_poller;

pub use announce_lifecycle::AnnounceLifecycle;
pub use announce_objects::AnnounceObjects;
pub use configure::{Configured, configure};
pub use deployment::Deployment;
pub use function::{Function, serve_http};
pub use wake_poller::WakePoller;
