//! The AWS adapters on emulators of AWS that run on this machine.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on fails where it stands, and what holds on which emulator is its result"
)]

mod conformance;
mod emulator;
mod fixture;
mod outbox;
mod resources;
