//! Publishes what was committed and not published, because its writer died or the queue was not to be had.

use mantissa_hosts_aws::{Deployment, Function};
use serde_json::json;
use std::time::Duration;

/// Its writer publishes within the time its function has; after that nobody else will.
const AGE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Deployment::open().await?;
    let outbox = deployment.outbox()?;
    let sweep = move |_| {
        let outbox = outbox.clone();
        async move { Ok(json!({ "n_published": outbox.sweep(AGE).await? })) }
    };
    Function::new(deployment).run("sweep", sweep).serve().await
}
