//! Brings the rules and destinations of the configuration into force.

use mantissa_hosts_aws::{Deployment, Function, configure};
use serde_json::json;
use std::sync::Arc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Arc::new(Deployment::open().await?);
    let configuring = deployment.clone();
    let run = move |_| {
        let deployment = configuring.clone();
        async move {
            let done = configure(&deployment).await?;
            Ok(json!({
                "n_rules": done.n_rules, "n_destinations": done.n_destinations, "problems": done.problems,
            }))
        }
    };
    Function::new(deployment).run("configure", run).serve().await
}
