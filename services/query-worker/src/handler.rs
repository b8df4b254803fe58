//! Starts the query, or says why the window failed.

use crate::QueryWorkerDeps;
use crate::start_query::start_query;
use async_trait::async_trait;
use mantissa_contracts::messages::{FailureKind, QueryRequested, QueryStarted, RuleFailed};
use mantissa_contracts::{Envelope, Message};
use mantissa_ports::{Outgoing, PortError};
use mantissa_runtime::{Handled, Handler, trace_context};
use tracing::debug;

pub struct RequestHandler(pub QueryWorkerDeps);

#[async_trait]
impl Handler for RequestHandler {
    type Message = QueryRequested;

    async fn handle(&self, envelope: &Envelope<QueryRequested>) -> Handled {
        let request = &envelope.data;
        match start_query(&self.0, request).await {
            Ok(engine_query_id) => {
                debug!(query_run.id = %request.query_run_id, "started query `{engine_query_id}`");
                let started_at = self.0.clock.now();
                Ok(vec![self.wrap(QueryStarted { request: request.clone(), engine_query_id, started_at })?])
            }
            Err(error) if error.fails_the_window() => Ok(vec![self.wrap(RuleFailed {
                request: request.clone(),
                kind: FailureKind::Permanent,
                reason: error.to_string(),
            })?]),
            Err(error) => Err(error.into()),
        }
    }
}

impl RequestHandler {
    fn wrap<M: Message>(&self, message: M) -> Result<Outgoing, PortError> {
        Outgoing::new(&Envelope::new("query-worker", self.0.clock.now(), trace_context::current(), message))
    }
}
