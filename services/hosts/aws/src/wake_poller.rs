//! Serves the queue of queries that ended: each wakes the message that waits for it.

use crate::function::Function;
use crate::queue_service::{EventQueue, TakeEvents};
use async_trait::async_trait;
use mantissa_aws::sqs::HandedQueue;
use mantissa_contracts::topology::QUERY_ENDED;
use mantissa_ports::PortError;
use mantissa_result_poller::StartedHandler;
use serde::Deserialize;
use std::sync::Arc;

const QUERY_STARTED: &str = "result-poller-query_started";

/// Athena's event `Athena Query State Change`, of which only who it is about matters.
#[derive(Deserialize)]
pub(crate) struct Event {
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    query_execution_id: String,
}

pub struct WakePoller {
    started: Arc<HandedQueue>,
}

impl WakePoller {
    /// Makes the function serve the queries that were started and those that ended.
    pub fn serve(function: Function, handler: StartedHandler) -> anyhow::Result<Function> {
        let deployment = function.deployment.clone();
        let started = deployment.waiting_queue(QUERY_STARTED)?;
        let ended =
            EventQueue { queue: deployment.handed_queue(QUERY_ENDED)?, events: Self { started: started.clone() } };
        function.work_on(started, handler)?.serve_queue(QUERY_ENDED, ended)
    }
}

#[async_trait]
impl TakeEvents for WakePoller {
    type Event = Event;

    fn read(&self, body: &str) -> anyhow::Result<Event> {
        Ok(serde_json::from_str(body)?)
    }

    async fn take(&self, event: Event) -> Result<(), PortError> {
        self.started.wake(&event.detail.query_execution_id).await
    }
}
