//! Writes to the ledger how query runs ended.

use crate::{SchedulerDeps, outgoing};
use async_trait::async_trait;
use mantissa_contracts::Envelope;
use mantissa_contracts::messages::{FailureKind, QueryCompleted, RuleFailed};
use mantissa_domain::system_alert::{self, SystemAlert};
use mantissa_ports::stores::WindowState;
use mantissa_runtime::handler::trace_of;
use mantissa_runtime::{Handled, Handler};
use tracing::{debug, warn};

/// `query_completed` → the window is judged.
pub struct CompletedHandler(pub SchedulerDeps);

#[async_trait]
impl Handler for CompletedHandler {
    type Message = QueryCompleted;

    async fn handle(&self, envelope: &Envelope<QueryCompleted>) -> Handled {
        let completed = &envelope.data;
        let request = &completed.request;
        let state = WindowState::Judged {
            n_rows: completed.n_rows,
            n_matches: completed.n_matches,
            scanned_bytes: completed.scanned_bytes,
            duration_ms: completed.duration_ms,
        };
        let now = self.0.clock.now();
        let written =
            self.0.ledger.finish(&request.rule_id, request.window.from, request.attempt, &state, now, &[]).await?;
        if !written {
            debug!(query_run.id = %request.query_run_id, "window was judged already, or is being judged again");
        }
        Ok(Vec::new())
    }
}

/// `rule_failed` → the window failed; a person hears of it when trying again cannot help, or has not helped.
pub struct FailedHandler(pub SchedulerDeps);

#[async_trait]
impl Handler for FailedHandler {
    type Message = RuleFailed;

    async fn handle(&self, envelope: &Envelope<RuleFailed>) -> Handled {
        let failed = &envelope.data;
        let request = &failed.request;
        let now = self.0.clock.now();
        warn!(
            rule.id = %request.rule_id, query_run.id = %request.query_run_id,
            "rule `{}` failed over {}, attempt {}: {}", request.rule_id, request.window, request.attempt, failed.reason
        );
        let tell = failed.kind == FailureKind::Permanent || request.attempt == self.0.config.alert_after_attempts;
        let messages = if tell {
            let alert = system_alert::rule_matched(
                SystemAlert::RuleFailing,
                request.rule_id.as_str(),
                &request.query_run_id.to_string(),
                &format!("over {}, attempt {}: {}", request.window, request.attempt, failed.reason),
                now,
            );
            vec![outgoing(self.0.clock.as_ref(), trace_of(envelope), alert)?]
        } else {
            Vec::new()
        };
        let state = WindowState::Failed { kind: failed.kind, reason: failed.reason.clone() };
        self.0.ledger.finish(&request.rule_id, request.window.from, request.attempt, &state, now, &messages).await?;
        Ok(Vec::new())
    }
}
