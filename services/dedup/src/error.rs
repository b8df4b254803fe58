//! What can go wrong in dedup.

use mantissa_ports::PortError;
use mantissa_runtime::HandlerError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("alert key of rule `{rule}` is contended: {tries} commits lost the race")]
    Contended { rule: String, tries: u32 },
}

impl From<&Error> for HandlerError {
    fn from(error: &Error) -> Self {
        match error {
            Error::Port(port) if !port.is_transient() => Self::permanent(error),
            _ => Self::transient(error),
        }
    }
}
