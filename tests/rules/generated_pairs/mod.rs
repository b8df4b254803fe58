//! Generated rules over generated events, judged by our engine and by another implementation of Sigma.
//!
//! Where the two differ, the rule is taken apart: each single comparison that differs must fall into a known class, and
//! what we say of the rule must follow from what we say of its comparisons. So a class about values hides no mistake in
//! lists, selections or conditions. Every generated query passes the guard.

mod known_differences;
mod random_events;
mod random_rules;

use crate::judge_events::{compile, engine_over, event_ids, matching_ids, numbered, read_events};
use crate::judge_with_rsigma::rsigma_verdicts;
use known_differences::{known_difference, values_at};
use mantissa_embedded::query_engine::DataFusionEngine;
use mantissa_lake::catalogue::LogSource;
use rand::SeedableRng;
use rand::rngs::StdRng;
use random_events::random_event;
use random_rules::{Item, Rule, random_rule};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const SEED: u64 = 20_261_123;
const N_RULES: usize = 260;
const N_EVENTS: usize = 40;
const AT_LEAST: usize = 10_000;

#[tokio::test]
async fn we_agree_with_another_implementation_or_the_difference_is_known() {
    let mut random = StdRng::seed_from_u64(SEED);
    let events: Vec<Map<String, Value>> =
        (0..N_EVENTS).map(|number| numbered(LogSource::CloudTrail, &random_event(&mut random), number)).collect();
    let rules: Vec<Rule> = (0..N_RULES).map(|_| random_rule(&mut random)).collect();
    let bench = Bench::over(events);
    let ours = bench.judge_ours(&rules).await;
    let theirs = bench.judge_theirs(&rules);

    let mut report = Report::default();
    let mut doubtful = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        let ours = match &ours[number] {
            Ok(ours) => ours,
            Err(reason) => {
                report.unknown.push(reason.clone());
                continue;
            }
        };
        let Some(theirs) = &theirs[number] else {
            report.n_refused += 1;
            continue;
        };
        report.n_pairs += theirs.len();
        report.n_matches += ours.iter().filter(|matches| **matches).count();
        if ours != theirs {
            doubtful.push((rule, ours, theirs));
        }
    }
    // Each comparison of the rules in doubt, judged once.
    let atoms = Atoms::of(&bench, &doubtful.iter().map(|(rule, ..)| *rule).collect::<Vec<_>>()).await;
    for (rule, ours, theirs) in doubtful {
        for at in 0..bench.events.len() {
            report.explain(&bench, &atoms, rule, at, ours[at], theirs[at]);
        }
    }
    report.print();
    assert!(report.unknown.is_empty(), "{} unknown differences, the smallest first:\n{}", report.unknown.len(), {
        report.unknown.sort_by_key(String::len);
        report.unknown.iter().take(12).cloned().collect::<Vec<_>>().join("\n\n")
    });
    assert!(report.n_pairs >= AT_LEAST, "{} pairs, at least {AT_LEAST}", report.n_pairs);
    assert!(report.n_matches * 20 > report.n_pairs, "{} matches are too few to prove much", report.n_matches);
    assert!(report.n_refused * 20 < N_RULES, "{} rules refused", report.n_refused);
}

/// Events, and the engine that holds them.
struct Bench {
    events: Vec<Map<String, Value>>,
    ids: Vec<String>,
    engine: DataFusionEngine,
}

impl Bench {
    fn over(events: Vec<Map<String, Value>>) -> Self {
        let batches = read_events(LogSource::CloudTrail, &events).unwrap();
        let ids = event_ids(&batches).unwrap();
        assert_eq!(ids.len(), events.len(), "events read");
        let engine = engine_over(LogSource::CloudTrail, batches).unwrap();
        Self { events, ids, engine }
    }

    /// One query a rule; two at a time, as the machine has cores.
    async fn judge_ours(&self, rules: &[Rule]) -> Vec<Result<Vec<bool>, String>> {
        let mut verdicts = Vec::new();
        for pair in rules.chunks(2) {
            match pair {
                [first, second] => {
                    let (first, second) = tokio::join!(self.judge_one(first), self.judge_one(second));
                    verdicts.extend([first, second]);
                }
                others => {
                    for rule in others {
                        verdicts.push(self.judge_one(rule).await);
                    }
                }
            }
        }
        verdicts
    }

    async fn judge_one(&self, rule: &Rule) -> Result<Vec<bool>, String> {
        let yaml = rule.yaml();
        let compiled = compile("generated.yml", &yaml).map_err(|error| format!("{error:#}\n{yaml}"))?;
        let matching = matching_ids(&self.engine, &compiled).await.map_err(|error| format!("{error:#}\n{yaml}"))?;
        Ok(self.ids.iter().map(|id| matching.contains(id)).collect())
    }

    fn judge_theirs(&self, rules: &[Rule]) -> Vec<Option<Vec<bool>>> {
        let yaml: Vec<String> = rules.iter().map(Rule::yaml).collect();
        let events: Vec<Value> = self.events.iter().cloned().map(Value::Object).collect();
        rsigma_verdicts(&yaml, &events).into_iter().map(Result::ok).collect()
    }
}

/// Single comparisons and how both judge each event.
struct Atoms {
    verdicts: BTreeMap<String, (Vec<bool>, Option<Vec<bool>>)>,
}

impl Atoms {
    async fn of(bench: &Bench, rules: &[&Rule]) -> Self {
        let mut by_text: BTreeMap<String, Rule> = BTreeMap::new();
        for atom in rules.iter().flat_map(|rule| rule.items()).flat_map(Item::atoms) {
            let rule = atom.as_rule();
            by_text.insert(rule.yaml(), rule);
        }
        let (texts, rules): (Vec<String>, Vec<Rule>) = by_text.into_iter().unzip();
        let ours = bench
            .judge_ours(&rules)
            .await
            .into_iter()
            .map(|verdicts| verdicts.unwrap_or_else(|error| panic!("{error}")));
        let judged = ours.zip(bench.judge_theirs(&rules));
        Self { verdicts: texts.into_iter().zip(judged).collect() }
    }

    fn ours(&self, atom: &Item, at: usize) -> bool {
        self.verdicts[&atom.as_rule().yaml()].0[at]
    }

    fn theirs(&self, atom: &Item, at: usize) -> Option<bool> {
        self.verdicts[&atom.as_rule().yaml()].1.as_ref().map(|verdicts| verdicts[at])
    }

    /// What follows for the rule from its comparisons: lists, `all`, `neq`, selections and condition done here.
    fn composed(&self, rule: &Rule, at: usize) -> bool {
        let item_holds = |item: &Item| {
            let mut verdicts = item.atoms().into_iter().map(|atom| self.ours(&atom, at));
            // `neq` is in each comparison already, so it turns OR into AND and back.
            if item.has("all") != item.has("neq") { verdicts.all(|holds| holds) } else { verdicts.any(|holds| holds) }
        };
        let selections: Vec<bool> =
            rule.selections.iter().map(|maps| maps.iter().any(|items| items.iter().all(item_holds))).collect();
        rule.condition.holds(&selections)
    }
}

#[derive(Default)]
struct Report {
    n_pairs: usize,
    n_matches: usize,
    n_refused: usize,
    n_differing: usize,
    classes: BTreeMap<&'static str, usize>,
    unknown: Vec<String>,
}

impl Report {
    fn explain(&mut self, bench: &Bench, atoms: &Atoms, rule: &Rule, at: usize, ours: bool, theirs: bool) {
        let event = &bench.events[at];
        if atoms.composed(rule, at) != ours {
            self.unknown.push(format!(
                "what we say of the rule ({ours}) does not follow from its parts\n{}{}",
                rule.yaml(),
                Value::Object(event.clone())
            ));
            return;
        }
        if ours == theirs {
            return;
        }
        self.n_differing += 1;
        let n_unknown = self.unknown.len();
        let mut classes = BTreeSet::new();
        for item in rule.items() {
            if let Some(class) = null_among_others(item, event) {
                classes.insert(class);
            }
            for atom in item.atoms() {
                let ours = atoms.ours(&atom, at);
                if atoms.theirs(&atom, at).is_none_or(|theirs| theirs == ours) {
                    continue;
                }
                match known_difference(&atom, event, ours) {
                    Some(class) => {
                        classes.insert(class);
                    }
                    None => {
                        let found = atom.field.map(|field| values_at(event, field));
                        self.unknown.push(format!("{atom:?}: we say {ours} of {found:?}"));
                    }
                }
            }
        }
        if classes.is_empty() && self.unknown.len() == n_unknown {
            self.unknown.push(format!(
                "no part differs, but the rule does: we say {ours}\n{}{}",
                rule.yaml(),
                Value::Object(event.clone())
            ));
        }
        for class in classes {
            *self.classes.entry(class).or_default() += 1;
        }
    }

    fn print(&self) {
        println!(
            "{} pairs, {} matches; rules: {} refused by the other implementation; {} pairs differ",
            self.n_pairs, self.n_matches, self.n_refused, self.n_differing
        );
        for (class, count) in &self.classes {
            println!("{count:>6}  {class}");
        }
    }
}

/// It asks a missing field about null only where null stands alone.
fn null_among_others(item: &Item, event: &Map<String, Value>) -> Option<&'static str> {
    let among_others = item.values.len() > 1 && item.values.iter().any(Value::is_null);
    let missing = values_at(event, item.field?).is_empty();
    (among_others && missing).then_some("null in a list is true of a missing field (lists: linked with OR)")
}
