//! Why a statement has no result, and whether the same statement can have one later.

use crate::answer::AnswerError;
use mantissa_contracts::messages::FailureKind;
use mantissa_ports::PortError;
use mantissa_ports::tracked_queries::QueryEnd;

#[derive(Debug, thiserror::Error)]
pub enum TrinoError {
    #[error("{0}")]
    Config(String),
    #[error("secret `{0}` is not stored")]
    NoSecret(String),
    #[error(transparent)]
    Secret(#[from] PortError),
    #[error("the cluster did not answer: {0}")]
    NoAnswer(String),
    #[error("the cluster refused the request with HTTP {status}: {reason}")]
    Refused { status: u16, reason: String },
    #[error("the cluster does not know the query any more, as after a restart")]
    Forgotten,
    #[error("the cluster's answer cannot be read: {0}")]
    Answer(String),
    #[error(
        "the cluster's answer leads to `{origin}`, which is not the configured address; behind a proxy the coordinator \
         needs `http-server.process-forwarded=true`"
    )]
    LedAway { origin: String },
    #[error("{0}")]
    Statement(Box<AnswerError>),
    #[error(
        "table `{table}` is registered otherwise: {difference}; `--replace` makes it anew (its files stay, and queries that \
         run meanwhile fail)"
    )]
    Differs { table: &'static str, difference: String },
    #[error("the result has more than {max_rows} rows")]
    TooManyRows { max_rows: u64 },
    #[error("the result is larger than {max_bytes} bytes")]
    TooLarge { max_bytes: usize },
}

/// The cluster's words for what a retry cannot help although the statement is not to blame: what one query may take.
const LIMITS_OF_ONE_QUERY: [&str; 6] = [
    "EXCEEDED_GLOBAL_MEMORY_LIMIT",
    "EXCEEDED_LOCAL_MEMORY_LIMIT",
    "EXCEEDED_SCAN_LIMIT",
    "EXCEEDED_CPU_LIMIT",
    "EXCEEDED_SPILL_LIMIT",
    "EXCEEDED_WRITE_LIMIT",
];

impl TrinoError {
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::NoAnswer(_) | Self::Forgotten => FailureKind::Transient,
            Self::Secret(error) if error.is_transient() => FailureKind::Transient,
            Self::Refused { status, .. } if is_passing(*status) => FailureKind::Transient,
            Self::Statement(error) => kind_of(error),
            _ => FailureKind::Permanent,
        }
    }

    pub(crate) fn into_end(self) -> QueryEnd {
        match self {
            Self::Statement(error) if error.error_name == "USER_CANCELED" => QueryEnd::Cancelled,
            other => QueryEnd::failed(other.kind(), format!("run query: {other}")),
        }
    }

    pub(crate) fn into_port(self, operation: &'static str, subject: &str) -> PortError {
        match self.kind() {
            FailureKind::Transient => PortError::transient(operation, subject, self),
            FailureKind::Permanent => PortError::permanent(operation, subject, self),
        }
    }
}

/// Statuses that say nothing about the request.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502..=504)
}

fn kind_of(error: &AnswerError) -> FailureKind {
    match (error.error_type.as_str(), error.error_name.as_str()) {
        // Whoever followed it was held up.
        ("USER_ERROR", "ABANDONED_QUERY") => FailureKind::Transient,
        ("USER_ERROR", _) => FailureKind::Permanent,
        ("INSUFFICIENT_RESOURCES", name) if LIMITS_OF_ONE_QUERY.contains(&name) => FailureKind::Permanent,
        // A file that is not Parquet stays so.
        ("EXTERNAL", "HIVE_BAD_DATA") => FailureKind::Permanent,
        _ => FailureKind::Transient,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_retry_can_help_is_transient() {
        let kind = |error_type: &str, error_name: &str| {
            kind_of(&AnswerError {
                message: String::new(),
                error_name: error_name.to_owned(),
                error_type: error_type.to_owned(),
                error_location: None,
            })
        };
        for (error_type, name) in [
            ("USER_ERROR", "COLUMN_NOT_FOUND"),
            ("USER_ERROR", "PERMISSION_DENIED"),
            ("INSUFFICIENT_RESOURCES", "EXCEEDED_LOCAL_MEMORY_LIMIT"),
            ("EXTERNAL", "HIVE_BAD_DATA"),
        ] {
            assert_eq!(kind(error_type, name), FailureKind::Permanent, "{name}");
        }
        for (error_type, name) in [
            ("INTERNAL_ERROR", "NO_NODES_AVAILABLE"),
            ("INSUFFICIENT_RESOURCES", "QUERY_QUEUE_FULL"),
            ("INSUFFICIENT_RESOURCES", "EXCEEDED_TIME_LIMIT"),
            ("EXTERNAL", "HIVE_CANNOT_OPEN_SPLIT"),
            ("USER_ERROR", "ABANDONED_QUERY"),
        ] {
            assert_eq!(kind(error_type, name), FailureKind::Transient, "{name}");
        }
    }
}
