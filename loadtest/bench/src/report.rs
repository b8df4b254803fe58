//! The report: Markdown for people, JSON for programs, both of one run.

use crate::arguments::Arguments;
use crate::budgets::Budgets;
use crate::measure_detect::{DUCKDB, DetectReport, MANTISSA, MANTISSA_TOGETHER, RSIGMA, RSIGMA_PARSED};
use crate::measure_ingest::IngestRun;
use crate::measure_pipeline::PipelineRun;
use crate::stopwatch::Elapsed;
use anyhow::Context as _;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) n_cores: usize,
    pub(crate) seed: u64,
    /// A debug build: good for trying the bench, not for measuring.
    pub(crate) is_unoptimised: bool,
    /// Runnable threads on the machine, at the beginning and at the end: what else it was doing.
    pub(crate) load_before: Option<f64>,
    pub(crate) load_after: Option<f64>,
    pub(crate) ingest: Option<Vec<IngestRun>>,
    pub(crate) detect: Option<DetectReport>,
    pub(crate) pipeline: Option<Vec<PipelineRun>>,
}

impl Report {
    pub(crate) fn begin(arguments: &Arguments) -> Self {
        Self {
            n_cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            seed: arguments.seed,
            is_unoptimised: cfg!(debug_assertions),
            load_before: load_average(),
            load_after: None,
            ingest: None,
            detect: None,
            pipeline: None,
        }
    }

    pub(crate) fn end(&mut self) {
        self.load_after = load_average();
    }

    pub(crate) fn write(&self, folder: &Path, markdown: &str) -> anyhow::Result<()> {
        for (name, text) in [("report.md", markdown.to_owned()), ("report.json", serde_json::to_string_pretty(self)?)] {
            let path = folder.join(name);
            std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }

    pub(crate) fn to_markdown(&self, budgets: &Budgets) -> String {
        let load = |load: Option<f64>| load.map_or("unknown".to_owned(), |load| format!("{load:.1}"));
        let mut text = format!(
            "# Bench\n\n{} cores; load average {} before and {} after. Seed {}.\n\
             `busy` is processor time of all threads: on a machine that others use, compare that.\n",
            self.n_cores,
            load(self.load_before),
            load(self.load_after),
            self.seed
        );
        if self.is_unoptimised {
            text += "\n**Built without optimisation: the numbers and the verdicts say nothing about the product.**\n";
        }
        if let Some(runs) = &self.ingest {
            text += &ingest_section(runs, budgets);
        }
        if let Some(detect) = &self.detect {
            text += &detect_section(detect, budgets);
        }
        if let Some(runs) = &self.pipeline {
            text += &pipeline_section(runs, budgets);
        }
        text
    }
}

fn ingest_section(runs: &[IngestRun], budgets: &Budgets) -> String {
    let mut text = "\n## Ingest, one object at a time\n\n\
                    | form | files | records | MB of JSON | wall s | busy s | MB/s | MB/s per core | records/s |\n\
                    |---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for run in runs {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.0} | {:.2} | {} | {:.1} | {:.1} | {:.0} |",
            run.form,
            run.n_files,
            run.n_records,
            run.json_bytes as f64 / 1e6,
            run.elapsed.wall_s,
            busy(run.elapsed),
            run.megabytes_per_s(),
            run.megabytes_per_core_s(),
            run.records_per_s()
        );
    }
    let slowest = runs.iter().map(IngestRun::megabytes_per_core_s).fold(f64::INFINITY, f64::min);
    let aim = budgets.ingest.min_mb_per_core_s;
    let _ = writeln!(text, "\nAim: at least {aim:.0} MB/s per core. {} ({slowest:.1}).", verdict(slowest >= aim));
    text
}

fn detect_section(detect: &DetectReport, budgets: &Budgets) -> String {
    let mut text = format!(
        "\n## Detect\n\n{} {} over {} events in {} Parquet files ({:.0} MB); {} matches; {:.0} MB scanned by mantissa.{}\n\n\
         | engine | threads | wall s | busy s | events/s (wall) |\n|---|--:|--:|--:|--:|\n",
        detect.n_rules,
        detect.rules,
        detect.n_events,
        detect.n_files,
        detect.lake_bytes as f64 / 1e6,
        detect.n_found,
        detect.scanned_bytes as f64 / 1e6,
        detect.duckdb_version.as_ref().map_or(String::new(), |version| format!(" DuckDB {version}.")),
    );
    for timed in &detect.times {
        let _ = writeln!(
            text,
            "| {} | {} | {:.3} | {} | {:.0} |",
            timed.engine,
            timed.n_threads,
            timed.elapsed.wall_s,
            busy(timed.elapsed),
            detect.n_events as f64 / timed.elapsed.wall_s
        );
    }
    text.push('\n');
    for timed in detect.times.iter().filter(|timed| timed.engine == MANTISSA) {
        if let Some(duckdb) = detect.time_of(DUCKDB, timed.n_threads) {
            let (wall, busy) = (timed.elapsed.wall_s / duckdb.wall_s, timed.elapsed.busy_s() / duckdb.busy_s());
            let aim = budgets.detect.max_times_duckdb;
            let _ = writeln!(
                text,
                "- {} threads, a query each: {wall:.2} × DuckDB's wall time, {busy:.2} × its busy time. Aim: at most {aim}. {}.",
                timed.n_threads,
                verdict(busy <= aim)
            );
        }
    }
    // The others judge one event by all rules at a time, as the rules together do.
    if let Some(ours) = detect.time_of(MANTISSA_TOGETHER, 1) {
        for (engine, aim) in [(RSIGMA, Some(budgets.detect.min_times_rsigma)), (RSIGMA_PARSED, None)] {
            let Some(theirs) = detect.time_of(engine, 1) else { continue };
            let times = theirs.busy_s() / ours.busy_s();
            let told = aim.map_or(String::new(), |aim| format!(" Aim: at least {aim}. {}.", verdict(times >= aim)));
            let _ = writeln!(
                text,
                "- Rules together: {times:.1} × the events/s of {engine}, one thread each, busy time.{told}"
            );
        }
    }
    text += "\n| slowest rules, one thread | mantissa ms | DuckDB ms |\n|---|--:|--:|\n";
    for rule in &detect.slowest {
        let duckdb = rule.duckdb_s.map_or("–".to_owned(), |seconds| format!("{:.1}", seconds * 1e3));
        let _ = writeln!(text, "| {} | {:.1} | {duckdb} |", rule.title, rule.mantissa_s * 1e3);
    }
    if !detect.left_out.is_empty() {
        text += "\nLeft out:\n\n";
        for (rule, why) in &detect.left_out {
            let _ = writeln!(text, "- `{rule}`: {why}");
        }
    }
    text += match detect.differences.is_empty() {
        true => "\nEvery engine found the same events for every rule.\n",
        false => "\n**Engines disagree:**\n\n",
    };
    for difference in &detect.differences {
        let _ = writeln!(text, "- {difference}");
    }
    text
}

fn pipeline_section(runs: &[PipelineRun], budgets: &Budgets) -> String {
    let mut text = "\n## Pipeline: match → alert → webhook received\n\n\
                    | load | matches | alerts | sent twice | wall s | busy s | matches/s | p50 ms | p99 ms |\n\
                    |---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for run in runs {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.2} | {} | {:.0} | {:.1} | {:.1} |",
            run.load,
            run.n_matches,
            run.n_alerts,
            run.n_repeated,
            run.elapsed.wall_s,
            busy(run.elapsed),
            run.matches_per_s(),
            run.p50_ms,
            run.p99_ms
        );
    }
    if let Some(first) = runs.first() {
        let (reached, aim) = (first.matches_per_s(), budgets.pipeline.min_matches_per_s);
        let _ = writeln!(
            text,
            "\nAim: at least {aim:.0} matches/s where every match is a new alert. {} ({reached:.0}).",
            verdict(reached >= aim)
        );
    }
    text
}

fn busy(elapsed: Elapsed) -> String {
    elapsed.cpu_s.map_or("–".to_owned(), |seconds| format!("{seconds:.2}"))
}

fn verdict(met: bool) -> &'static str {
    if met { "Met" } else { "Missed" }
}

fn load_average() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}

/// What is going on.
#[expect(clippy::print_stderr, reason = "progress of a program that runs for minutes")]
pub(crate) fn say(text: &str) {
    eprintln!("bench: {text}");
}

#[expect(clippy::print_stderr, reason = "there is no log")]
pub(crate) fn complain(text: &str) {
    eprintln!("error: {text}");
}
