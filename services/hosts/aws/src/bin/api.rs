//! Serves people and programs, behind an HTTP API of API Gateway. It sends neither metrics nor traces of its own: API Gateway
//! and Lambda count its requests.

use mantissa_api::{ApiDeps, router};
use mantissa_hosts_aws::Deployment;

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
    lambda_http::run(router(deps)).await.map_err(|error| anyhow::anyhow!("{error}"))
}
