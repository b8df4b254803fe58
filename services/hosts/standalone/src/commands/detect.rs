//! `mantissa detect`: rules judged once over what is in the lake.

use super::Invocation;
use super::lake::span_of;
use crate::arguments::DetectArguments;
use crate::exit::FOUND_PROBLEMS;
use crate::lake_engine::LakeEngine;
use crate::load_rules::load;
use crate::output::{self, Format};
use mantissa_detection::{CompiledRule, LoadedRules, ProblemSeverity, QueryBounds, RulesTogether, put_together};
use mantissa_lake::catalogue::catalogue;
use mantissa_ports::tracked_queries::QueryOutput;
use mantissa_sql::{GuardPolicy, guard};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    // No engine has to look for days that are not there.
    let (first, last) = span_of(installation.lake.as_ref()).await?.unzip();
    let bounds = QueryBounds {
        window: None,
        event_from: arguments.from.max(first),
        // The command's end is exclusive and the bound is not.
        event_to: [arguments.to.map(|to| to - chrono::TimeDelta::milliseconds(1)), last].into_iter().flatten().min(),
    };
    let mut detected = detect_all(&installation.engine, &loaded.rules, &bounds, arguments.events).await;
    detected.extend(not_loaded(&loaded));
    let failed = detected.iter().any(|rule| rule.error.is_some())
        || loaded.problems.iter().any(|problem| problem.severity == ProblemSeverity::Error);
    match invocation.format {
        Format::Json => output::json(&detected)?,
        Format::Table => print_table(&detected),
    }
    Ok(if failed { ExitCode::from(FOUND_PROBLEMS) } else { ExitCode::SUCCESS })
}

/// Every rule, in the order they were loaded. Event rules of a table are judged in one pass over it; where that fails,
/// each is judged by itself, so that only the one to blame has the error.
async fn detect_all(
    engine: &LakeEngine,
    rules: &[CompiledRule],
    bounds: &QueryBounds,
    with_ids: bool,
) -> Vec<Detected> {
    let progress = indicatif::ProgressBar::new(rules.len() as u64);
    let rules: Vec<&CompiledRule> = rules.iter().collect();
    let (together, mut alone) = put_together(&rules);
    let mut judged: HashMap<&str, anyhow::Result<Matches>> = HashMap::new();
    for group in &together {
        match matches_together(engine, group, bounds).await {
            Ok(matches) => {
                progress.inc(matches.len() as u64);
                let ids = group.rules().iter().map(|rule| rule.rule.rule_id.as_str());
                judged.extend(ids.zip(matches.into_iter().map(Ok)));
            }
            Err(error) => {
                tracing::debug!("rules of {} are judged one by one: {error:#}", group.rules().len());
                alone.extend(group.rules());
            }
        }
    }
    for rule in alone {
        judged.insert(rule.rule.rule_id.as_str(), matches_of(engine, rule, bounds).await);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let results = rules.iter().map(|rule| (*rule, judged.remove(rule.rule.rule_id.as_str())));
    results.filter_map(|(rule, result)| Some(Detected::of(rule, result?, with_ids))).collect()
}

/// What is not judged at all, by file: whoever reads only the result must not take it for silent.
fn not_loaded(loaded: &LoadedRules) -> Vec<Detected> {
    let mut by_file: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for problem in &loaded.problems {
        let is_of_a_loaded_rule = loaded.rules.iter().any(|rule| rule.problems.contains(problem));
        if problem.severity != ProblemSeverity::Warning && !is_of_a_loaded_rule {
            by_file.entry(&problem.path).or_default().push(problem.to_string());
        }
    }
    let entries = by_file.into_iter().map(|(path, problems)| Detected {
        rule_id: String::new(),
        title: path.to_owned(),
        level: String::new(),
        n_matches: 0,
        n_groups: 0,
        event_ids_sha256: String::new(),
        error: Some(format!("not judged: {}", problems.join("; "))),
        event_ids: None,
    });
    entries.collect()
}

impl Detected {
    fn of(rule: &CompiledRule, result: anyhow::Result<Matches>, with_ids: bool) -> Self {
        let (matches, error) = match result {
            Ok(matches) => (Some(matches), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        Self {
            rule_id: rule.rule.rule_id.to_string(),
            title: rule.rule.title.clone(),
            level: rule.rule.severity.to_string(),
            n_matches: matches.as_ref().map_or(0, |matches| matches.ids.len()),
            n_groups: matches.as_ref().map_or(0, |matches| matches.keys.len()),
            event_ids_sha256: matches.as_ref().map_or(String::new(), |matches| digest_of(&matches.ids)),
            error,
            event_ids: matches.filter(|_| with_ids).map(|matches| matches.ids.into_iter().collect()),
        }
    }
}

/// What one rule found.
#[derive(Debug, Default)]
struct Matches {
    ids: BTreeSet<String>,
    keys: BTreeSet<Vec<Option<String>>>,
}

async fn matches_together(
    engine: &LakeEngine,
    group: &RulesTogether<'_>,
    bounds: &QueryBounds,
) -> anyhow::Result<Vec<Matches>> {
    let guarded = guard(&group.query(bounds), catalogue(), &GuardPolicy::for_rules(MAX_ROWS))?;
    let rows = engine.collect(&guarded.sql).await?.rows;
    let mut matches: Vec<Matches> = group.rules().iter().map(|_| Matches::default()).collect();
    for found in rows.iter().flat_map(|row| group.read(row)) {
        let of_rule = &mut matches[found.rule];
        of_rule.ids.extend(found.event_id.map(str::to_owned));
        of_rule.keys.insert(found.key.into_iter().map(|value| value.map(str::to_owned)).collect());
    }
    Ok(matches)
}

async fn matches_of(engine: &LakeEngine, rule: &CompiledRule, bounds: &QueryBounds) -> anyhow::Result<Matches> {
    let guarded = guard(&rule.query(bounds), catalogue(), &GuardPolicy::for_rules(MAX_ROWS))?;
    let QueryOutput { columns, rows, .. } = engine.collect(&guarded.sql).await?;
    let find = |name: &str| columns.iter().position(|column| column.name == name);
    let event_id = find("event_id");
    let keys: Vec<usize> = rule.key_fields.iter().filter_map(|field| find(&field.column_alias)).collect();
    let mut matches = Matches::default();
    for row in &rows {
        matches.ids.extend(event_id.and_then(|index| row.get(index).cloned().flatten()));
        matches.keys.insert(keys.iter().map(|index| row.get(*index).cloned().flatten()).collect());
    }
    Ok(matches)
}

fn digest_of(ids: &BTreeSet<String>) -> String {
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
