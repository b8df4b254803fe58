//! Sigma rules over a lake, on our engine and on two others.

use crate::arguments::Arguments;
use crate::compare_duckdb::{DuckDbRun, run_duckdb};
use crate::compare_rsigma::run_rsigma;
use crate::detect_rules::{Found, Queries, RulesRun, detect};
use crate::generate_logs::{Form, write_logs};
use crate::measure_ingest::ingest_all;
use crate::open_data_dir::DataDir;
use crate::report::say;
use crate::stopwatch::Elapsed;
use anyhow::Context as _;
use chrono::TimeDelta;
use mantissa_detection::{CompiledRule, RuleKind, load_rules};
use mantissa_ingest::{IngestConfig, IngestDeps, compact_table};
use mantissa_lake::catalogue::LogSource;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default, Serialize)]
pub(crate) struct DetectReport {
    pub(crate) rules: String,
    pub(crate) n_rules: usize,
    pub(crate) n_events: u64,
    pub(crate) n_files: usize,
    pub(crate) lake_bytes: u64,
    pub(crate) n_found: usize,
    pub(crate) scanned_bytes: u64,
    pub(crate) duckdb_version: Option<String>,
    /// What ran, on how many threads, and its time.
    pub(crate) times: Vec<Timed>,
    /// Rules left out on every side, and why.
    pub(crate) left_out: BTreeMap<String, String>,
    /// Events on which engines disagree.
    pub(crate) differences: Vec<String>,
    pub(crate) slowest: Vec<RuleTime>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Timed {
    pub(crate) engine: &'static str,
    pub(crate) n_threads: usize,
    pub(crate) elapsed: Elapsed,
}

/// One rule on one thread.
#[derive(Debug, Serialize)]
pub(crate) struct RuleTime {
    pub(crate) title: String,
    pub(crate) mantissa_s: f64,
    pub(crate) duckdb_s: Option<f64>,
}

pub(crate) const MANTISSA: &str = "mantissa, a query each";
pub(crate) const MANTISSA_TOGETHER: &str = "mantissa, rules together";
pub(crate) const DUCKDB: &str = "DuckDB";
pub(crate) const RSIGMA_PARSED: &str = "rsigma-eval, events parsed before";
pub(crate) const RSIGMA: &str = "rsigma-eval, from JSON text";

impl DetectReport {
    pub(crate) fn time_of(&self, engine: &str, n_threads: usize) -> Option<Elapsed> {
        self.times
            .iter()
            .find(|timed| timed.engine == engine && timed.n_threads == n_threads)
            .map(|timed| timed.elapsed)
    }
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<DetectReport> {
    let (paths, called) = arguments.rules();
    let mut report = DetectReport { rules: called, n_events: arguments.events, ..DetectReport::default() };
    let mut rules = comparable_rules(load_rules(&paths).rules, &mut report.left_out);
    let data = make_lake(arguments).await?;
    let (n_files, lake_bytes) = size_of_lake(&data).await?;
    (report.n_files, report.lake_bytes) = (n_files, lake_bytes);

    let all_threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads: BTreeSet<usize> = BTreeSet::from([1, all_threads]);
    let mut duckdb: Option<DuckDbRun> = None;
    for n_threads in &threads {
        let Some(python) = &arguments.python else { continue };
        say(&format!("detect: {} rules in DuckDB, {n_threads} threads", rules.len()));
        let run = run_duckdb(arguments, python, &data.lake_dir(), &rules, *n_threads)?;
        // A rule that one side cannot run is run by none.
        rules.retain(|rule| !run.untranslated.contains_key(rule.rule.rule_id.as_str()));
        report.times.push(Timed { engine: DUCKDB, n_threads: *n_threads, elapsed: run.elapsed });
        report.left_out.extend(run.untranslated.iter().map(|(rule, why)| (rule.clone(), format!("DuckDB: {why}"))));
        report.duckdb_version = Some(run.version.clone());
        duckdb = duckdb.or(Some(run));
    }
    let mut ours: Option<RulesRun> = None;
    for n_threads in &threads {
        say(&format!("detect: {} rules, {n_threads} threads", rules.len()));
        let engine = data.engine(*n_threads)?;
        let run = detect(&engine, &rules, Queries::Each, arguments.repeat).await?;
        report.times.push(Timed { engine: MANTISSA, n_threads: *n_threads, elapsed: run.elapsed });
        let together = detect(&engine, &rules, Queries::Together, arguments.repeat).await?;
        report.times.push(Timed { engine: MANTISSA_TOGETHER, n_threads: *n_threads, elapsed: together.elapsed });
        compare(&run.found, "mantissa with the rules together", &together.found, &mut report.differences);
        ours = ours.or(Some(run));
    }
    let ours = ours.context("nothing ran")?;
    report.n_rules = rules.len();
    report.scanned_bytes = ours.scanned_bytes;
    report.n_found = ours.found.values().map(BTreeSet::len).sum();
    report.slowest = slowest(&rules, &ours, duckdb.as_ref());
    if let Some(duckdb) = &duckdb {
        compare(&ours.found, DUCKDB, &duckdb.found, &mut report.differences);
    }
    if !arguments.without_rsigma {
        say("detect: rsigma-eval on the same events");
        let run = run_rsigma(&rules, arguments.seed, arguments.events)?;
        report.times.push(Timed { engine: RSIGMA_PARSED, n_threads: 1, elapsed: run.evaluation });
        report.times.push(Timed { engine: RSIGMA, n_threads: 1, elapsed: run.with_parsing });
        compare(&ours.found, "rsigma-eval", &run.found, &mut report.differences);
        let unsupported = run.unsupported.into_iter();
        report.left_out.extend(unsupported.map(|(rule, why)| (rule, format!("not compared with rsigma-eval: {why}"))));
    }
    Ok(report)
}

/// The other engines judge one event at a time, of the one source the generator writes.
fn comparable_rules(loaded: Vec<CompiledRule>, left_out: &mut BTreeMap<String, String>) -> Vec<CompiledRule> {
    let mut rules = Vec::new();
    for rule in loaded {
        let why = match rule.kind {
            RuleKind::Event if rule.log_source == LogSource::CloudTrail => {
                rules.push(rule);
                continue;
            }
            RuleKind::Event => "its source is not CloudTrail",
            RuleKind::Threshold(_) => "it counts events",
            RuleKind::Sql(_) => "it is SQL",
        };
        left_out.insert(rule.rule.rule_id.to_string(), why.to_owned());
    }
    rules
}

/// Delivery files, ingested and compacted as the product does it.
async fn make_lake(arguments: &Arguments) -> anyhow::Result<DataDir> {
    let path = arguments.out.join(format!("detect-data-{}-{}", arguments.seed, arguments.events));
    let complete = path.join("complete");
    if arguments.keep_lake && complete.exists() {
        return DataDir::open(&path);
    }
    say(&format!("detect: {} events into a lake", arguments.events));
    let raw = arguments.out.join("detect-raw");
    let logs = write_logs(&raw, arguments.seed, arguments.events, Form::Gzip)?;
    let data = DataDir::fresh(&path)?;
    let deps = data.ingest();
    let n_records = ingest_all(&deps, &logs).await?;
    anyhow::ensure!(n_records == arguments.events, "{n_records} records of {} were ingested", arguments.events);
    // Files are compacted when they have settled; here nothing is written any more.
    let config = IngestConfig { compact_after: TimeDelta::seconds(-1), ..deps.config.clone() };
    compact_table(&IngestDeps { config, ..deps }, "cloudtrail_logs").await?;
    std::fs::remove_dir_all(&raw).with_context(|| format!("remove {}", raw.display()))?;
    std::fs::write(&complete, "").with_context(|| format!("write {}", complete.display()))?;
    Ok(data)
}

async fn size_of_lake(data: &DataDir) -> anyhow::Result<(usize, u64)> {
    let files = data.ingest().lake.list("cloudtrail_logs/").await?;
    Ok((files.len(), files.iter().map(|file| file.size_bytes).sum()))
}

fn compare(ours: &Found, engine: &str, theirs: &Found, differences: &mut Vec<String>) {
    for (rule, ours) in ours {
        let Some(theirs) = theirs.get(rule) else { continue };
        let (only_ours, only_theirs) = (ours.difference(theirs).count(), theirs.difference(ours).count());
        if only_ours + only_theirs > 0 {
            let example = ours.symmetric_difference(theirs).next().map_or("", String::as_str);
            differences.push(format!(
                "rule `{rule}`: {only_ours} events found by mantissa only, {only_theirs} by {engine} only, such as `{example}`"
            ));
        }
    }
}

fn slowest(rules: &[CompiledRule], ours: &RulesRun, duckdb: Option<&DuckDbRun>) -> Vec<RuleTime> {
    let mut times: Vec<RuleTime> = rules
        .iter()
        .filter_map(|rule| {
            let rule_id = rule.rule.rule_id.as_str();
            Some(RuleTime {
                title: rule.rule.title.clone(),
                mantissa_s: *ours.seconds_by_rule.get(rule_id)?,
                duckdb_s: duckdb.and_then(|run| run.seconds_by_rule.get(rule_id).copied()),
            })
        })
        .collect();
    times.sort_by(|a, b| b.mantissa_s.total_cmp(&a.mantissa_s));
    times.truncate(10);
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(ids: &[&str]) -> Found {
        Found::from([("r".to_owned(), ids.iter().map(|id| (*id).to_owned()).collect())])
    }

    #[test]
    fn an_event_that_only_one_engine_finds_is_a_difference() {
        let mut differences = Vec::new();
        compare(&found(&["a", "b"]), DUCKDB, &found(&["a", "b"]), &mut differences);
        assert!(differences.is_empty(), "{differences:?}");
        compare(&found(&["a"]), DUCKDB, &found(&["a", "c"]), &mut differences);
        assert_eq!(differences, ["rule `r`: 0 events found by mantissa only, 1 by DuckDB only, such as `c`"],);
    }
}
