//! `mantissa`: every service in one process, and the command line.
//!
//! A composition root: it opens the adapters, hands them to the stages and prints. What is decided is decided in the
//! stages and in `platform/`.

mod arguments;
mod commands;
mod exit;
mod installation;
mod lake_engine;
mod load_rules;
mod outbound_mail;
mod output;
mod receiver;
mod run_rule_tests;
mod run_services;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&anyhow::Error::new(error).context("start the async runtime")),
    };
    if let Err(error) = runtime.block_on(async { catch_file_size_signal() }) {
        return exit::report(&anyhow::Error::new(error).context("catch the signal of a file that is too large"));
    }
    match runtime.block_on(commands::run(arguments)) {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}

/// A file that grows past the process's limit is an error of the write, as a full disk is. Uncaught, its signal would end
/// the process without a word.
fn catch_file_size_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    /// `SIGXFSZ`, of the same number on every system and architecture that the binary is built for.
    const FILE_TOO_LARGE: i32 = 25;
    // The handler stays when what listens to it is dropped.
    signal(SignalKind::from_raw(FILE_TOO_LARGE)).map(drop)
}
