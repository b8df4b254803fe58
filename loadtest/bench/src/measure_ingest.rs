//! Delivery files → lake.

use crate::arguments::Arguments;
use crate::generate_logs::{Form, RawLogs, write_logs};
use crate::open_data_dir::DataDir;
use crate::report::say;
use crate::stopwatch::{Elapsed, Stopwatch};
use anyhow::Context as _;
use mantissa_ingest::{IngestDeps, ingest_object, received_object};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct IngestRun {
    pub(crate) form: &'static str,
    pub(crate) n_files: usize,
    pub(crate) n_records: u64,
    pub(crate) json_bytes: u64,
    pub(crate) elapsed: Elapsed,
}

impl IngestRun {
    pub(crate) fn megabytes_per_core_s(&self) -> f64 {
        megabytes(self.json_bytes) / self.elapsed.busy_s()
    }

    pub(crate) fn megabytes_per_s(&self) -> f64 {
        megabytes(self.json_bytes) / self.elapsed.wall_s
    }

    #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
    pub(crate) fn records_per_s(&self) -> f64 {
        self.n_records as f64 / self.elapsed.wall_s
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<Vec<IngestRun>> {
    let mut runs = Vec::new();
    for (form, name) in [(Form::Gzip, ".json.gz"), (Form::Plain, ".json")] {
        say(&format!("ingest: {} events as {name}", arguments.ingest_events));
        let raw = arguments.out.join("ingest-raw");
        let logs = write_logs(&raw, arguments.seed, arguments.ingest_events, form)?;
        let data = DataDir::fresh(&arguments.out.join("ingest-data"))?;
        let watch = Stopwatch::start();
        let n_records = ingest_all(&data.ingest(), &logs).await?;
        let elapsed = watch.elapsed();
        anyhow::ensure!(n_records == arguments.ingest_events, "{n_records} records of {}", arguments.ingest_events);
        runs.push(IngestRun { form: name, n_files: logs.files.len(), n_records, json_bytes: logs.json_bytes, elapsed });
        std::fs::remove_dir_all(&raw).with_context(|| format!("remove {}", raw.display()))?;
        std::fs::remove_dir_all(&data.path).with_context(|| format!("remove {}", data.path.display()))?;
    }
    Ok(runs)
}

/// One object after the other; returns how many records are in the lake.
pub(crate) async fn ingest_all(deps: &IngestDeps, logs: &RawLogs) -> anyhow::Result<u64> {
    let mut n_records = 0;
    for file in &logs.files {
        let location = file.to_str().with_context(|| format!("{} is not UTF-8", file.display()))?;
        for object in deps.raw_objects.list(location).await? {
            let received = received_object(&object, "auto", deps.clock.now());
            let report = ingest_object(deps, &received, &|_| ()).await?;
            anyhow::ensure!(report.n_quarantined == 0, "{location}: {:?}", report.reasons);
            n_records += report.n_records;
        }
    }
    Ok(n_records)
}
