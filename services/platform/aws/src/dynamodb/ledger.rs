//! The LedgerStore port on DynamoDB.

use super::item::{Attributes, Item, Key, Stored, instant, number, sortable, text, to_json};
use super::outbox::Outbox;
use super::table::{Range, Table};
use super::transaction::{Expression, Outcome, Transaction};
use async_trait::async_trait;
use mantissa_contracts::ids::{RuleId, RuleVersion};
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_ports::stores::{
    LedgerRow, LedgerStore, PlanOutcome, PlannedWindow, RuleActivation, RuleSchedule, UnjudgedCounts, WindowState,
};
use mantissa_ports::{Outgoing, PortError};

const SCHEDULES: &str = "SCHEDULES";
/// Partitions of the index `unjudged`; a judged row is in none.
const WAITING: [&str; 2] = ["planned", "failed"];
const FAILED_FOR_GOOD: &str = "failed_for_good";
const INDEX: &str = "unjudged";

pub struct DynamoLedgerStore {
    pub(super) table: Table,
    pub(super) outbox: Outbox,
}

fn schedule_key(rule: &RuleId) -> Key {
    Key::new(SCHEDULES, rule.as_str())
}

fn window_key(rule: &RuleId, from: Instant) -> Key {
    Key::new(format!("WINDOWS#{rule}"), sortable(from))
}

/// Sorts as the contract lists rows: by update, rule and window.
fn updated_key(rule: &RuleId, window_from: Instant, at: Instant) -> String {
    format!("{}#{rule}#{}", sortable(at), sortable(window_from))
}

#[async_trait]
impl LedgerStore for DynamoLedgerStore {
    async fn activate(&self, activation: &RuleActivation) -> Result<RuleSchedule, PortError> {
        let rule = &activation.rule_id;
        let key = schedule_key(rule);
        let first = RuleSchedule {
            rule_id: rule.clone(),
            rule_version: activation.rule_version.clone(),
            table: activation.table.clone(),
            every_s: activation.every_s,
            active_from: activation.from,
            planned_to: activation.from,
            enabled: true,
        };
        if self.table.put_new(schedule_item(&first, &key)).await? {
            return Ok(first);
        }
        let update = Expression::new(
            "SET #rule_version = :version, #table_name = :table, #every_s = :every, #enabled = :enabled",
            vec![
                (":version", text(&activation.rule_version)),
                (":table", text(&activation.table)),
                (":every", number(activation.every_s)),
                (":enabled", text("yes")),
            ],
        );
        let mut transaction = Transaction::new(&self.table, rule.as_str());
        transaction.update(&self.table, &key, &update, None)?;
        transaction.commit().await?;
        let item = self.table.get(&key).await?;
        let gone = || PortError::transient("activate rule", rule.as_str(), "its schedule is gone");
        self.read_schedule(&item.ok_or_else(gone)?)
    }

    async fn deactivate(&self, rule: &RuleId) -> Result<bool, PortError> {
        let mut transaction = Transaction::new(&self.table, rule.as_str());
        let update = Expression::new("SET #enabled = :enabled", vec![(":enabled", text("no"))]);
        let exists = Expression::new("attribute_exists(#pk)", Vec::new());
        transaction.update(&self.table, &schedule_key(rule), &update, Some(&exists))?;
        Ok(transaction.commit().await? == Outcome::Committed)
    }

    async fn schedules(&self) -> Result<Vec<RuleSchedule>, PortError> {
        let items = self.table.query(&Range::partition(SCHEDULES), usize::MAX).await?;
        items.iter().map(|item| self.read_schedule(item)).collect()
    }

    async fn plan(&self, planned: &PlannedWindow, outgoing: &[Outgoing]) -> Result<PlanOutcome, PortError> {
        let (rule, window) = (&planned.rule_id, &planned.window);
        let refused = |what| PortError::permanent("plan window of rule", rule.as_str(), what);
        if window.is_empty() {
            return Err(refused("the window is empty"));
        }
        let row = LedgerRow {
            rule_id: rule.clone(),
            rule_version: planned.rule_version.clone(),
            window: *window,
            attempt: 1,
            state: planned.state.clone(),
            updated_at: planned.planned_at,
        };
        let mut transaction = Transaction::new(&self.table, rule.as_str());
        let advance = Expression::new("SET #planned_to = :to", vec![(":to", instant(window.to))]);
        let there = Expression::new("#planned_to = :from", vec![(":from", instant(window.from))]);
        transaction.update(&self.table, &schedule_key(rule), &advance, Some(&there))?;
        transaction.put(&self.table, window_item(&row)?, None)?;
        if self.outbox.commit(transaction, outgoing).await? == Outcome::Committed {
            return Ok(PlanOutcome::Planned);
        }
        let schedule =
            self.table.get(&schedule_key(rule)).await?.ok_or_else(|| refused("the rule was never activated"))?;
        Ok(PlanOutcome::Moved { planned_to: self.read_schedule(&schedule)?.planned_to })
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
        let condition = Expression::new(
            "#attempt = :attempt AND #state <> :judged",
            vec![(":attempt", number(attempt)), (":judged", text("judged"))],
        );
        self.change(rule, window_from, attempt, state, at, &condition, outgoing).await
    }

    async fn retry(
        &self,
        rule: &RuleId,
        window_from: Instant,
        attempt: u32,
        at: Instant,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError> {
        let condition = Expression::new(
            "#attempt = :attempt AND #state IN (:failed, :failed_for_good)",
            vec![
                (":attempt", number(attempt)),
                (":failed", text("failed")),
                (":failed_for_good", text(FAILED_FOR_GOOD)),
            ],
        );
        self.change(rule, window_from, attempt + 1, &WindowState::Planned, at, &condition, outgoing).await
    }

    async fn windows(&self, rule: &RuleId, span: TimeWindow, limit: usize) -> Result<Vec<LedgerRow>, PortError> {
        let partition = format!("WINDOWS#{rule}");
        // Windows of a rule are contiguous, so at most the last that begins before the span reaches into it.
        let before = Range {
            forward: false,
            ..Range::partition(&partition).when("#sk < :from", vec![(":from", text(sortable(span.from)))])
        };
        let within = Range::partition(&partition).when(
            "#sk BETWEEN :from AND :last",
            vec![
                (":from", text(sortable(span.from))),
                (":last", text(sortable(span.to - chrono::TimeDelta::milliseconds(1)))),
            ],
        );
        let mut items = self.table.query(&before, 1).await?;
        if span.from < span.to {
            items.extend(self.table.query(&within, limit).await?);
        }
        let mut rows = items.iter().map(|item| self.read_window(item)).collect::<Result<Vec<_>, _>>()?;
        rows.retain(|row| row.window.from < span.to && row.window.to > span.from);
        rows.truncate(limit);
        Ok(rows)
    }

    async fn unjudged(&self, limit: usize) -> Result<Vec<LedgerRow>, PortError> {
        let mut waiting = Vec::new();
        for state in WAITING {
            waiting.extend(self.table.query(&unjudged_range(state), limit).await?);
        }
        let place = |item: &Item| item.get("updated_key").and_then(|value| value.as_s().ok()).cloned();
        waiting.sort_by_key(place);
        waiting.truncate(limit);
        let for_good = self.table.query(&unjudged_range(FAILED_FOR_GOOD), limit - waiting.len()).await?;
        waiting.iter().chain(&for_good).map(|item| self.read_window(item)).collect()
    }

    async fn count_unjudged(&self) -> Result<UnjudgedCounts, PortError> {
        let [n_planned, n_failed, n_failed_for_good] = futures::future::try_join_all(
            [WAITING[0], WAITING[1], FAILED_FOR_GOOD].map(|state| self.table.count(unjudged_range(state))),
        )
        .await?[..] else {
            return Ok(UnjudgedCounts::default());
        };
        Ok(UnjudgedCounts { n_planned, n_failed: n_failed + n_failed_for_good })
    }
}

impl DynamoLedgerStore {
    async fn change(
        &self,
        rule: &RuleId,
        window_from: Instant,
        attempt: u32,
        state: &WindowState,
        at: Instant,
        condition: &Expression,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError> {
        let document = text(to_json(rule.as_str(), state)?);
        let mut set = "SET #state = :state, #document = :document, #updated_at = :at, #attempt = :next".to_owned();
        let mut values = vec![
            (":state", text(state.name())),
            (":document", document),
            (":at", instant(at)),
            (":next", number(attempt)),
        ];
        match state.is_judged() {
            true => set.push_str(" REMOVE #unjudged, #updated_key"),
            false => {
                set.push_str(", #unjudged = :state, #updated_key = :place");
                values.push((":place", text(updated_key(rule, window_from, at))));
            }
        }
        let mut transaction = Transaction::new(&self.table, rule.as_str());
        let key = window_key(rule, window_from);
        transaction.update(&self.table, &key, &Expression::new(set, values), Some(condition))?;
        Ok(self.outbox.commit(transaction, outgoing).await? == Outcome::Committed)
    }

    fn read_schedule(&self, item: &Item) -> Result<RuleSchedule, PortError> {
        let stored = Stored { table: self.table.name, item };
        Ok(RuleSchedule {
            rule_id: RuleId::new(stored.text("sk")?),
            rule_version: RuleVersion::new(stored.text("rule_version")?),
            table: stored.text("table_name")?.to_owned(),
            every_s: stored.number("every_s")?,
            active_from: stored.instant("active_from")?,
            planned_to: stored.instant("planned_to")?,
            enabled: stored.text("enabled")? == "yes",
        })
    }

    fn read_window(&self, item: &Item) -> Result<LedgerRow, PortError> {
        let stored = Stored { table: self.table.name, item };
        Ok(LedgerRow {
            rule_id: RuleId::new(stored.text("rule_id")?),
            rule_version: RuleVersion::new(stored.text("rule_version")?),
            window: TimeWindow::new(stored.instant("window_from")?, stored.instant("window_to")?),
            attempt: stored.number("attempt")?,
            state: stored.document()?,
            updated_at: stored.instant("updated_at")?,
        })
    }
}

fn unjudged_range(state: &str) -> Range {
    Range::partition(state).index(INDEX, "unjudged", "updated_key")
}

fn schedule_item(schedule: &RuleSchedule, key: &Key) -> Item {
    Attributes::default()
        .text("rule_version", schedule.rule_version.as_str())
        .text("table_name", &schedule.table)
        .number("every_s", schedule.every_s)
        .instant("active_from", schedule.active_from)
        .instant("planned_to", schedule.planned_to)
        .text("enabled", if schedule.enabled { "yes" } else { "no" })
        .with_key(key)
}

fn window_item(row: &LedgerRow) -> Result<Item, PortError> {
    let mut attributes = Attributes::default()
        .text("rule_id", row.rule_id.as_str())
        .text("rule_version", row.rule_version.as_str())
        .instant("window_from", row.window.from)
        .instant("window_to", row.window.to)
        .number("attempt", row.attempt)
        .text("state", row.state.name())
        .instant("updated_at", row.updated_at)
        .document(row.rule_id.as_str(), &row.state)?;
    if !row.state.is_judged() {
        let place = updated_key(&row.rule_id, row.window.from, row.updated_at);
        attributes = attributes.text("unjudged", row.state.name()).text("updated_key", place);
    }
    Ok(attributes.with_key(&window_key(&row.rule_id, row.window.from)))
}
