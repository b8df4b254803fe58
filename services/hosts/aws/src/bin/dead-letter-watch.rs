//! Raises an alert for what reaches a DLQ.

use mantissa_hosts_aws::{Deployment, Function};
use mantissa_ports::Queue;
use mantissa_scheduler::DeadLetterWatch;
use serde_json::json;
use std::sync::Arc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Deployment::open().await?;
    let (clock, publisher) = (deployment.clock.clone(), deployment.publisher.clone());
    let watch = move |_| {
        let (clock, publisher) = (clock.clone(), publisher.clone());
        async move {
            let queues: Vec<Arc<dyn Queue>> = publisher.queues().into_iter().cloned().collect();
            // It remembers nothing from one invocation to the next: dedup knows what was told before.
            let messages = DeadLetterWatch::default().look(clock.as_ref(), &queues).await?;
            publisher.publish(&messages).await?;
            Ok(json!({ "n_dead": messages.len() }))
        }
    };
    Function::new(deployment).run("watch_dead_letters", watch).serve().await
}
