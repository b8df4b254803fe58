//! What can go wrong in enrichment.

use mantissa_ports::PortError;
use mantissa_runtime::HandlerError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("asset table `{path}` line {line}: {reason}")]
    AssetTable { path: String, line: u64, reason: String },
    #[error("alert `{alert}` is not in the store")]
    AlertMissing { alert: String },
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> Self {
        match error {
            Error::Port(port) => port.into(),
            // The alert is committed before its message is published: a store that answers from a replica may lag.
            Error::AlertMissing { .. } => Self::transient(error),
            Error::AssetTable { .. } => Self::permanent(error),
        }
    }
}
