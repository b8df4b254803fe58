//! What can go wrong with the database file, and whether trying again can help.

use mantissa_ports::PortError;
use rusqlite::ErrorCode;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum SqliteError {
    #[error("open database `{}`: {source}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("open database `{}`: it was written by a newer version (schema {found}, this one knows {known})", path.display())]
    NewerSchema { path: PathBuf, found: i64, known: i64 },
    #[error("open database `{}`: it is a database of another program", path.display())]
    NotOurs { path: PathBuf },
    #[error("open database `{}`: {source}", path.display())]
    Prepare { path: PathBuf, source: Box<SqliteError> },
    #[error("lock data directory `{}`: {source}", dir.display())]
    Lock { dir: PathBuf, source: io::Error },
    #[error("lock data directory `{}`: it is in use by process {pid}", dir.display())]
    InUse { dir: PathBuf, pid: String },
    #[error("{}", explain(.0))]
    Sqlite(#[from] rusqlite::Error),
    #[error("row `{subject}` of table {table} cannot be read: {reason}")]
    BadRow { table: &'static str, subject: String, reason: String },
    #[error("write {what} as JSON: {source}")]
    Encode { what: &'static str, source: serde_json::Error },
    #[error("the topology has no target for message `{message}`")]
    Unroutable { message: String },
    #[error("{reason}")]
    Refused { reason: &'static str },
    /// The transaction that held this write and others did not commit.
    #[error("{reason}")]
    Group { transient: bool, reason: String },
    #[error("the database was closed")]
    Closed,
}

impl SqliteError {
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Sqlite(error) => is_transient(error),
            Self::Group { transient, .. } => *transient,
            Self::Closed => true,
            _ => false,
        }
    }

    pub(crate) fn into_port(self, operation: &'static str, subject: impl Into<String>) -> PortError {
        if self.is_transient() {
            PortError::transient(operation, subject, self)
        } else {
            PortError::permanent(operation, subject, self)
        }
    }
}

fn is_transient(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::OperationInterrupted
                | ErrorCode::OperationAborted
                | ErrorCode::CannotOpen
                | ErrorCode::FileLockingProtocolFailed
        )
    )
}

/// SQLite's own words for these do not say what to do.
fn explain(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
        Some(ErrorCode::DatabaseBusy) => "the database is locked by another process".to_owned(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            format!("the database file is corrupted, restore it from a copy: {error}")
        }
        _ => error.to_string(),
    }
}
