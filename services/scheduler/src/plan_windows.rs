//! Plans the next windows of every enabled rule.

use crate::{Error, SchedulerDeps, outgoing, record_request};
use chrono::TimeDelta;
use mantissa_contracts::ids::{QueryRunId, RuleId, RuleVersion};
use mantissa_contracts::messages::QueryRequested;
use mantissa_contracts::time::{Instant, TimeWindow, format_instant};
use mantissa_domain::windows::{WindowPolicy, next_window};
use mantissa_ports::stores::{EventSpan, PlanOutcome, PlannedWindow, RuleSchedule, WindowState};
use mantissa_runtime::trace_context;
use std::collections::BTreeMap;
use tracing::info;

/// Seals ingestion time of every table and plans all windows that are due. Returns how many were requested.
pub async fn plan_windows(deps: &SchedulerDeps) -> Result<usize, Error> {
    let mut schedules = deps.ledger.schedules().await?;
    schedules.retain(|schedule| schedule.enabled);
    let mut sealed: BTreeMap<String, Instant> = BTreeMap::new();
    let mut n_planned = 0;
    for schedule in schedules {
        let sealed_to = match sealed.get(&schedule.table) {
            Some(sealed_to) => *sealed_to,
            None => {
                let now = deps.clock.now();
                let sealed_to = deps
                    .ingests
                    .seal(&schedule.table, now - deps.config.settle, now - deps.config.commit_lease)
                    .await?;
                sealed.insert(schedule.table.clone(), sealed_to);
                sealed_to
            }
        };
        n_planned += plan_rule(deps, schedule, sealed_to).await?;
    }
    Ok(n_planned)
}

async fn plan_rule(deps: &SchedulerDeps, mut schedule: RuleSchedule, sealed_to: Instant) -> Result<usize, Error> {
    let every = TimeDelta::seconds(i64::try_from(schedule.every_s).unwrap_or(i64::MAX / 1000));
    let policy = WindowPolicy { every, longest: deps.config.longest_window };
    let mut n_planned = 0;
    while let Some(window) = next_window(schedule.planned_to, sealed_to, policy) {
        let span = deps.ingests.event_span(&schedule.table, window).await?;
        let outcome = match span {
            None if window.to == sealed_to && window.to - window.from < deps.config.empty_row_after => break,
            None => {
                let planned = planned(deps, &schedule, window, WindowState::EMPTY);
                deps.ledger.plan(&planned, &[]).await?
            }
            Some(span) => {
                let request = request(&schedule.rule_id, &schedule.rule_version, window, span, 1);
                let trace = trace_context::begin(&[&request.query_run_id.to_string()]);
                info!(
                    rule.id = %schedule.rule_id, query_run.id = %request.query_run_id, trace.id = trace_context::trace_id(&trace),
                    "requested rule `{}` over {window}: {} records", schedule.rule_id, span.n_records
                );
                let message = outgoing(deps.clock.as_ref(), Some(trace.clone()), request.clone())?;
                n_planned += 1;
                let started = deps.clock.now();
                let outcome =
                    deps.ledger.plan(&planned(deps, &schedule, window, WindowState::Planned), &[message]).await?;
                if outcome == PlanOutcome::Planned {
                    record_request(&trace, &request, started);
                }
                outcome
            }
        };
        schedule.planned_to = match outcome {
            PlanOutcome::Planned => window.to,
            // Another scheduler was faster; nothing of ours was published.
            PlanOutcome::Moved { planned_to } => planned_to,
        };
    }
    Ok(n_planned)
}

fn planned(deps: &SchedulerDeps, schedule: &RuleSchedule, window: TimeWindow, state: WindowState) -> PlannedWindow {
    PlannedWindow {
        rule_id: schedule.rule_id.clone(),
        rule_version: schedule.rule_version.clone(),
        window,
        state,
        planned_at: deps.clock.now(),
    }
}

/// The request to judge a rule over a window; its id follows from all of them, so the same request has the same.
pub(crate) fn request(
    rule_id: &RuleId,
    rule_version: &RuleVersion,
    window: TimeWindow,
    span: EventSpan,
    attempt: u32,
) -> QueryRequested {
    let query_run_id = QueryRunId::derive(&[
        rule_id.as_str(),
        rule_version.as_str(),
        &format_instant(window.from),
        &format_instant(window.to),
        &attempt.to_string(),
    ]);
    QueryRequested {
        query_run_id,
        rule_id: rule_id.clone(),
        rule_version: rule_version.clone(),
        window,
        event_from: span.from,
        event_to: span.to,
        attempt,
    }
}
