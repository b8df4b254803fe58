//! The same rules in `DuckDB`, over the same Parquet files, by a Python script.

use crate::arguments::Arguments;
use crate::detect_rules::Found;
use crate::stopwatch::Elapsed;
use anyhow::Context as _;
use mantissa_detection::{CompiledRule, QueryBounds};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::process::Command;

#[derive(Debug, Serialize)]
struct Input<'a> {
    /// The view each table is, and the files behind it.
    tables: BTreeMap<&'a str, String>,
    n_threads: usize,
    repeat: usize,
    rules: Vec<RuleQuery>,
}

#[derive(Debug, Serialize)]
struct RuleQuery {
    rule_id: String,
    sql: String,
}

#[derive(Debug, Deserialize)]
struct Output {
    version: String,
    wall_s: f64,
    cpu_s: f64,
    rules: Vec<RuleResult>,
}

#[derive(Debug, Deserialize)]
struct RuleResult {
    rule_id: String,
    seconds: f64,
    /// Why the rule cannot be run.
    error: Option<String>,
    event_ids: BTreeSet<String>,
}

pub(crate) struct DuckDbRun {
    pub(crate) version: String,
    pub(crate) elapsed: Elapsed,
    pub(crate) found: Found,
    pub(crate) seconds_by_rule: BTreeMap<String, f64>,
    /// Rules that it cannot run, and why.
    pub(crate) untranslated: BTreeMap<String, String>,
}

pub(crate) fn run_duckdb(
    arguments: &Arguments,
    python: &Path,
    lake_dir: &Path,
    rules: &[CompiledRule],
    n_threads: usize,
) -> anyhow::Result<DuckDbRun> {
    let input = Input {
        tables: rules
            .iter()
            .map(|rule| (rule.table, format!("{}/{}/**/*.parquet", lake_dir.display(), rule.table)))
            .collect(),
        n_threads,
        repeat: arguments.repeat.max(1),
        rules: rules
            .iter()
            .map(|rule| RuleQuery {
                rule_id: rule.rule.rule_id.to_string(),
                sql: rule.query(&QueryBounds::unbounded()),
            })
            .collect(),
    };
    let (asked, answered) = (arguments.out.join("duckdb-input.json"), arguments.out.join("duckdb-output.json"));
    serde_json::to_writer(File::create(&asked).with_context(|| format!("write {}", asked.display()))?, &input)?;
    let status = Command::new(python)
        .arg(&arguments.duckdb_script)
        .args([&asked, &answered])
        .status()
        .with_context(|| format!("start {}", python.display()))?;
    anyhow::ensure!(status.success(), "{} ended with {status}", arguments.duckdb_script.display());
    let answer = std::fs::read(&answered).with_context(|| format!("read {}", answered.display()))?;
    let output: Output = serde_json::from_slice(&answer).context("read DuckDB's answer")?;
    Ok(read_output(output))
}

fn read_output(output: Output) -> DuckDbRun {
    let mut run = DuckDbRun {
        version: output.version,
        elapsed: Elapsed { wall_s: output.wall_s, cpu_s: Some(output.cpu_s) },
        found: Found::new(),
        seconds_by_rule: BTreeMap::new(),
        untranslated: BTreeMap::new(),
    };
    for rule in output.rules {
        match rule.error {
            Some(error) => {
                run.untranslated.insert(rule.rule_id, error);
            }
            None => {
                run.seconds_by_rule.insert(rule.rule_id.clone(), rule.seconds);
                run.found.insert(rule.rule_id, rule.event_ids);
            }
        }
    }
    run
}
