//! Looks whether a query has ended.

use crate::ResultPollerDeps;
use crate::read_results::{read_results, wrap};
use async_trait::async_trait;
use mantissa_contracts::Envelope;
use mantissa_contracts::messages::{FailureKind, QueryStarted, RuleFailed};
use mantissa_ports::{PortError, QueryStatus};
use mantissa_runtime::{Handled, Handler, HandlerError};
use std::time::Duration;

/// How often one look asks the engine.
const ASK_EVERY: Duration = Duration::from_millis(20);

pub struct StartedHandler(pub ResultPollerDeps);

#[async_trait]
impl Handler for StartedHandler {
    type Message = QueryStarted;

    async fn handle(&self, envelope: &Envelope<QueryStarted>) -> Handled {
        let started = &envelope.data;
        match self.wait_for_end(started).await? {
            QueryStatus::Queued | QueryStatus::Running => Err(HandlerError::NotYet {
                retry_in: self.0.config.look_again_in,
                reason: format!("query `{}` is still running", started.engine_query_id),
            }),
            QueryStatus::Succeeded(stats) => match read_results(&self.0, started, stats).await {
                Ok(messages) => Ok(messages),
                Err(error) if error.fails_the_window() => self.fail(started, FailureKind::Permanent, error.to_string()),
                Err(error) => Err(error.into()),
            },
            QueryStatus::Failed { kind, reason } => self.fail(started, kind, reason),
            QueryStatus::Cancelled => self.fail(started, FailureKind::Transient, "the query was cancelled".to_owned()),
            QueryStatus::Unknown => {
                let reason = "the engine does not know the query any more, it may have restarted".to_owned();
                self.fail(started, FailureKind::Transient, reason)
            }
        }
    }
}

impl StartedHandler {
    async fn wait_for_end(&self, started: &QueryStarted) -> Result<QueryStatus, PortError> {
        let mut waited = Duration::ZERO;
        loop {
            let status = self.0.engine.status(&started.engine_query_id).await?;
            if status.is_final() || waited >= self.0.config.wait_inside {
                return Ok(status);
            }
            tokio::time::sleep(ASK_EVERY).await;
            waited += ASK_EVERY;
        }
    }

    fn fail(&self, started: &QueryStarted, kind: FailureKind, reason: String) -> Handled {
        Ok(vec![wrap(&self.0, RuleFailed { request: started.request.clone(), kind, reason })?])
    }
}
