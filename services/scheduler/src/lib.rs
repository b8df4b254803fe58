//! Plans which rule is judged over which window, and keeps the ledger of what was judged.
//!
//! - **Runs** on a timer ([`tick`]); **consumes** `query_completed` and `rule_failed`.
//! - **Produces** `query_requested`, and `rule_matched` for the platform's own alerts.
//! - **Idempotency key**: (rule, start of the window, attempt), by conditional writes of the ledger.
//!
//! Invariants: the windows of an enabled rule are contiguous from the moment it was enabled; a window is planned only
//! when its ingestion time is sealed, so nothing can still appear in it; it is judged only when its query succeeded
//! untruncated and every match was published.

mod activate_rules;
pub mod config;
pub mod deps;
pub mod error;
pub mod handler;
mod plan_windows;
mod prove_coverage;
mod retry_windows;
#[cfg(test)]
mod tests;
mod watch_dead_letters;

pub use activate_rules::{RuleInForce, activate_rules};
pub use config::SchedulerConfig;
pub use deps::SchedulerDeps;
pub use error::Error;
pub use plan_windows::plan_windows;
pub use prove_coverage::{Coverage, prove_coverage};
pub use retry_windows::retry_windows;
pub use watch_dead_letters::DeadLetterWatch;

use mantissa_contracts::messages::QueryRequested;
use mantissa_contracts::time::{Instant, format_instant};
use mantissa_ports::{Clock, Outgoing};
use mantissa_runtime::trace_export::{self, Step, StepKind};

/// What one tick did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TickReport {
    pub n_planned: usize,
    pub n_retried: usize,
}

/// One turn of the timer: plan what is due, try again what failed. Safe to run at any moment, twice, or on two
/// machines at once.
pub async fn tick(deps: &SchedulerDeps) -> Result<TickReport, Error> {
    let n_planned = plan_windows(deps).await?;
    let n_retried = retry_windows(deps).await?;
    Ok(TickReport { n_planned, n_retried })
}

/// Wraps a message of this stage for publishing.
fn outgoing<M: mantissa_contracts::Message>(
    clock: &dyn Clock,
    trace: Option<String>,
    message: M,
) -> Result<Outgoing, Error> {
    let envelope = mantissa_contracts::Envelope::new("scheduler", clock.now(), trace, message);
    Ok(Outgoing::new(&envelope)?)
}

/// The step that begins a trace: a query was requested.
fn record_request(trace: &str, request: &QueryRequested, started: Instant) {
    trace_export::record(Step {
        name: "request query".to_owned(),
        kind: StepKind::Producer,
        traceparent: trace,
        parent: None,
        started,
        attributes: vec![
            ("mantissa.rule.id", request.rule_id.to_string()),
            ("mantissa.query_run.id", request.query_run_id.to_string()),
            ("mantissa.window.from", format_instant(request.window.from)),
            ("mantissa.window.to", format_instant(request.window.to)),
        ],
        error: None,
    });
}
