//! The ledger in maps.

use super::bus::{MemoryBus, route};
use super::locked;
use crate::stores::{
    LedgerRow, LedgerStore, PlanOutcome, PlannedWindow, RuleActivation, RuleSchedule, UnjudgedCounts, WindowState,
};
use crate::{Outgoing, PortError};
use async_trait::async_trait;
use mantissa_contracts::ids::RuleId;
use mantissa_contracts::messages::FailureKind;
use mantissa_contracts::time::{Instant, TimeWindow};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub struct MemoryLedgerStore {
    bus: Arc<MemoryBus>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    schedules: BTreeMap<RuleId, RuleSchedule>,
    rows: BTreeMap<(RuleId, Instant), LedgerRow>,
}

impl MemoryLedgerStore {
    pub fn new(bus: Arc<MemoryBus>) -> Self {
        Self { bus, state: Mutex::default() }
    }

    /// Changes a row and publishes, together, if the row is there and the condition holds.
    fn change_row(
        &self,
        key: (RuleId, Instant),
        outgoing: &[Outgoing],
        condition: impl FnOnce(&LedgerRow) -> bool,
        change: impl FnOnce(&mut LedgerRow),
    ) -> Result<bool, PortError> {
        let routed = route(outgoing)?;
        let mut state = locked(&self.state);
        match state.rows.get_mut(&key) {
            Some(row) if condition(row) => change(row),
            _ => return Ok(false),
        }
        self.bus.deliver(routed);
        Ok(true)
    }
}

#[async_trait]
impl LedgerStore for MemoryLedgerStore {
    async fn activate(&self, activation: &RuleActivation) -> Result<RuleSchedule, PortError> {
        let mut state = locked(&self.state);
        let schedule = state.schedules.entry(activation.rule_id.clone()).or_insert_with(|| RuleSchedule {
            rule_id: activation.rule_id.clone(),
            rule_version: activation.rule_version.clone(),
            table: activation.table.clone(),
            every_s: activation.every_s,
            active_from: activation.from,
            planned_to: activation.from,
            enabled: true,
        });
        schedule.rule_version = activation.rule_version.clone();
        schedule.table = activation.table.clone();
        schedule.every_s = activation.every_s;
        schedule.enabled = true;
        Ok(schedule.clone())
    }

    async fn deactivate(&self, rule: &RuleId) -> Result<bool, PortError> {
        let mut state = locked(&self.state);
        let Some(schedule) = state.schedules.get_mut(rule) else { return Ok(false) };
        schedule.enabled = false;
        Ok(true)
    }

    async fn schedules(&self) -> Result<Vec<RuleSchedule>, PortError> {
        Ok(locked(&self.state).schedules.values().cloned().collect())
    }

    async fn plan(&self, planned: &PlannedWindow, outgoing: &[Outgoing]) -> Result<PlanOutcome, PortError> {
        let error = |reason| Err(PortError::permanent("plan window", planned.rule_id.to_string(), reason));
        if planned.window.is_empty() {
            return error("the window is empty");
        }
        let routed = route(outgoing)?;
        let mut state = locked(&self.state);
        let Some(schedule) = state.schedules.get_mut(&planned.rule_id) else {
            return error("the rule was never activated");
        };
        if schedule.planned_to != planned.window.from {
            return Ok(PlanOutcome::Moved { planned_to: schedule.planned_to });
        }
        schedule.planned_to = planned.window.to;
        let row = LedgerRow {
            rule_id: planned.rule_id.clone(),
            rule_version: planned.rule_version.clone(),
            window: planned.window,
            attempt: 1,
            state: planned.state.clone(),
            updated_at: planned.planned_at,
        };
        state.rows.insert((planned.rule_id.clone(), planned.window.from), row);
        self.bus.deliver(routed);
        Ok(PlanOutcome::Planned)
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
        self.change_row(
            (rule.clone(), window_from),
            outgoing,
            |row| row.attempt == attempt && !row.state.is_judged(),
            |row| {
                row.state = state.clone();
                row.updated_at = at;
            },
        )
    }

    async fn retry(
        &self,
        rule: &RuleId,
        window_from: Instant,
        attempt: u32,
        at: Instant,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError> {
        self.change_row(
            (rule.clone(), window_from),
            outgoing,
            |row| row.attempt == attempt && matches!(row.state, WindowState::Failed { .. }),
            |row| {
                row.attempt += 1;
                row.state = WindowState::Planned;
                row.updated_at = at;
            },
        )
    }

    async fn windows(&self, rule: &RuleId, span: TimeWindow, limit: usize) -> Result<Vec<LedgerRow>, PortError> {
        let state = locked(&self.state);
        let rows = state
            .rows
            .values()
            .filter(|row| row.rule_id == *rule && row.window.from < span.to && row.window.to > span.from);
        Ok(rows.take(limit).cloned().collect())
    }

    async fn count_unjudged(&self) -> Result<UnjudgedCounts, PortError> {
        let mut counts = UnjudgedCounts::default();
        for row in locked(&self.state).rows.values() {
            match row.state {
                WindowState::Planned => counts.n_planned += 1,
                WindowState::Failed { .. } => counts.n_failed += 1,
                WindowState::Judged { .. } => {}
            }
        }
        Ok(counts)
    }

    async fn unjudged(&self, limit: usize) -> Result<Vec<LedgerRow>, PortError> {
        let state = locked(&self.state);
        let mut rows: Vec<_> = state.rows.values().filter(|row| !row.state.is_judged()).cloned().collect();
        rows.sort_by_key(|row| {
            let for_good = matches!(row.state, WindowState::Failed { kind: FailureKind::Permanent, .. });
            (for_good, row.updated_at)
        });
        rows.truncate(limit);
        Ok(rows)
    }
}
