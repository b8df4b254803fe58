//! What can go wrong with batches and files. What can go wrong with one record is a reason in the quarantine instead.

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    #[error("build a batch of `{table}`: {source}")]
    BuildBatch { table: &'static str, source: ArrowError },
    #[error("sort records of `{subject}` by event time: {source}")]
    Sort { subject: String, source: ArrowError },
    #[error("write Parquet file `{key}`: {source}")]
    WriteParquet { key: String, source: ParquetError },
    #[error("read Parquet file `{key}`: {source}")]
    ReadParquet { key: String, source: ParquetError },
    #[error("read Parquet file `{key}`: {reason}")]
    UnexpectedContent { key: String, reason: String },
}
