//! Exit codes, and how errors are shown.

use crate::output;
use std::process::ExitCode;

/// It ran, and what it looked at is not as it should be: a rule has problems, a test failed, something was quarantined.
pub(crate) const FOUND_PROBLEMS: u8 = 1;
/// The arguments, the configuration or a file are wrong; nothing was done.
pub(crate) const BAD_INPUT: u8 = 2;
/// Another process holds the data directory.
pub(crate) const IN_USE: u8 = 3;
/// What was named is not there.
pub(crate) const NOT_FOUND: u8 = 4;
/// Something else failed; the message says what.
pub(crate) const FAILED: u8 = 10;

/// An error that knows its exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

pub(crate) fn bad_input(message: impl Into<String>) -> anyhow::Error {
    Failure { code: BAD_INPUT, message: message.into() }.into()
}

pub(crate) fn not_found(message: impl Into<String>) -> anyhow::Error {
    Failure { code: NOT_FOUND, message: message.into() }.into()
}

/// Prints the error with its causes and picks the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    output::error(&format!("{error:#}"));
    let code = error.chain().find_map(|cause| cause.downcast_ref::<Failure>()).map_or(FAILED, |failure| failure.code);
    ExitCode::from(code)
}
