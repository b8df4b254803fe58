//! Groups matches into alerts.

use mantissa_dedup::{DedupDeps, MatchHandler};
use mantissa_hosts_aws::{Deployment, Function};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Deployment::open().await?;
    let deps = DedupDeps { alerts: deployment.alerts()?, clock: deployment.clock.clone() };
    Function::new(deployment).work("dedup-rule_matched", MatchHandler(deps))?.serve().await
}
