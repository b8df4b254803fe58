//! What can go wrong in the result poller.

use mantissa_ports::PortError;
use mantissa_runtime::HandlerError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("rule `{rule}` version `{version}` is not in the store")]
    RuleMissing { rule: String, version: String },
    #[error("rule `{rule}` does not compile: {reason}")]
    RuleBroken { rule: String, reason: String },
    #[error("result of rule `{rule}` has no column `{column}`")]
    ColumnMissing { rule: String, column: String },
    #[error("result of rule `{rule}`, column `{column}`: `{value}` is not a {expected}")]
    BadValue { rule: String, column: String, value: String, expected: &'static str },
}

impl Error {
    /// True when reading the same result again would fail the same way: the window fails, not the message.
    pub fn fails_the_window(&self) -> bool {
        !matches!(self, Self::Port(port) if port.is_transient())
    }
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> Self {
        Self::transient(error)
    }
}
