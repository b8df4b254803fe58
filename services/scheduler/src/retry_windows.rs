//! Requests failed windows again.

use crate::plan_windows::request;
use crate::{Error, SchedulerDeps, outgoing, record_request};
use mantissa_contracts::ids::RuleId;
use mantissa_contracts::messages::FailureKind;
use mantissa_contracts::time::Instant;
use mantissa_domain::retry_backoff::exponential;
use mantissa_ports::stores::{LedgerRow, WindowState};
use mantissa_runtime::trace_context;
use std::collections::HashMap;
use tracing::{info, warn};

/// Rows looked at in one turn.
const BATCH: usize = 500;

/// Requests windows whose last try failed for a passing reason, after a growing wait, and those that were never
/// answered. Windows that failed for good stay in the ledger as failed. Returns how many were requested.
pub async fn retry_windows(deps: &SchedulerDeps) -> Result<usize, Error> {
    let now = deps.clock.now();
    let schedules = deps.ledger.schedules().await?;
    let tables: HashMap<&RuleId, &str> =
        schedules.iter().map(|schedule| (&schedule.rule_id, schedule.table.as_str())).collect();
    let mut n_retried = 0;
    for row in deps.ledger.unjudged(BATCH).await? {
        match &row.state {
            WindowState::Planned if now - row.updated_at > deps.config.answer_within => {
                let reason = format!("no answer within {} s", deps.config.answer_within.num_seconds());
                warn!(rule.id = %row.rule_id, "rule `{}` over {}: {reason}", row.rule_id, row.window);
                let failed = WindowState::Failed { kind: FailureKind::Transient, reason };
                deps.ledger.finish(&row.rule_id, row.window.from, row.attempt, &failed, now, &[]).await?;
            }
            WindowState::Failed { kind: FailureKind::Transient, .. } => {
                let wait = exponential(deps.config.first_retry, deps.config.longest_retry, row.attempt);
                if now - row.updated_at >= wait
                    && request_again(deps, &row, tables.get(&row.rule_id).copied().unwrap_or(""), now).await?
                {
                    n_retried += 1;
                }
            }
            _ => {}
        }
    }
    Ok(n_retried)
}

async fn request_again(deps: &SchedulerDeps, row: &LedgerRow, table: &str, now: Instant) -> Result<bool, Error> {
    let Some(span) = deps.ingests.event_span(table, row.window).await? else {
        // What was ingested does not vanish; without a span the request could not be bounded.
        warn!(rule.id = %row.rule_id, "no record of what was ingested in {}", row.window);
        return Ok(false);
    };
    let attempt = row.attempt + 1;
    let request = request(&row.rule_id, &row.rule_version, row.window, span, attempt);
    let trace = trace_context::begin(&[&request.query_run_id.to_string()]);
    info!(
        rule.id = %row.rule_id, query_run.id = %request.query_run_id,
        "requested rule `{}` over {} again, attempt {attempt}", row.rule_id, row.window
    );
    let message = outgoing(deps.clock.as_ref(), Some(trace.clone()), request.clone())?;
    let is_requested = deps.ledger.retry(&row.rule_id, row.window.from, row.attempt, now, &[message]).await?;
    if is_requested {
        record_request(&trace, &request, now);
    }
    Ok(is_requested)
}
