//! `mantissa detect`: rules judged once over what is in the lake.

use super::Invocation;
use crate::arguments::DetectArguments;
use crate::exit::FOUND_PROBLEMS;
use crate::load_rules::load;
use crate::output::{self, Format};
use mantissa_detection::{CompiledRule, ProblemSeverity, QueryBounds};
use mantissa_embedded::query_engine::DataFusionEngine;
use mantissa_lake::catalogue::catalogue;
use mantissa_sql::{GuardPolicy, guard};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::process::ExitCode;

/// One-shot evaluation is not cut short: a result this large does not fit the machine anyway.
const MAX_ROWS: u64 = 50_000_000;

#[derive(Debug, Serialize)]
struct Detected {
    rule_id: String,
    title: String,
    level: String,
    /// Distinct event ids.
    n_matches: usize,
    /// Distinct alert keys.
    n_groups: usize,
    /// SHA-256 of the sorted distinct event ids joined by newlines.
    event_ids_sha256: String,
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_ids: Option<Vec<String>>,
}

pub(crate) async fn run(invocation: &Invocation, arguments: &DetectArguments) -> anyhow::Result<ExitCode> {
    let loaded = load(&arguments.rules)?;
    for problem in &loaded.problems {
        output::note(&problem.to_string());
    }
    let installation = invocation.open()?;
    let bounds = QueryBounds {
        window: None,
        event_from: arguments.from,
        // The command's end is exclusive and the bound is not.
        event_to: arguments.to.map(|to| to - chrono::TimeDelta::milliseconds(1)),
    };
    let progress = indicatif::ProgressBar::new(loaded.rules.len() as u64);
    let mut detected = Vec::new();
    for rule in &loaded.rules {
        detected.push(detect(&installation.engine, rule, &bounds, arguments.events).await);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let failed = detected.iter().any(|rule| rule.error.is_some())
        || loaded.problems.iter().any(|problem| problem.severity == ProblemSeverity::Error);
    match invocation.format {
        Format::Json => output::json(&detected)?,
        Format::Table => print_table(&detected),
    }
    Ok(if failed { ExitCode::from(FOUND_PROBLEMS) } else { ExitCode::SUCCESS })
}

async fn detect(engine: &DataFusionEngine, rule: &CompiledRule, bounds: &QueryBounds, with_ids: bool) -> Detected {
    let mut detected = Detected {
        rule_id: rule.rule.rule_id.to_string(),
        title: rule.rule.title.clone(),
        level: rule.rule.severity.to_string(),
        n_matches: 0,
        n_groups: 0,
        event_ids_sha256: String::new(),
        error: None,
        event_ids: None,
    };
    match matches_of(engine, rule, bounds).await {
        Ok((ids, keys)) => {
            detected.n_matches = ids.len();
            detected.n_groups = keys.len();
            detected.event_ids_sha256 = digest_of(&ids);
            detected.event_ids = with_ids.then(|| ids.into_iter().collect());
        }
        Err(error) => detected.error = Some(format!("{error:#}")),
    }
    detected
}

type Ids = BTreeSet<String>;
type Keys = BTreeSet<Vec<Option<String>>>;

async fn matches_of(
    engine: &DataFusionEngine,
    rule: &CompiledRule,
    bounds: &QueryBounds,
) -> anyhow::Result<(Ids, Keys)> {
    let guarded = guard(&rule.query(bounds), catalogue(), &GuardPolicy::for_rules(MAX_ROWS))?;
    let (columns, rows, _) = engine.collect(&guarded.sql).await?;
    let find = |name: &str| columns.iter().position(|column| column.name == name);
    let event_id = find("event_id");
    let keys: Vec<usize> = rule.key_fields.iter().filter_map(|field| find(&field.column_alias)).collect();
    let mut ids = Ids::new();
    let mut groups = Keys::new();
    for row in &rows {
        ids.extend(event_id.and_then(|index| row.get(index).cloned().flatten()));
        groups.insert(keys.iter().map(|index| row.get(*index).cloned().flatten()).collect());
    }
    Ok((ids, groups))
}

fn digest_of(ids: &Ids) -> String {
    let joined = ids.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    Sha256::digest(joined.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn print_table(detected: &[Detected]) {
    let rows = detected.iter().filter(|rule| rule.n_matches > 0 || rule.error.is_some()).map(|rule| {
        let result = rule.error.clone().unwrap_or_else(|| rule.n_matches.to_string());
        vec![rule.level.clone(), rule.title.clone(), result, rule.n_groups.to_string()]
    });
    output::table(&["level", "rule", "events", "groups"], rows);
    let n_silent = detected.iter().filter(|rule| rule.n_matches == 0 && rule.error.is_none()).count();
    output::line(&format!("{} rules judged, {n_silent} without a match", detected.len()));
}
