//! The IngestStore port on SQLite.

use super::database::SqliteDb;
use super::documents::{Millis, encode, query_document, query_documents, to_i64, to_limit, to_u64};
use super::error::SqliteError;
use super::write_in_groups::WriteTx;
use async_trait::async_trait;
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_ports::PortError;
use mantissa_ports::stores::{BeginOutcome, EventSpan, IngestStore, IngestedObject, LakeCommit};
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

pub struct SqliteIngestStore {
    db: Arc<SqliteDb>,
}

impl SqliteIngestStore {
    pub fn new(db: Arc<SqliteDb>) -> Self {
        Self { db }
    }
}

#[async_trait]
impl IngestStore for SqliteIngestStore {
    async fn begin(&self, commit: &LakeCommit) -> Result<BeginOutcome, PortError> {
        let commit = commit.clone();
        let subject = commit.object_id.to_string();
        self.db.write("begin lake commit of object", subject, move |tx| begin(tx, &commit)).await
    }

    async fn complete(&self, object: &ObjectId, part: u32, stamp: Instant) -> Result<bool, PortError> {
        let id = object.to_string();
        let complete = move |tx: &WriteTx<'_>| {
            let mut update = tx.conn.prepare_cached(
                "UPDATE lake_commits SET complete = 1 WHERE object_id = ?1 AND part = ?2 AND stamp = ?3",
            )?;
            Ok(update.execute(params![id, part, Millis(stamp)])? > 0)
        };
        self.db.write("complete lake commit of object", object.as_str(), complete).await
    }

    async fn seal(&self, table: &str, until: Instant, lapsed_before: Instant) -> Result<Instant, PortError> {
        let name = table.to_owned();
        self.db.write("seal ingestion time of table", table, move |tx| seal(tx, &name, until, lapsed_before)).await
    }

    async fn event_span(&self, table: &str, window: TimeWindow) -> Result<Option<EventSpan>, PortError> {
        let name = table.to_owned();
        let span = move |conn: &Connection| {
            let mut select = conn.prepare_cached(
                "SELECT min(event_from), max(event_to), sum(n_records) FROM lake_commits
                 WHERE table_name = ?1 AND complete = 1 AND stamp >= ?2 AND stamp < ?3",
            )?;
            let (from, to, n_records) =
                select.query_row(params![name, Millis(window.from), Millis(window.to)], |row| {
                    Ok((
                        row.get::<_, Option<Millis>>(0)?,
                        row.get::<_, Option<Millis>>(1)?,
                        row.get::<_, Option<i64>>(2)?,
                    ))
                })?;
            let span = from.zip(to).zip(n_records);
            Ok(span.map(|((from, to), n_records)| EventSpan { from: from.0, to: to.0, n_records: to_u64(n_records) }))
        };
        self.db.read("read event span of table", table, span).await
    }

    async fn record_object(&self, object: &IngestedObject) -> Result<(), PortError> {
        let object = object.clone();
        let subject = object.object_id.to_string();
        let record = move |tx: &WriteTx<'_>| {
            let mut upsert = tx.conn.prepare_cached(
                "INSERT OR REPLACE INTO ingested_objects (object_id, ingested_at, document) VALUES (?1, ?2, ?3)",
            )?;
            let document = encode("ingested object", &object)?;
            upsert.execute(params![object.object_id.as_str(), Millis(object.ingested_at), document])?;
            Ok(())
        };
        self.db.write("record ingested object", subject, record).await
    }

    async fn object(&self, object: &ObjectId) -> Result<Option<IngestedObject>, PortError> {
        let id = object.to_string();
        let get = move |conn: &Connection| {
            let mut select =
                conn.prepare_cached("SELECT object_id, document FROM ingested_objects WHERE object_id = ?1")?;
            query_document(&mut select, "ingested_objects", params![id])
        };
        self.db.read("read ingested object", object.as_str(), get).await
    }

    async fn objects(&self, limit: usize) -> Result<Vec<IngestedObject>, PortError> {
        let list = move |conn: &Connection| {
            let mut select = conn.prepare_cached(
                "SELECT object_id, document FROM ingested_objects ORDER BY ingested_at DESC, object_id DESC LIMIT ?1",
            )?;
            query_documents(&mut select, "ingested_objects", params![to_limit(limit)])
        };
        self.db.read("list ingested objects", "all", list).await
    }
}

fn begin(tx: &WriteTx<'_>, commit: &LakeCommit) -> Result<BeginOutcome, SqliteError> {
    let mut completed =
        tx.conn.prepare_cached("SELECT complete FROM lake_commits WHERE object_id = ?1 AND part = ?2")?;
    let complete: Option<bool> =
        completed.query_row(params![commit.object_id.as_str(), commit.part], |row| row.get(0)).optional()?;
    if complete == Some(true) {
        return Ok(BeginOutcome::AlreadyComplete);
    }
    if let Some(until) = sealed_until(tx, &commit.table)?.filter(|until| commit.stamp < *until) {
        return Ok(BeginOutcome::Sealed { until });
    }
    let mut upsert = tx.conn.prepare_cached(
        "INSERT OR REPLACE INTO lake_commits
             (object_id, part, table_name, stamp, event_from, event_to, n_records, complete)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
    )?;
    upsert.execute(params![
        commit.object_id.as_str(),
        commit.part,
        commit.table,
        Millis(commit.stamp),
        Millis(commit.event_from),
        Millis(commit.event_to),
        to_i64(commit.n_records),
    ])?;
    Ok(BeginOutcome::Begun)
}

fn seal(tx: &WriteTx<'_>, table: &str, until: Instant, lapsed_before: Instant) -> Result<Instant, SqliteError> {
    // A lapsed intent is forgotten, so completing it finds nothing.
    let mut forget =
        tx.conn.prepare_cached("DELETE FROM lake_commits WHERE table_name = ?1 AND complete = 0 AND stamp < ?2")?;
    forget.execute(params![table, Millis(lapsed_before)])?;
    let mut earliest =
        tx.conn.prepare_cached("SELECT min(stamp) FROM lake_commits WHERE table_name = ?1 AND complete = 0")?;
    let intent: Option<Millis> = earliest.query_row(params![table], |row| row.get(0))?;
    let reachable = intent.map_or(until, |stamp| stamp.0.min(until));
    let before = sealed_until(tx, table)?;
    let sealed = before.map_or(reachable, |before| before.max(reachable));
    if before != Some(sealed) {
        let mut upsert = tx.conn.prepare_cached("INSERT OR REPLACE INTO seals (table_name, until) VALUES (?1, ?2)")?;
        upsert.execute(params![table, Millis(sealed)])?;
    }
    Ok(sealed)
}

fn sealed_until(tx: &WriteTx<'_>, table: &str) -> Result<Option<Instant>, SqliteError> {
    let mut select = tx.conn.prepare_cached("SELECT until FROM seals WHERE table_name = ?1")?;
    let until: Option<Millis> = select.query_row(params![table], |row| row.get(0)).optional()?;
    Ok(until.map(|until| until.0))
}
