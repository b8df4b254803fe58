//! End to end: the real binary, killed, starved, fed with rubbish, and looked at from outside.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what helpers of tests meet unexpectedly is a failed test")]

mod bad_destinations;
mod bad_disk;
mod bad_logs;
mod bad_rules;
mod bad_state;
mod context;
mod demo;
mod dlq;
mod kill;
mod killed_state;
mod lake_upkeep;
mod mail;
mod outage;
mod server;
mod single_machine;
mod trace;
mod triage;
