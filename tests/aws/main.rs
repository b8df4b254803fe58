//! The AWS adapters on emulators of AWS that run on this machine.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on fails where it stands, and what holds on which emulator is its result"
)]

mod athena;
mod athena_endpoint;
mod cloud;
mod conformance;
mod emulator;
mod fault_proxy;
mod faults;
mod fixture;
mod function_processes;
mod handed;
mod interleavings;
mod mirrored_lake;
mod outbox;
mod packages;
mod resources;
mod seal_races;
mod upstream;
mod walk;
