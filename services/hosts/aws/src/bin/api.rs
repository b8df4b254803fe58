//! Serves people and programs, behind an HTTP API of API Gateway.

use mantissa_api::{ApiDeps, router};
use mantissa_hosts_aws::{Deployment, serve_http};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Deployment::open().await?;
    let deps = ApiDeps {
        alerts: deployment.alerts()?,
        deliveries: deployment.deliveries()?,
        ingests: deployment.ingests()?,
        ledger: deployment.ledger()?,
        publisher: deployment.publisher.clone(),
        metrics: deployment.metrics.clone(),
        clock: deployment.clock.clone(),
    };
    serve_http(deployment, router(deps)).await
}
