//! `make bench`: what the product does in a second, measured on the real adapters, beside engines people know.
//!
//! - **ingest**: delivery files → lake, MB/s of raw JSON per core.
//! - **detect**: Sigma rules over the lake, beside `DuckDB` on the same Parquet files and `rsigma-eval` on the same events.
//! - **pipeline**: matches → alerts → webhook received, matches/s and latency.
//!
//! Invariants: every number is of this run; what cannot be compared is named and left out on all sides; engines that
//! disagree about one event fail the run. Time is wall time *and* processor time of the process, because a machine that
//! others use stretches the first and not the second; ratios are given for both.

mod arguments;
mod budgets;
mod compare_duckdb;
mod compare_rsigma;
mod detect_rules;
mod generate_logs;
mod measure_detect;
mod measure_ingest;
mod measure_pipeline;
mod open_data_dir;
mod pipeline_stages;
mod report;
mod stopwatch;
mod webhook_server;

use anyhow::Context as _;
use arguments::{Arguments, Bench};
use budgets::Budgets;
use clap::Parser as _;
use report::Report;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("start the runtime: {error}")),
    };
    match runtime.block_on(run(&arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(&format!("{error:#}")),
    }
}

/// `true` when every engine agreed.
async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let budgets = Budgets::read(&arguments.budgets)?;
    std::fs::create_dir_all(&arguments.out).with_context(|| format!("make {}", arguments.out.display()))?;
    let mut report = Report::begin(arguments);
    if arguments.runs(Bench::Ingest) {
        report.ingest = Some(measure_ingest::measure(arguments).await?);
    }
    if arguments.runs(Bench::Detect) {
        report.detect = Some(measure_detect::measure(arguments).await?);
    }
    if arguments.runs(Bench::Pipeline) {
        report.pipeline = Some(measure_pipeline::measure(arguments).await?);
    }
    report.end();
    let agreed = report.detect.as_ref().is_none_or(|detect| detect.differences.is_empty());
    let text = report.to_markdown(&budgets);
    report::print(&text);
    report.write(&arguments.out, &text)?;
    Ok(agreed)
}

fn fail(message: &str) -> ExitCode {
    report::complain(message);
    ExitCode::FAILURE
}
