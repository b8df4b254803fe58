//! `mantissa ingest`: raw logs into the lake.

use super::Invocation;
use crate::arguments::IngestArguments;
use crate::exit::{FOUND_PROBLEMS, bad_input};
use crate::output::{self, Format};
use indicatif::{ProgressBar, ProgressStyle};
use mantissa_contracts::messages::ObjectReceived;
use mantissa_ingest::{IngestReport, Progress, ingest_object, received_object};
use serde_json::json;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

pub(crate) async fn run(invocation: &Invocation, arguments: &IngestArguments) -> anyhow::Result<ExitCode> {
    let installation = invocation.open()?;
    let deps = installation.ingest();
    let mut objects: Vec<ObjectReceived> = Vec::new();
    for path in &arguments.paths {
        let location = path.to_str().ok_or_else(|| bad_input(format!("{} is not valid UTF-8", path.display())))?;
        let listed = deps.raw_objects.list(location).await.map_err(|e| bad_input(e.to_string()))?;
        objects.extend(listed.iter().map(|object| received_object(object, &arguments.source, deps.clock.now())));
    }
    if objects.is_empty() {
        return Err(bad_input("there is no file at or below the given paths"));
    }
    let total_bytes = objects.iter().map(|object| object.size_bytes).sum();
    let shown = Shown::new(total_bytes, objects.len());
    let mut reports = Vec::new();
    let mut failures = BTreeMap::new();
    for object in &objects {
        match ingest_object(&deps, object, &|progress| shown.advance(progress)).await {
            Ok(report) => {
                shown.finish_object(&report);
                reports.push(report);
            }
            Err(error) => {
                failures.insert(object.location.clone(), error.to_string());
            }
        }
    }
    shown.bar.finish_and_clear();
    report(invocation, &reports, &failures)?;
    let all_good = failures.is_empty() && reports.iter().all(|report| report.n_quarantined == 0);
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::from(FOUND_PROBLEMS) })
}

/// The progress bar: files, records, quarantined, MB/s.
struct Shown {
    bar: ProgressBar,
    n_objects: usize,
    done: Mutex<Totals>,
}

#[derive(Default)]
struct Totals {
    n_objects: usize,
    n_records: u64,
    n_quarantined: u64,
    raw_bytes: u64,
}

impl Shown {
    fn new(total_bytes: u64, n_objects: usize) -> Self {
        let bar = ProgressBar::new(total_bytes);
        let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, n_objects, done: Mutex::default() }
    }

    fn advance(&self, current: Progress) {
        self.show(current);
    }

    fn finish_object(&self, report: &IngestReport) {
        if let Ok(mut done) = self.done.lock() {
            done.n_objects += 1;
            done.n_records += report.n_records;
            done.n_quarantined += report.n_quarantined;
            done.raw_bytes += report.raw_bytes;
        }
        self.bar.inc(report.size_bytes);
        self.show(Progress::default());
    }

    fn show(&self, current: Progress) {
        let Ok(done) = self.done.lock() else { return };
        #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
        let megabytes = (done.raw_bytes + current.raw_bytes) as f64 / 1e6;
        let rate = megabytes / self.bar.elapsed().as_secs_f64().max(0.001);
        self.bar.set_message(format!(
            "{}/{} files, {} records, {} quarantined, {rate:.1} MB/s",
            done.n_objects,
            self.n_objects,
            done.n_records + current.n_records,
            done.n_quarantined + current.n_quarantined
        ));
    }
}

fn report(
    invocation: &Invocation,
    reports: &[IngestReport],
    failures: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let sum = |of: fn(&IngestReport) -> u64| reports.iter().map(of).sum::<u64>();
    let n_duplicates = reports.iter().filter(|report| report.duplicate).count();
    if invocation.format == Format::Json {
        let objects: Vec<_> = reports
            .iter()
            .map(|report| {
                json!({
                    "location": report.location, "object_id": report.object_id, "table": report.table,
                    "duplicate": report.duplicate, "n_records": report.n_records,
                    "n_quarantined": report.n_quarantined, "n_future": report.n_future, "reasons": report.reasons,
                })
            })
            .collect();
        return output::json(&json!({ "objects": objects, "failures": failures }));
    }
    let mut tables: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for report in reports.iter().filter(|report| !report.duplicate) {
        let entry = tables.entry(report.table).or_default();
        entry.0 += 1;
        entry.1 += report.n_records;
    }
    let rows = tables
        .iter()
        .map(|(table, (n_files, n_records))| vec![(*table).to_owned(), n_files.to_string(), n_records.to_string()]);
    output::table(&["table", "files", "records"], rows);
    for report in reports {
        for (reason, count) in &report.reasons {
            output::line(&format!("quarantined {count} of {}: {}", report.location, output::printable(reason)));
        }
        if report.n_future > 0 {
            output::line(&format!(
                "{}: {} records lie in the future, some clock is wrong",
                report.location, report.n_future
            ));
        }
    }
    failures.iter().for_each(|(location, error)| output::line(&format!("failed {location}: {error}")));
    output::line(&format!(
        "{} files: {} records, {} quarantined, {n_duplicates} files ingested before, {} failed",
        reports.len() + failures.len(),
        sum(|report| if report.duplicate { 0 } else { report.n_records }),
        sum(|report| if report.duplicate { 0 } else { report.n_quarantined }),
        failures.len()
    ));
    Ok(())
}
