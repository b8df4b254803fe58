//! Measures how the system stands, now.

use crate::{ApiDeps, Error};
use mantissa_contracts::messages::AlertSnapshot;
use mantissa_contracts::time::Instant;
use mantissa_ports::QueueDepth;
use mantissa_ports::stores::{AlertFilter, IngestedObject, LedgerRow, UnjudgedCounts};
use serde::Serialize;
use std::collections::BTreeMap;

const RECENT_ALERTS: usize = 50;
const RECENT_OBJECTS: usize = 10;
const UNJUDGED_ROWS: usize = 100;

#[derive(Debug, Serialize)]
pub struct Status {
    pub measured_at: Instant,
    pub n_rules_enabled: usize,
    /// How far behind now the rule that is furthest behind has been planned.
    pub planning_lag_s: Option<i64>,
    pub windows: UnjudgedCounts,
    /// The first of the windows that are requested and not judged yet, or failed.
    pub unjudged: Vec<LedgerRow>,
    pub alerts: Vec<AlertSnapshot>,
    pub objects: Vec<IngestedObject>,
    pub queues: Vec<QueueStatus>,
    pub n_dead: u64,
    pub deliveries: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
pub struct QueueStatus {
    pub name: String,
    #[serde(flatten)]
    pub depth: QueueDepth,
}

pub async fn gather_status(deps: &ApiDeps) -> Result<Status, Error> {
    let measured_at = deps.clock.now();
    let schedules = deps.ledger.schedules().await?;
    let enabled = schedules.iter().filter(|schedule| schedule.enabled);
    let mut queues = Vec::new();
    for queue in deps.publisher.queues() {
        queues.push(QueueStatus { name: queue.name().to_owned(), depth: queue.depth().await? });
    }
    Ok(Status {
        measured_at,
        n_rules_enabled: enabled.clone().count(),
        planning_lag_s: enabled.map(|schedule| (measured_at - schedule.planned_to).num_seconds()).max(),
        windows: deps.ledger.count_unjudged().await?,
        unjudged: deps.ledger.unjudged(UNJUDGED_ROWS).await?,
        alerts: deps.alerts.list(&AlertFilter::default(), RECENT_ALERTS, None).await?,
        objects: deps.ingests.objects(RECENT_OBJECTS).await?,
        n_dead: queues.iter().map(|queue| queue.depth.n_dead).sum(),
        queues,
        deliveries: deps.deliveries.counts().await?,
    })
}
