//! Puts what becomes of alerts and their deliveries on the event bus.

use mantissa_hosts_aws::{AnnounceLifecycle, Deployment, Function};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    AnnounceLifecycle::serve(Function::new(Deployment::open().await?))?.serve().await
}
