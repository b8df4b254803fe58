//! Deliveries against real local servers: what each does to a delivery's record, its messages and its input.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what helpers of tests meet unexpectedly is a failed test"
)]

mod canary;
mod destination_check;
mod email;
mod failing_servers;
mod lifecycle;
mod local_server;
mod races;
mod recording;
mod slack_api;
mod webhook_contract;
mod world;
