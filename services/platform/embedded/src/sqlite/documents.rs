//! JSON documents and instants in columns.

use super::error::SqliteError;
use mantissa_contracts::time::Instant;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Params, Row, Statement, ToSql};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) fn encode<T: Serialize>(what: &'static str, value: &T) -> Result<String, SqliteError> {
    serde_json::to_string(value).map_err(|source| SqliteError::Encode { what, source })
}

pub(super) fn decode<T: DeserializeOwned>(table: &'static str, subject: &str, text: &str) -> Result<T, SqliteError> {
    serde_json::from_str(text).map_err(|error| SqliteError::BadRow {
        table,
        subject: subject.to_owned(),
        reason: error.to_string(),
    })
}

/// Reads rows of (name, document).
pub(super) fn query_documents<T: DeserializeOwned>(
    statement: &mut Statement<'_>,
    table: &'static str,
    parameters: impl Params,
) -> Result<Vec<T>, SqliteError> {
    let mut rows = statement.query(parameters)?;
    let mut documents = Vec::new();
    while let Some(row) = rows.next()? {
        documents.push(read_document(table, row)?);
    }
    Ok(documents)
}

pub(super) fn query_document<T: DeserializeOwned>(
    statement: &mut Statement<'_>,
    table: &'static str,
    parameters: impl Params,
) -> Result<Option<T>, SqliteError> {
    let row = statement.query_row(parameters, |row| Ok(read_document(table, row))).optional()?;
    row.transpose()
}

fn read_document<T: DeserializeOwned>(table: &'static str, row: &Row<'_>) -> Result<T, SqliteError> {
    let subject: String = row.get(0)?;
    let bytes = row.get_ref(1)?.as_bytes().map_err(|error| bad(table, &subject, &error))?;
    let text = std::str::from_utf8(bytes).map_err(|error| bad(table, &subject, &error))?;
    decode(table, &subject, text)
}

fn bad(table: &'static str, subject: &str, reason: &dyn std::fmt::Display) -> SqliteError {
    SqliteError::BadRow { table, subject: subject.to_owned(), reason: reason.to_string() }
}

/// An instant as the milliseconds a column holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Millis(pub(super) Instant);

impl ToSql for Millis {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.timestamp_millis()))
    }
}

impl FromSql for Millis {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let millis = value.as_i64()?;
        Instant::from_timestamp_millis(millis).map(Self).ok_or(FromSqlError::OutOfRange(millis))
    }
}

/// SQLite's integers are signed; what we count stays far below the half of them.
pub(super) fn to_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn to_u64(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

pub(super) fn to_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
