//! Brings a database file to the schema this version knows.

use super::error::SqliteError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Step n leads from schema n to n + 1. A released step is never edited; a change is a new step.
pub(super) const STEPS: &[&str] = &[include_str!("schema_v1.sql"), include_str!("schema_v2.sql")];

/// `MANT`: tells our files from those of other programs.
pub(super) const APPLICATION_ID: i64 = 0x4d41_4e54;

pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), SqliteError> {
    let known = STEPS.len() as i64;
    if version_of(connection)? == known && application_of(connection)? == APPLICATION_ID {
        return Ok(());
    }
    // Two processes may open a new file at once: what was read outside the transaction does not count.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version_of(&transaction)?;
    let n_tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let is_new = found == 0 && n_tables == 0;
    if !is_new && application_of(&transaction)? != APPLICATION_ID {
        return Err(SqliteError::NotOurs { path: path.to_owned() });
    }
    if found > known {
        return Err(SqliteError::NewerSchema { path: path.to_owned(), found, known });
    }
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or_default()) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

fn version_of(connection: &Connection) -> Result<i64, SqliteError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn application_of(connection: &Connection) -> Result<i64, SqliteError> {
    Ok(connection.pragma_query_value(None, "application_id", |row| row.get(0))?)
}
