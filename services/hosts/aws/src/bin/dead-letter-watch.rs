//! Raises an alert for what reaches a DLQ.

use mantissa_hosts_aws::{Deployment, Function};
use mantissa_scheduler::DeadLetterWatch;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Mutex;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Arc::new(Deployment::open().await?);
    // An invocation goes on where the last one of this process got to.
    let watch = Arc::new(Mutex::new(DeadLetterWatch::default()));
    let watched = deployment.clone();
    let run = move |_| {
        let (deployment, watch) = (watched.clone(), watch.clone());
        async move {
            let mut watch = watch.lock().await;
            let (mut n_told, mut failures) = (0, Vec::new());
            for queue in deployment.publisher.queues() {
                match watch.tell(deployment.clock.as_ref(), &deployment.publisher, queue.as_ref()).await {
                    Ok(n) => n_told += n,
                    Err(failure) => failures.push(failure.to_string()),
                }
            }
            match failures.is_empty() {
                true => Ok(json!({ "n_told": n_told })),
                false => Err(anyhow::anyhow!("{}", failures.join("; "))),
            }
        }
    };
    Function::new(deployment).run("watch_dead_letters", run).serve().await
}
