//! The same rules in `rsigma-eval`, which judges one parsed event at a time, on one thread.

use crate::detect_rules::Found;
use crate::stopwatch::{Elapsed, Stopwatch};
use anyhow::Context as _;
use mantissa_detection::CompiledRule;
use mantissa_generators::bench::cloudtrail_events;
use rsigma_eval::{Engine, JsonEvent};
use serde_json::Value;
use std::collections::BTreeMap;

/// Parsed events are several times the size of their text.
const EVENTS_AT_ONCE: usize = 50_000;

/// Rules that it judges differently, and why we do not follow.
const JUDGED_DIFFERENTLY: [(&str, &str); 1] = [(
    "a136ac98-b2bc-4189-a14d-f0d0388e57a7",
    "it looks for a text in an object, which rsigma-eval finds nothing in; DuckDB and we compare the object's JSON text",
)];

pub(crate) struct RsigmaRun {
    /// From text to the rules that match.
    pub(crate) with_parsing: Elapsed,
    /// Of events that are parsed already.
    pub(crate) evaluation: Elapsed,
    pub(crate) found: Found,
    /// Rules whose results are not compared, and why.
    pub(crate) unsupported: BTreeMap<String, String>,
}

pub(crate) fn run_rsigma(rules: &[CompiledRule], seed: u64, n_events: u64) -> anyhow::Result<RsigmaRun> {
    let (mut engine, mut found, mut unsupported) = (Engine::new(), Found::new(), BTreeMap::new());
    for rule in rules {
        let rule_id = rule.rule.rule_id.to_string();
        match add(&mut engine, rule) {
            Ok(()) => {
                found.insert(rule_id, Default::default());
            }
            Err(error) => {
                unsupported.insert(rule_id, format!("{error:#}"));
            }
        }
    }
    let (mut parsing, mut evaluation) = (Sum::default(), Sum::default());
    let mut texts = cloudtrail_events(seed, n_events);
    loop {
        let chunk: Vec<String> = texts.by_ref().take(EVENTS_AT_ONCE).collect();
        if chunk.is_empty() {
            break;
        }
        let watch = Stopwatch::start();
        let events = chunk.iter().map(|text| serde_json::from_str(text)).collect::<Result<Vec<Value>, _>>()?;
        parsing.add(watch.elapsed());
        let watch = Stopwatch::start();
        for event in &events {
            for result in engine.evaluate(&JsonEvent::borrow(event)) {
                let event_id = event["eventID"].as_str().context("a generated event without eventID")?;
                let rule_id = result.header.rule_id.as_deref().context("a result without rule id")?;
                found.entry(rule_id.to_owned()).or_default().insert(event_id.to_owned());
            }
        }
        evaluation.add(watch.elapsed());
    }
    for (rule_id, why) in JUDGED_DIFFERENTLY {
        if found.remove(rule_id).is_some() {
            unsupported.insert(rule_id.to_owned(), why.to_owned());
        }
    }
    let with_parsing = Elapsed {
        wall_s: parsing.0.wall_s + evaluation.0.wall_s,
        cpu_s: parsing.0.cpu_s.zip(evaluation.0.cpu_s).map(|(parsing, evaluation)| parsing + evaluation),
    };
    Ok(RsigmaRun { with_parsing, evaluation: evaluation.0, found, unsupported })
}

fn add(engine: &mut Engine, rule: &CompiledRule) -> anyhow::Result<()> {
    let parsed = rsigma_parser::parse_sigma_yaml(&rule.yaml)?;
    anyhow::ensure!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    engine.add_collection(&parsed)?;
    Ok(())
}

struct Sum(Elapsed);

impl Default for Sum {
    fn default() -> Self {
        Self(Elapsed { wall_s: 0.0, cpu_s: Some(0.0) })
    }
}

impl Sum {
    fn add(&mut self, elapsed: Elapsed) {
        self.0.wall_s += elapsed.wall_s;
        self.0.cpu_s = self.0.cpu_s.zip(elapsed.cpu_s).map(|(sum, more)| sum + more);
    }
}
