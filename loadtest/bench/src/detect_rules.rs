//! Rules over the lake, guarded, planned and executed as the product does it.

use crate::stopwatch::{Elapsed, Stopwatch};
use anyhow::Context as _;
use mantissa_detection::{CompiledRule, QueryBounds, put_together};
use mantissa_embedded::query_engine::DataFusionEngine;
use mantissa_lake::catalogue::catalogue;
use mantissa_sql::{GuardPolicy, guard};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

const MAX_ROWS: u64 = 50_000_000;

/// Distinct event ids by rule id.
pub(crate) type Found = BTreeMap<String, BTreeSet<String>>;

pub(crate) struct RulesRun {
    pub(crate) elapsed: Elapsed,
    pub(crate) found: Found,
    pub(crate) seconds_by_rule: BTreeMap<String, f64>,
    pub(crate) scanned_bytes: u64,
}

/// How the rules reach the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queries {
    /// One query each, as the schedule runs them.
    Each,
    /// One query for all of them, as `mantissa detect` runs them.
    Together,
}

/// Runs every rule once; the fastest of several such runs.
pub(crate) async fn detect(
    engine: &DataFusionEngine,
    rules: &[CompiledRule],
    queries: Queries,
    repeat: usize,
) -> anyhow::Result<RulesRun> {
    let mut best: Option<RulesRun> = None;
    for _ in 0..repeat.max(1) {
        let run = match queries {
            Queries::Each => detect_each(engine, rules).await?,
            Queries::Together => detect_together(engine, rules).await?,
        };
        if best.as_ref().is_none_or(|best| run.elapsed.busy_s() < best.elapsed.busy_s()) {
            best = Some(run);
        }
    }
    best.context("no run")
}

async fn detect_each(engine: &DataFusionEngine, rules: &[CompiledRule]) -> anyhow::Result<RulesRun> {
    let (mut found, mut seconds_by_rule, mut scanned_bytes) = (Found::new(), BTreeMap::new(), 0);
    let watch = Stopwatch::start();
    for rule in rules {
        let rule_id = rule.rule.rule_id.to_string();
        let started = Instant::now();
        let guarded = guard(&rule.query(&QueryBounds::unbounded()), catalogue(), &GuardPolicy::for_rules(MAX_ROWS))?;
        let (columns, rows, stats) =
            engine.collect(&guarded.sql).await.with_context(|| format!("run rule `{}`", rule.rule.title))?;
        let at = columns.iter().position(|column| column.name == "event_id").context("a result without event_id")?;
        let ids = rows.into_iter().filter_map(|mut row| row.get_mut(at).and_then(Option::take)).collect();
        seconds_by_rule.insert(rule_id.clone(), started.elapsed().as_secs_f64());
        scanned_bytes += stats.scanned_bytes;
        found.insert(rule_id, ids);
    }
    Ok(RulesRun { elapsed: watch.elapsed(), found, seconds_by_rule, scanned_bytes })
}

async fn detect_together(engine: &DataFusionEngine, rules: &[CompiledRule]) -> anyhow::Result<RulesRun> {
    let (mut found, mut scanned_bytes) = (Found::new(), 0);
    let watch = Stopwatch::start();
    let rules: Vec<&CompiledRule> = rules.iter().collect();
    let (together, alone) = put_together(&rules);
    anyhow::ensure!(alone.is_empty(), "only event rules are compared");
    for group in &together {
        let query = group.query(&QueryBounds::unbounded());
        let guarded = guard(&query, catalogue(), &GuardPolicy::for_rules(MAX_ROWS))?;
        let (_, rows, stats) = engine.collect(&guarded.sql).await.context("run the rules together")?;
        let mut ids: Vec<BTreeSet<String>> = group.rules().iter().map(|_| BTreeSet::new()).collect();
        for found in rows.iter().flat_map(|row| group.read(row)) {
            ids[found.rule].extend(found.event_id.map(str::to_owned));
        }
        found.extend(group.rules().iter().map(|rule| rule.rule.rule_id.to_string()).zip(ids));
        scanned_bytes += stats.scanned_bytes;
    }
    Ok(RulesRun { elapsed: watch.elapsed(), found, seconds_by_rule: BTreeMap::new(), scanned_bytes })
}
