//! What can go wrong in the scheduler.

use mantissa_ports::PortError;
use mantissa_runtime::HandlerError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Port(#[from] PortError),
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> Self {
        match error {
            Error::Port(error) => error.into(),
        }
    }
}
