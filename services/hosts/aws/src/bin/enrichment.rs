//! Adds what is known of an alert, and chooses its destinations.

use mantissa_enrichment::{ClosedHandler, EnrichmentDeps, OpenedHandler, UpdatedHandler};
use mantissa_hosts_aws::{Deployment, Function};
use std::sync::Arc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Deployment::open().await?;
    let mut configuration = deployment.configuration().await?;
    let deps = EnrichmentDeps {
        alerts: deployment.alerts()?,
        destinations: deployment.destinations()?,
        clock: deployment.clock.clone(),
        routing: Arc::new(configuration.settings.routing()?),
        assets: Arc::new(configuration.assets()?),
        addresses: configuration.addresses()?,
    };
    Function::new(deployment)
        .work("enrichment-alert_opened", OpenedHandler(deps.clone()))?
        .work("enrichment-alert_updated", UpdatedHandler(deps.clone()))?
        .work("enrichment-alert_closed", ClosedHandler(deps))?
        .serve()
        .await
}
