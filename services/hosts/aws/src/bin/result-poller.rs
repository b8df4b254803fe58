//! Turns the rows of ended queries into matches.

use mantissa_hosts_aws::{Deployment, Function, WakePoller};
use mantissa_result_poller::{ResultPollerConfig, ResultPollerDeps, StartedHandler};
use std::sync::Arc;
use std::time::Duration;

/// The end of a query wakes what waits for it; this is for the end that nobody was told of.
const LOOK_AGAIN_IN: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Deployment::open().await?;
    let deps = ResultPollerDeps {
        rules: deployment.rules()?,
        compiled: Arc::default(),
        engine: deployment.engine()?,
        publisher: deployment.publisher.clone(),
        clock: deployment.clock.clone(),
        config: ResultPollerConfig { wait_inside: Duration::ZERO, look_again_in: LOOK_AGAIN_IN },
    };
    WakePoller::serve(Function::new(deployment), StartedHandler(deps))?.serve().await
}
