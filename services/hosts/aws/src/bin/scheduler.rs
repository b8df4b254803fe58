//! Plans which rule is judged over which window, and keeps the ledger of what was judged.

use mantissa_hosts_aws::{Deployment, Function};
use mantissa_scheduler::handler::{CompletedHandler, FailedHandler};
use mantissa_scheduler::{SchedulerConfig, SchedulerDeps, tick};
use serde_json::json;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Deployment::open().await?;
    let settle = deployment.configuration().await?.settings.scheduler.settle();
    let deps = SchedulerDeps {
        ledger: deployment.ledger()?,
        ingests: deployment.ingests()?,
        clock: deployment.clock.clone(),
        config: SchedulerConfig { settle, ..SchedulerConfig::default() },
    };
    let ticking = deps.clone();
    Function::new(deployment)
        .run("tick", move |_| {
            let deps = ticking.clone();
            async move {
                let report = tick(&deps).await?;
                Ok(json!({ "n_planned": report.n_planned, "n_retried": report.n_retried }))
            }
        })
        .work("scheduler-query_completed", CompletedHandler(deps.clone()))?
        .work("scheduler-rule_failed", FailedHandler(deps))?
        .serve()
        .await
}
