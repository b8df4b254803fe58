//! `mantissa`: every service in one process, and the command line.
//!
//! A composition root: it opens the adapters, hands them to the stages and prints. What is decided is decided in the
//! stages and in `platform/`.

mod arguments;
mod commands;
mod config;
mod exit;
mod installation;
mod load_rules;
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
    match runtime.block_on(commands::run(arguments)) {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}
