//! Reads raw log objects into the lake, and merges the lake's small files.

use mantissa_hosts_aws::{AnnounceObjects, Deployment, Function};
use mantissa_ingest::{IngestConfig, IngestDeps, IngestHandler, compact_table};
use mantissa_lake::catalogue::catalogue;
use serde_json::{Map, json};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let deployment = Deployment::open().await?;
    let deps = IngestDeps {
        raw_objects: deployment.raw_objects(),
        lake: deployment.lake()?,
        quarantine: deployment.lake()?,
        ingests: deployment.ingests()?,
        clock: deployment.clock.clone(),
        config: IngestConfig::default(),
    };
    let (compact, metrics) = (deps.clone(), deployment.metrics.clone());
    let function = Function::new(deployment).run("compact", move |_| {
        let deps = compact.clone();
        async move {
            let mut merged = Map::new();
            for table in &catalogue().tables {
                let report = compact_table(&deps, table.name).await?;
                merged.insert(table.name.to_owned(), json!(report.n_files_merged));
            }
            Ok(json!({ "n_files_merged": merged }))
        }
    });
    match function.own_queues() {
        // The function `compaction` has the same binary.
        [] => function.serve().await,
        _ => {
            AnnounceObjects::serve(function)?
                .work("ingest-object_received", IngestHandler { deps, metrics })?
                .serve()
                .await
        }
    }
}
