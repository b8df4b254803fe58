//! What can go wrong while ingesting. What is wrong with a record is a reason in the quarantine instead.

use mantissa_lake::LakeError;
use mantissa_ports::PortError;
use mantissa_runtime::HandlerError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("ingest `{location}`: {source}")]
    Lake { location: String, source: LakeError },
    #[error("compact `{table}`: {source}")]
    Compact { table: &'static str, source: LakeError },
    #[error(
        "ingest `{location}`: source `{log_source}` is unknown, expected auto, cloudtrail, vpc_flow, guardduty or application"
    )]
    UnknownSource { location: String, log_source: String },
    #[error("compact `{table}`: no such table")]
    UnknownTable { table: String },
    #[error("read `{location}`: {source}")]
    ReadObject { location: String, source: std::io::Error },
    #[error("commit part {part} of `{location}`: ingestion time was sealed before it in {n_tries} tries")]
    AlwaysSealed { location: String, part: u32, n_tries: u32 },
    #[error("ingest `{location}`: the worker thread ended: {source}")]
    Thread { location: String, source: tokio::task::JoinError },
    #[error("read quarantine file `{key}`, line {line}: {source}")]
    QuarantineFile { key: String, line: usize, source: serde_json::Error },
    #[error("write quarantine file `{key}`: {source}")]
    QuarantineEntry { key: String, source: serde_json::Error },
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> Self {
        match error {
            Error::Port(error) => error.into(),
            Error::ReadObject { .. } | Error::AlwaysSealed { .. } | Error::Thread { .. } => Self::transient(error),
            Error::Lake { .. }
            | Error::Compact { .. }
            | Error::UnknownSource { .. }
            | Error::UnknownTable { .. }
            | Error::QuarantineFile { .. }
            | Error::QuarantineEntry { .. } => Self::permanent(error),
        }
    }
}
