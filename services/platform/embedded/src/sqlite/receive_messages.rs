//! Taking messages from a queue, and moving those that cannot be taken to its DLQ.

use super::documents::{Millis, to_limit};
use super::error::SqliteError;
use super::write_in_groups::WriteTx;
use mantissa_contracts::time::Instant;
use mantissa_contracts::topology::QueueSpec;
use mantissa_ports::{Receipt, ReceivedMessage};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use uuid::{Builder, Uuid};

/// A row of the queue: a message, or the reason why there is none in it.
struct Candidate {
    id: i64,
    receive_count: u32,
    sent_at: Instant,
    content: Result<(String, BTreeMap<String, String>), String>,
}

/// Takes up to `max` visible messages. Those that used up their receives, or whose row is corrupted, go to the DLQ.
pub(super) fn receive(
    tx: &WriteTx<'_>,
    spec: &QueueSpec,
    max: usize,
    visibility: Duration,
) -> Result<Vec<ReceivedMessage>, SqliteError> {
    let mut taken = Vec::new();
    let mut taken_ids = HashSet::new();
    loop {
        // What was taken with no visibility at all would be found again.
        let candidates = find_visible(tx, spec, max.saturating_add(taken.len()).min(10_000))?;
        let mut n_buried = 0;
        for candidate in candidates {
            if taken.len() >= max || taken_ids.contains(&candidate.id) {
                continue;
            }
            match accept(spec, candidate) {
                Ok(message) => {
                    taken_ids.insert(message.0);
                    taken.push(mark_received(tx, message.0, message.1, visibility)?);
                }
                Err((id, reason)) => {
                    bury(tx, id, &reason)?;
                    n_buried += 1;
                }
            }
        }
        if n_buried == 0 || taken.len() >= max {
            return Ok(taken);
        }
    }
}

fn find_visible(tx: &WriteTx<'_>, spec: &QueueSpec, limit: usize) -> Result<Vec<Candidate>, SqliteError> {
    let mut select = tx.conn.prepare_cached(
        "SELECT id, receive_count, sent_at, body, attributes FROM messages
         WHERE queue = ?1 AND visible_at <= ?2 ORDER BY visible_at, receive_count, id LIMIT ?3",
    )?;
    let rows = select.query_map(params![spec.name, Millis(tx.now), to_limit(limit)], read_candidate)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    let body = read_text(row.get_ref(3)?).map_err(|reason| format!("corrupted row: body {reason}"));
    let attributes = read_text(row.get_ref(4)?)
        .and_then(|text| serde_json::from_str(&text).map_err(|error| format!("cannot be read: {error}")))
        .map_err(|reason| format!("corrupted row: attributes {reason}"));
    Ok(Candidate {
        id: row.get(0)?,
        receive_count: row.get(1)?,
        sent_at: row.get::<_, Millis>(2)?.0,
        content: body.and_then(|body| Ok((body, attributes?))),
    })
}

fn read_text(value: ValueRef<'_>) -> Result<String, String> {
    let bytes = value.as_bytes().map_err(|_| "is not text".to_owned())?;
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| format!("is not UTF-8: {error}"))
}

/// The message as its next receiver gets it, or why it goes to the DLQ.
fn accept(spec: &QueueSpec, candidate: Candidate) -> Result<(i64, ReceivedMessage), (i64, String)> {
    let id = candidate.id;
    if candidate.receive_count >= spec.max_receive_count {
        return Err((id, exhausted(spec)));
    }
    let (body, attributes) = candidate.content.map_err(|reason| (id, reason))?;
    let receive_count = candidate.receive_count + 1;
    let receipt = Receipt(format!("{id}-{receive_count}"));
    Ok((id, ReceivedMessage { receipt, body, attributes, receive_count, sent_at: candidate.sent_at }))
}

fn mark_received(
    tx: &WriteTx<'_>,
    id: i64,
    message: ReceivedMessage,
    visibility: Duration,
) -> Result<ReceivedMessage, SqliteError> {
    let mut update =
        tx.conn.prepare_cached("UPDATE messages SET receive_count = ?2, visible_at = ?3, in_hand = 1 WHERE id = ?1")?;
    update.execute(params![id, message.receive_count, Millis(tx.now + visibility)])?;
    Ok(message)
}

pub(super) fn has_visible(conn: &Connection, spec: &QueueSpec, now: Instant) -> Result<bool, SqliteError> {
    let mut exists =
        conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM messages WHERE queue = ?1 AND visible_at <= ?2)")?;
    Ok(exists.query_row(params![spec.name, Millis(now)], |row| row.get(0))?)
}

pub(super) fn has_exhausted(conn: &Connection, spec: &QueueSpec, now: Instant) -> Result<bool, SqliteError> {
    let mut exists = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE queue = ?1 AND visible_at <= ?2 AND receive_count >= ?3)",
    )?;
    Ok(exists.query_row(params![spec.name, Millis(now), spec.max_receive_count], |row| row.get(0))?)
}

pub(super) fn bury_exhausted(tx: &WriteTx<'_>, spec: &QueueSpec) -> Result<(), SqliteError> {
    let mut select = tx
        .conn
        .prepare_cached("SELECT id FROM messages WHERE queue = ?1 AND visible_at <= ?2 AND receive_count >= ?3")?;
    let ids = select.query_map(params![spec.name, Millis(tx.now), spec.max_receive_count], |row| row.get(0))?;
    for id in ids.collect::<Result<Vec<i64>, _>>()? {
        bury(tx, id, &exhausted(spec))?;
    }
    Ok(())
}

/// Moves a message to the DLQ as it is, byte for byte.
pub(super) fn bury(tx: &WriteTx<'_>, id: i64, reason: &str) -> Result<(), SqliteError> {
    let mut copy = tx.conn.prepare_cached(
        "INSERT INTO dead_messages (dead_id, queue, body, attributes, reason, receive_count, sent_at, died_at)
         SELECT ?2, queue, body, attributes, ?3, receive_count, sent_at, ?4 FROM messages WHERE id = ?1",
    )?;
    copy.execute(params![id, dead_id(tx.now, id).to_string(), reason, Millis(tx.now)])?;
    tx.conn.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute(params![id])?;
    Ok(())
}

fn exhausted(spec: &QueueSpec) -> String {
    format!("received {} times without being acknowledged", spec.max_receive_count)
}

/// Sorts by time of death, then by age, so that it serves as the position of a page even after the message is gone.
fn dead_id(died_at: Instant, message_id: i64) -> Uuid {
    let mut tail = [0; 10];
    tail[4..].copy_from_slice(&message_id.to_be_bytes()[2..]);
    let millis = u64::try_from(died_at.timestamp_millis()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}
