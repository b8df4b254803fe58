//! Why a query failed, and whether the same query can succeed later.

use datafusion::error::DataFusionError;
use mantissa_contracts::messages::FailureKind;
use mantissa_ports::tracked_queries::QueryEnd;
use mantissa_sql::{Position, SqlError};
use std::error::Error;
use std::io;

#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error(transparent)]
    Sql(#[from] SqlError),
    #[error("plan query: {what} is not supported by the embedded engine, at {at}")]
    Unsupported { what: String, at: Position },
    #[error("plan query: {what} at {at}")]
    Invalid { what: String, at: Position },
    #[error("plan query: {0}")]
    Plan(#[source] Box<DataFusionError>),
    #[error("run query: {0}")]
    Run(#[source] Box<DataFusionError>),
    #[error("run query: a file of the lake disappeared while it was read, as compaction does; run it again: {0}")]
    FileDisappeared(#[source] Box<DataFusionError>),
    #[error("run query: it needs more memory than it may have: {0}")]
    Memory(#[source] Box<DataFusionError>),
    #[error("run query: the result has more than {max_rows} rows")]
    TooManyRows { max_rows: u64 },
    #[error("run query: the result is larger than {max_bytes} bytes")]
    TooLarge { max_bytes: usize },
    #[error("open query engine: {0}")]
    Open(#[source] Box<DataFusionError>),
    #[error("run query: the engine stopped unexpectedly: {0}")]
    Stopped(String),
}

impl QueryError {
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::FileDisappeared(_) => FailureKind::Transient,
            Self::Run(error) if is_io(error) => FailureKind::Transient,
            _ => FailureKind::Permanent,
        }
    }

    pub(super) fn into_end(self) -> QueryEnd {
        QueryEnd::failed(self.kind(), self.to_string())
    }

    pub(super) fn plan(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => Self::run(error),
            _ => Self::Plan(Box::new(error)),
        }
    }

    pub(super) fn run(error: DataFusionError) -> Self {
        if is_memory(&error) {
            Self::Memory(Box::new(error))
        } else if is_missing_file(&error) {
            Self::FileDisappeared(Box::new(error))
        } else {
            Self::Run(Box::new(error))
        }
    }
}

fn is_memory(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

fn is_missing_file(error: &DataFusionError) -> bool {
    sources(error).any(|source| {
        source.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
            || matches!(
                source.downcast_ref::<datafusion::object_store::Error>(),
                Some(datafusion::object_store::Error::NotFound { .. })
            )
    })
}

fn is_io(error: &DataFusionError) -> bool {
    sources(error).any(|source| source.is::<io::Error>() || source.is::<datafusion::object_store::Error>())
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}
