//! Conditional writes of alerts, their keys and their matches.

use super::documents::{Millis, encode, to_i64, to_u64};
use super::enqueue_messages::enqueue;
use super::error::SqliteError;
use super::write_in_groups::WriteTx;
use mantissa_contracts::ids::{AlertId, MatchId, RuleId};
use mantissa_contracts::messages::{AlertContext, AlertSnapshot};
use mantissa_contracts::time::Instant;
use mantissa_ports::Outgoing;
use mantissa_ports::stores::{ChangeCommit, CommitOutcome, MatchCommit};
use rusqlite::{OptionalExtension, params};

pub(super) fn commit_matches(tx: &WriteTx<'_>, commit: &MatchCommit) -> Result<CommitOutcome, SqliteError> {
    let alert = &commit.alert;
    let rule_id = &alert.rule.rule_id;
    let seen = find_seen(tx, rule_id, &commit.match_ids)?;
    if !seen.is_empty() {
        return Ok(CommitOutcome::MatchesSeen(seen));
    }
    let stored = find_stored(tx, &alert.alert_id)?;
    let stored_revision = stored.as_ref().map_or(0, |stored| stored.revision);
    if key_revision(tx, rule_id, &commit.key_digest)? != commit.expected_key_revision
        || stored_revision + 1 != alert.revision
    {
        return Ok(CommitOutcome::Moved);
    }
    let mut advance = tx.conn.prepare_cached(
        "INSERT INTO alert_keys (rule_id, key_digest, key_revision) VALUES (?1, ?2, 1)
         ON CONFLICT (rule_id, key_digest) DO UPDATE SET key_revision = key_revision + 1",
    )?;
    advance.execute(params![rule_id.as_str(), commit.key_digest])?;
    match stored {
        Some(stored) => replace(tx, alert, stored.opened_at)?,
        None => insert(tx, alert, &commit.key_digest)?,
    }
    let mut hold = tx
        .conn
        .prepare_cached("INSERT OR IGNORE INTO alert_matches (rule_id, match_id, alert_id) VALUES (?1, ?2, ?3)")?;
    for match_id in &commit.match_ids {
        hold.execute(params![rule_id.as_str(), match_id.to_string(), alert.alert_id.to_string()])?;
    }
    enqueue(tx, &commit.outgoing)?;
    Ok(CommitOutcome::Committed)
}

pub(super) fn commit_change(tx: &WriteTx<'_>, commit: &ChangeCommit) -> Result<CommitOutcome, SqliteError> {
    let alert = &commit.alert;
    match find_stored(tx, &alert.alert_id)? {
        Some(stored) if stored.revision + 1 == alert.revision => replace(tx, alert, stored.opened_at)?,
        _ => return Ok(CommitOutcome::Moved),
    }
    enqueue(tx, &commit.outgoing)?;
    Ok(CommitOutcome::Committed)
}

pub(super) fn set_context(
    tx: &WriteTx<'_>,
    alert: &AlertId,
    context: &AlertContext,
    outgoing: &[Outgoing],
) -> Result<bool, SqliteError> {
    let mut update = tx.conn.prepare_cached("UPDATE alerts SET context = ?2 WHERE alert_id = ?1")?;
    if update.execute(params![alert.to_string(), encode("alert context", context)?])? == 0 {
        return Ok(false);
    }
    enqueue(tx, outgoing)?;
    Ok(true)
}

fn find_seen(tx: &WriteTx<'_>, rule: &RuleId, match_ids: &[MatchId]) -> Result<Vec<MatchId>, SqliteError> {
    let mut select =
        tx.conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM alert_matches WHERE rule_id = ?1 AND match_id = ?2)")?;
    let mut seen = Vec::new();
    for match_id in match_ids {
        if select.query_row(params![rule.as_str(), match_id.to_string()], |row| row.get(0))? {
            seen.push(*match_id);
        }
    }
    Ok(seen)
}

struct Stored {
    revision: u64,
    opened_at: Instant,
}

fn find_stored(tx: &WriteTx<'_>, alert: &AlertId) -> Result<Option<Stored>, SqliteError> {
    let mut select = tx.conn.prepare_cached("SELECT revision, opened_at FROM alerts WHERE alert_id = ?1")?;
    let stored = select.query_row(params![alert.to_string()], |row| {
        Ok(Stored { revision: to_u64(row.get(0)?), opened_at: row.get::<_, Millis>(1)?.0 })
    });
    Ok(stored.optional()?)
}

fn key_revision(tx: &WriteTx<'_>, rule: &RuleId, key_digest: &str) -> Result<u64, SqliteError> {
    let mut select =
        tx.conn.prepare_cached("SELECT key_revision FROM alert_keys WHERE rule_id = ?1 AND key_digest = ?2")?;
    let revision = select.query_row(params![rule.as_str(), key_digest], |row| row.get(0)).optional()?;
    Ok(revision.map_or(0, to_u64))
}

fn insert(tx: &WriteTx<'_>, alert: &AlertSnapshot, key_digest: &str) -> Result<(), SqliteError> {
    let mut insert = tx.conn.prepare_cached(
        "INSERT INTO alerts (alert_id, revision, rule_id, key_digest, status, severity, opened_at, dedup_from,
             dedup_to, document)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    insert.execute(params![
        alert.alert_id.to_string(),
        to_i64(alert.revision),
        alert.rule.rule_id.as_str(),
        key_digest,
        alert.status.as_str(),
        alert.severity as i64,
        Millis(alert.opened_at),
        Millis(alert.dedup_from),
        Millis(alert.dedup_to),
        encode("alert", alert)?,
    ])?;
    insert_entities(tx, alert)
}

fn replace(tx: &WriteTx<'_>, alert: &AlertSnapshot, stored_opened_at: Instant) -> Result<(), SqliteError> {
    let mut update = tx.conn.prepare_cached(
        "UPDATE alerts SET revision = ?2, status = ?3, severity = ?4, opened_at = ?5, dedup_from = ?6, dedup_to = ?7,
             document = ?8
         WHERE alert_id = ?1",
    )?;
    update.execute(params![
        alert.alert_id.to_string(),
        to_i64(alert.revision),
        alert.status.as_str(),
        alert.severity as i64,
        Millis(alert.opened_at),
        Millis(alert.dedup_from),
        Millis(alert.dedup_to),
        encode("alert", alert)?,
    ])?;
    // The key of an alert never changes: its id is derived from it.
    if alert.opened_at == stored_opened_at {
        return Ok(());
    }
    tx.conn
        .prepare_cached("DELETE FROM alert_entities WHERE alert_id = ?1")?
        .execute(params![alert.alert_id.to_string()])?;
    insert_entities(tx, alert)
}

fn insert_entities(tx: &WriteTx<'_>, alert: &AlertSnapshot) -> Result<(), SqliteError> {
    let mut insert = tx
        .conn
        .prepare_cached("INSERT OR IGNORE INTO alert_entities (value, opened_at, alert_id) VALUES (?1, ?2, ?3)")?;
    for value in alert.alert_key.iter().filter_map(|part| part.value.as_ref()) {
        insert.execute(params![value, Millis(alert.opened_at), alert.alert_id.to_string()])?;
    }
    Ok(())
}
