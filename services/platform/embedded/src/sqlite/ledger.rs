//! The LedgerStore port on SQLite.

use super::database::SqliteDb;
use super::documents::{Millis, decode, encode, to_i64, to_limit, to_u64};
use super::enqueue_messages::enqueue;
use super::error::SqliteError;
use super::write_in_groups::WriteTx;
use async_trait::async_trait;
use mantissa_contracts::ids::{RuleId, RuleVersion};
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_ports::stores::{
    LedgerRow, LedgerStore, PlanOutcome, PlannedWindow, RuleActivation, RuleSchedule, UnjudgedCounts, WindowState,
};
use mantissa_ports::{Outgoing, PortError};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use std::sync::Arc;

pub struct SqliteLedgerStore {
    db: Arc<SqliteDb>,
}

impl SqliteLedgerStore {
    pub fn new(db: Arc<SqliteDb>) -> Self {
        Self { db }
    }
}

const SCHEDULE_COLUMNS: &str = "rule_id, rule_version, table_name, every_s, active_from, planned_to, enabled";
const WINDOW_COLUMNS: &str = "rule_id, rule_version, window_from, window_to, attempt, document, updated_at";

#[async_trait]
impl LedgerStore for SqliteLedgerStore {
    async fn activate(&self, activation: &RuleActivation) -> Result<RuleSchedule, PortError> {
        let activation = activation.clone();
        let subject = activation.rule_id.to_string();
        let activate = move |tx: &WriteTx<'_>| {
            let mut upsert = tx.conn.prepare_cached(&format!(
                "INSERT INTO schedules ({SCHEDULE_COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1)
                 ON CONFLICT (rule_id) DO UPDATE SET rule_version = excluded.rule_version,
                     table_name = excluded.table_name, every_s = excluded.every_s, enabled = 1
                 RETURNING {SCHEDULE_COLUMNS}"
            ))?;
            let schedule = upsert.query_row(
                params![
                    activation.rule_id.as_str(),
                    activation.rule_version.as_str(),
                    activation.table,
                    to_i64(activation.every_s),
                    Millis(activation.from),
                ],
                read_schedule,
            );
            Ok(schedule?)
        };
        self.db.write("activate rule", subject, activate).await
    }

    async fn deactivate(&self, rule: &RuleId) -> Result<bool, PortError> {
        let id = rule.to_string();
        let deactivate = move |tx: &WriteTx<'_>| {
            let mut update = tx.conn.prepare_cached("UPDATE schedules SET enabled = 0 WHERE rule_id = ?1")?;
            Ok(update.execute(params![id])? > 0)
        };
        self.db.write("deactivate rule", rule.as_str(), deactivate).await
    }

    async fn schedules(&self) -> Result<Vec<RuleSchedule>, PortError> {
        let list = move |conn: &Connection| {
            let mut select =
                conn.prepare_cached(&format!("SELECT {SCHEDULE_COLUMNS} FROM schedules ORDER BY rule_id"))?;
            let rows = select.query_map([], read_schedule)?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.db.read("list schedules", "all", list).await
    }

    async fn plan(&self, planned: &PlannedWindow, outgoing: &[Outgoing]) -> Result<PlanOutcome, PortError> {
        let (planned, outgoing) = (planned.clone(), outgoing.to_vec());
        let subject = planned.rule_id.to_string();
        self.db.write("plan window of rule", subject, move |tx| plan(tx, &planned, &outgoing)).await
    }

    async fn finish(
        &self,
        rule: &RuleId,
        window_from: Instant,
        attempt: u32,
        state: &WindowState,
        at: Instant,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError> {
        let (id, state, outgoing) = (rule.to_string(), state.clone(), outgoing.to_vec());
        let finish = move |tx: &WriteTx<'_>| {
            let mut update = tx.conn.prepare_cached(
                "UPDATE windows SET state = ?4, document = ?5, updated_at = ?6
                 WHERE rule_id = ?1 AND window_from = ?2 AND attempt = ?3 AND state <> 'judged'",
            )?;
            let document = encode("window state", &state)?;
            let changed =
                update.execute(params![id, Millis(window_from), attempt, state.name(), document, Millis(at)])?;
            publish_if(tx, changed, &outgoing)
        };
        self.db.write("finish window of rule", rule.as_str(), finish).await
    }

    async fn retry(
        &self,
        rule: &RuleId,
        window_from: Instant,
        attempt: u32,
        at: Instant,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError> {
        let (id, outgoing) = (rule.to_string(), outgoing.to_vec());
        let retry = move |tx: &WriteTx<'_>| {
            let mut update = tx.conn.prepare_cached(
                "UPDATE windows SET attempt = attempt + 1, state = ?4, document = ?5, updated_at = ?6
                 WHERE rule_id = ?1 AND window_from = ?2 AND attempt = ?3 AND state IN ('failed', 'failed_for_good')",
            )?;
            let state = WindowState::Planned;
            let document = encode("window state", &state)?;
            let changed =
                update.execute(params![id, Millis(window_from), attempt, state.name(), document, Millis(at)])?;
            publish_if(tx, changed, &outgoing)
        };
        self.db.write("retry window of rule", rule.as_str(), retry).await
    }

    async fn windows(&self, rule: &RuleId, span: TimeWindow, limit: usize) -> Result<Vec<LedgerRow>, PortError> {
        let id = rule.to_string();
        let list = move |conn: &Connection| {
            let sql = format!(
                "SELECT {WINDOW_COLUMNS} FROM windows WHERE rule_id = ?1 AND window_from < ?3 AND window_to > ?2
                 ORDER BY window_from LIMIT ?4"
            );
            query_windows(conn, &sql, params![id, Millis(span.from), Millis(span.to), to_limit(limit)])
        };
        self.db.read("list windows of rule", rule.as_str(), list).await
    }

    async fn unjudged(&self, limit: usize) -> Result<Vec<LedgerRow>, PortError> {
        let list = move |conn: &Connection| {
            let sql = format!(
                "SELECT {WINDOW_COLUMNS} FROM windows WHERE state <> 'judged'
                 ORDER BY state = 'failed_for_good', updated_at, rule_id, window_from LIMIT ?1"
            );
            query_windows(conn, &sql, params![to_limit(limit)])
        };
        self.db.read("list unjudged windows", "all", list).await
    }

    async fn count_unjudged(&self) -> Result<UnjudgedCounts, PortError> {
        let count = |conn: &Connection| {
            let mut select = conn.prepare_cached(
                "SELECT count(*) FILTER (WHERE state = 'planned'), count(*) FILTER (WHERE state <> 'planned')
                 FROM windows WHERE state <> 'judged'",
            )?;
            let counts = select.query_row([], |row| {
                Ok(UnjudgedCounts { n_planned: to_u64(row.get(0)?), n_failed: to_u64(row.get(1)?) })
            });
            Ok(counts?)
        };
        self.db.read("count unjudged windows", "all", count).await
    }
}

fn plan(tx: &WriteTx<'_>, planned: &PlannedWindow, outgoing: &[Outgoing]) -> Result<PlanOutcome, SqliteError> {
    if planned.window.is_empty() {
        return Err(SqliteError::Refused { reason: "the window is empty" });
    }
    let mut select = tx.conn.prepare_cached("SELECT planned_to FROM schedules WHERE rule_id = ?1")?;
    let planned_to: Option<Millis> =
        select.query_row(params![planned.rule_id.as_str()], |row| row.get(0)).optional()?;
    let planned_to = planned_to.ok_or(SqliteError::Refused { reason: "the rule was never activated" })?.0;
    if planned_to != planned.window.from {
        return Ok(PlanOutcome::Moved { planned_to });
    }
    let mut advance = tx.conn.prepare_cached("UPDATE schedules SET planned_to = ?2 WHERE rule_id = ?1")?;
    advance.execute(params![planned.rule_id.as_str(), Millis(planned.window.to)])?;
    let mut insert = tx.conn.prepare_cached(
        "INSERT INTO windows (rule_id, window_from, window_to, rule_version, attempt, state, document, updated_at)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7)",
    )?;
    insert.execute(params![
        planned.rule_id.as_str(),
        Millis(planned.window.from),
        Millis(planned.window.to),
        planned.rule_version.as_str(),
        planned.state.name(),
        encode("window state", &planned.state)?,
        Millis(planned.planned_at),
    ])?;
    enqueue(tx, outgoing)?;
    Ok(PlanOutcome::Planned)
}

fn publish_if(tx: &WriteTx<'_>, changed: usize, outgoing: &[Outgoing]) -> Result<bool, SqliteError> {
    if changed > 0 {
        enqueue(tx, outgoing)?;
    }
    Ok(changed > 0)
}

fn read_schedule(row: &Row<'_>) -> rusqlite::Result<RuleSchedule> {
    Ok(RuleSchedule {
        rule_id: RuleId::new(row.get::<_, String>(0)?),
        rule_version: RuleVersion::new(row.get::<_, String>(1)?),
        table: row.get(2)?,
        every_s: to_u64(row.get(3)?),
        active_from: row.get::<_, Millis>(4)?.0,
        planned_to: row.get::<_, Millis>(5)?.0,
        enabled: row.get(6)?,
    })
}

fn query_windows(conn: &Connection, sql: &str, parameters: impl Params) -> Result<Vec<LedgerRow>, SqliteError> {
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query(parameters)?;
    let mut windows = Vec::new();
    while let Some(row) = rows.next()? {
        windows.push(read_window(row)?);
    }
    Ok(windows)
}

fn read_window(row: &Row<'_>) -> Result<LedgerRow, SqliteError> {
    let rule_id = RuleId::new(row.get::<_, String>(0)?);
    let state = decode("windows", rule_id.as_str(), &row.get::<_, String>(5)?)?;
    Ok(LedgerRow {
        rule_id,
        rule_version: RuleVersion::new(row.get::<_, String>(1)?),
        window: TimeWindow::new(row.get::<_, Millis>(2)?.0, row.get::<_, Millis>(3)?.0),
        attempt: row.get(4)?,
        state,
        updated_at: row.get::<_, Millis>(6)?.0,
    })
}
