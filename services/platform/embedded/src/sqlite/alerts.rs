//! The AlertStore port on SQLite.

use super::commit_alerts;
use super::database::SqliteDb;
use super::documents::{Millis, decode, encode, query_documents, to_limit, to_u64};
use super::error::SqliteError;
use super::write_in_groups::WriteTx;
use async_trait::async_trait;
use mantissa_contracts::ids::{AlertId, RuleId};
use mantissa_contracts::messages::{AlertContext, AlertSnapshot};
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_ports::stores::{
    AlertFilter, AlertRecord, AlertStore, ChangeCommit, CommitOutcome, KeyState, MatchCommit,
};
use mantissa_ports::{Outgoing, PortError};
use rusqlite::{Connection, OptionalExtension, ToSql, params, params_from_iter};
use std::sync::Arc;

pub struct SqliteAlertStore {
    db: Arc<SqliteDb>,
}

impl SqliteAlertStore {
    pub fn new(db: Arc<SqliteDb>) -> Self {
        Self { db }
    }
}

#[async_trait]
impl AlertStore for SqliteAlertStore {
    async fn key_state(&self, rule: &RuleId, key_digest: &str, span: TimeWindow) -> Result<KeyState, PortError> {
        let (rule_id, key_digest) = (rule.to_string(), key_digest.to_owned());
        let read = move |conn: &Connection| {
            let mut revision =
                conn.prepare_cached("SELECT key_revision FROM alert_keys WHERE rule_id = ?1 AND key_digest = ?2")?;
            let key_revision = revision.query_row(params![rule_id, key_digest], |row| row.get(0)).optional()?;
            let mut select = conn.prepare_cached(
                "SELECT alert_id, document FROM alerts
                 WHERE rule_id = ?1 AND key_digest = ?2 AND dedup_from < ?4 AND dedup_to > ?3
                 ORDER BY dedup_from, alert_id",
            )?;
            let parameters = params![rule_id, key_digest, Millis(span.from), Millis(span.to)];
            let alerts = query_documents(&mut select, "alerts", parameters)?;
            Ok(KeyState { key_revision: key_revision.map_or(0, to_u64), alerts })
        };
        self.db.read("read alert key of rule", rule.as_str(), read).await
    }

    async fn commit_matches(&self, commit: &MatchCommit) -> Result<CommitOutcome, PortError> {
        let commit = commit.clone();
        let subject = commit.alert.alert_id.to_string();
        self.db.write("commit matches to alert", subject, move |tx| commit_alerts::commit_matches(tx, &commit)).await
    }

    async fn commit_change(&self, commit: &ChangeCommit) -> Result<CommitOutcome, PortError> {
        let commit = commit.clone();
        let subject = commit.alert.alert_id.to_string();
        self.db.write("commit change of alert", subject, move |tx| commit_alerts::commit_change(tx, &commit)).await
    }

    async fn set_context(
        &self,
        alert: &AlertId,
        context: &AlertContext,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError> {
        let (id, context, outgoing) = (*alert, context.clone(), outgoing.to_vec());
        let set = move |tx: &WriteTx<'_>| commit_alerts::set_context(tx, &id, &context, &outgoing);
        self.db.write("set context of alert", alert.to_string(), set).await
    }

    async fn get(&self, alert: &AlertId) -> Result<Option<AlertRecord>, PortError> {
        let id = alert.to_string();
        let get = move |conn: &Connection| {
            let mut select = conn.prepare_cached("SELECT document, context FROM alerts WHERE alert_id = ?1")?;
            let row =
                select.query_row(params![id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)));
            let Some((document, context)) = row.optional()? else { return Ok(None) };
            let context = context.map(|text| decode("alerts", &id, &text)).transpose()?;
            Ok(Some(AlertRecord { alert: decode("alerts", &id, &document)?, context }))
        };
        self.db.read("read alert", alert.to_string(), get).await
    }

    async fn list(
        &self,
        filter: &AlertFilter,
        limit: usize,
        after: Option<(Instant, AlertId)>,
    ) -> Result<Vec<AlertSnapshot>, PortError> {
        let filter = filter.clone();
        self.db.read("list alerts", "all", move |conn| list(conn, &filter, limit, after)).await
    }

    async fn related(
        &self,
        key_values: &[String],
        opened: TimeWindow,
        except: &AlertId,
        limit: usize,
    ) -> Result<(Vec<AlertSnapshot>, u64), PortError> {
        let (key_values, id) = (key_values.to_vec(), except.to_string());
        let related = move |conn: &Connection| {
            let values = encode("alert key values", &key_values)?;
            let parameters = params![values, Millis(opened.from), Millis(opened.to), id];
            let mut count = conn.prepare_cached(
                "SELECT count(DISTINCT alert_id) FROM alert_entities
                 WHERE value IN (SELECT value FROM json_each(?1))
                     AND opened_at >= ?2 AND opened_at < ?3 AND alert_id <> ?4",
            )?;
            let n_alerts = to_u64(count.query_row(parameters, |row| row.get(0))?);
            let mut select = conn.prepare_cached(
                "SELECT alerts.alert_id, alerts.document
                 FROM (SELECT DISTINCT opened_at, alert_id FROM alert_entities
                       WHERE value IN (SELECT value FROM json_each(?1))
                           AND opened_at >= ?2 AND opened_at < ?3 AND alert_id <> ?4
                       ORDER BY opened_at DESC, alert_id LIMIT ?5) AS found
                 JOIN alerts ON alerts.alert_id = found.alert_id
                 ORDER BY found.opened_at DESC, found.alert_id",
            )?;
            let parameters = params![values, Millis(opened.from), Millis(opened.to), id, to_limit(limit)];
            Ok((query_documents(&mut select, "alerts", parameters)?, n_alerts))
        };
        self.db.read("find alerts related to", except.to_string(), related).await
    }
}

/// Only the conditions in use are in the statement, so that each filter gets its index.
fn list(
    conn: &Connection,
    filter: &AlertFilter,
    limit: usize,
    after: Option<(Instant, AlertId)>,
) -> Result<Vec<AlertSnapshot>, SqliteError> {
    let mut conditions = vec!["TRUE"];
    let mut parameters: Vec<Box<dyn ToSql>> = Vec::new();
    if let Some(status) = filter.status {
        conditions.push("status = ?");
        parameters.push(Box::new(status.as_str()));
    }
    if let Some(severity) = filter.min_severity {
        conditions.push("severity >= ?");
        parameters.push(Box::new(severity as i64));
    }
    if let Some(rule) = &filter.rule_id {
        conditions.push("rule_id = ?");
        parameters.push(Box::new(rule.to_string()));
    }
    if let Some(span) = filter.opened {
        conditions.push("opened_at >= ? AND opened_at < ?");
        parameters.push(Box::new(Millis(span.from)));
        parameters.push(Box::new(Millis(span.to)));
    }
    if let Some((opened_at, alert_id)) = after {
        conditions.push("opened_at <= ? AND (opened_at < ? OR alert_id > ?)");
        parameters.push(Box::new(Millis(opened_at)));
        parameters.push(Box::new(Millis(opened_at)));
        parameters.push(Box::new(alert_id.to_string()));
    }
    parameters.push(Box::new(to_limit(limit)));
    let sql = format!(
        "SELECT alert_id, document FROM alerts WHERE {} ORDER BY opened_at DESC, alert_id LIMIT ?",
        conditions.join(" AND ")
    );
    let mut select = conn.prepare_cached(&sql)?;
    query_documents(&mut select, "alerts", params_from_iter(parameters))
}
