//! Hands a requested query to Athena.

use mantissa_hosts_aws::{Deployment, Function};
use mantissa_query_worker::{QueryWorkerConfig, QueryWorkerDeps, RequestHandler};
use std::sync::Arc;
use std::time::Duration;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Deployment::open().await?;
    let limits = deployment.configuration().await?.settings.query;
    let deps = QueryWorkerDeps {
        rules: deployment.rules()?,
        compiled: Arc::default(),
        engine: deployment.engine()?,
        clock: deployment.clock.clone(),
        config: QueryWorkerConfig { max_rows: limits.max_rows, timeout: Duration::from_secs(limits.timeout_s) },
    };
    Function::new(deployment).work("query-worker-query_requested", RequestHandler(deps))?.serve().await
}
