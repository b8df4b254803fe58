//! What rules mean, case by case: `corpus/*.yml`, one sentence of the specification or of the design each.
//!
//! Each case says which events match and why. Our engine must judge so; where another implementation of Sigma judges
//! otherwise, the case says where and why, and exactly those differences are expected.

use crate::judge_events::{numbered, verdicts};
use crate::judge_with_rsigma::rsigma_verdicts;
use mantissa_detection::compile_rule;
use mantissa_lake::catalogue::LogSource;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const AT_LEAST: usize = 90;

type Event = Map<String, Value>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// The sentence that decides.
    because: String,
    /// Default `cloudtrail`.
    source: Option<String>,
    /// Text, as an author writes it: quoting and escaping are part of what is tested.
    detection: String,
    #[serde(default)]
    placeholders: BTreeMap<String, Vec<String>>,
    #[serde(default, rename = "match")]
    matching: Vec<Event>,
    #[serde(default, rename = "no_match")]
    not_matching: Vec<Event>,
    rsigma: Option<Difference>,
    /// The rule is not accepted, and this is part of the reason.
    refused: Option<String>,
    /// The rule runs degraded, and this is part of what is reported.
    problem: Option<String>,
    /// Of a rule that counts: whether all of `events` together reach the count.
    fires: Option<bool>,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// `match 1`, `no_match 2`: counted from 1.
    differs_on: BTreeSet<String>,
    because: String,
}

#[test]
fn the_corpus_has_a_case_for_each_sentence_and_modifier() {
    let cases = read_corpus();
    assert!(cases.len() >= AT_LEAST, "{} cases, at least {AT_LEAST}", cases.len());
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "names are unique");
    let text: String = cases.iter().map(|case| case.detection.as_str()).collect();
    for modifier in [
        "all",
        "startswith",
        "endswith",
        "contains",
        "exists",
        "cased",
        "neq",
        "windash",
        "re",
        "i",
        "m",
        "s",
        "base64",
        "base64offset",
        "utf16",
        "utf16le",
        "utf16be",
        "wide",
        "lt",
        "lte",
        "gt",
        "gte",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "year",
        "cidr",
        "expand",
        "fieldref",
    ] {
        let used = [":", "|", "'"].iter().any(|after| text.contains(&format!("|{modifier}{after}")));
        assert!(used, "no case uses `{modifier}`");
    }
    for case in &cases {
        assert!(!case.because.trim().is_empty(), "{} gives no reason", case.name);
        let n_expectations = case.matching.len().min(case.not_matching.len());
        let whole = case.refused.is_some() || case.fires.is_some() || n_expectations > 0;
        assert!(whole, "{} needs an event that matches and one that does not", case.name);
    }
}

#[tokio::test]
async fn our_engine_judges_every_case_as_the_specification_says() {
    let mut wrong = Vec::new();
    let cases = read_corpus();
    for case in &cases {
        if let Err(reason) = check_ours(case).await {
            wrong.push(format!("{}: {reason:#}\n  because: {}", case.name, case.because));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} cases", cases.len());
}

#[test]
fn rsigma_differs_exactly_where_the_cases_say_so() {
    let mut wrong = Vec::new();
    let (mut n_agreeing, mut n_differing) = (0, 0);
    // What it cannot be asked: our own refusals, and legacy counts, which it does not judge event by event.
    for case in read_corpus().iter().filter(|case| case.refused.is_none() && case.fires.is_none()) {
        let events: Vec<Value> = events_of(case).into_iter().map(Value::Object).collect();
        let found: BTreeSet<String> = match rsigma_verdicts(&[rule_text(case)], &events).remove(0) {
            Ok(verdicts) => labels(case).into_iter().zip(verdicts).filter_map(differing).collect(),
            Err(reason) => BTreeSet::from([format!("refuses: {reason}")]),
        };
        let expected = case.rsigma.as_ref().map(|difference| difference.differs_on.clone()).unwrap_or_default();
        if case.rsigma.as_ref().is_some_and(|difference| difference.because.trim().is_empty()) {
            wrong.push(format!("{}: a difference without a reason", case.name));
        }
        if found != expected {
            wrong.push(format!("{}: expected differences {expected:?}, found {found:?}", case.name));
        }
        if found.is_empty() { n_agreeing += 1 } else { n_differing += 1 }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{n_agreeing} cases agree, {n_differing} differ as described");
}

fn differing(((label, expected), found): ((String, bool), bool)) -> Option<String> {
    (expected != found).then_some(label)
}

async fn check_ours(case: &Case) -> anyhow::Result<()> {
    let compiled = compile_rule(&case.name, &rule_text(case));
    let problems = |problems: &[mantissa_detection::Problem]| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let rule = match (compiled, &case.refused) {
        (Err(found), Some(reason)) => {
            let found = problems(&found);
            anyhow::ensure!(found.contains(reason), "refused with `{found}`, expected `{reason}`");
            return Ok(());
        }
        (Ok(_), Some(reason)) => anyhow::bail!("accepted, expected to be refused with `{reason}`"),
        (Err(found), None) => anyhow::bail!("refused: {}", problems(&found)),
        (Ok(rule), None) => rule,
    };
    let found = problems(&rule.problems);
    match &case.problem {
        Some(problem) => anyhow::ensure!(found.contains(problem), "reported `{found}`, expected `{problem}`"),
        None => anyhow::ensure!(!rule.is_degraded(), "reported `{found}`"),
    }
    if let Some(fires) = case.fires {
        let verdicts = verdicts(&rule, &case.events).await?;
        anyhow::ensure!(verdicts.contains(&true) == fires, "should {}fire", if fires { "" } else { "not " });
        return Ok(());
    }
    let events: Vec<Event> = case.matching.iter().chain(&case.not_matching).cloned().collect();
    let found = verdicts(&rule, &events).await?;
    let wrong: Vec<String> = labels(case).into_iter().zip(found).filter_map(differing).collect();
    anyhow::ensure!(wrong.is_empty(), "judged otherwise: {wrong:?} by {}", rule.predicate_sql());
    Ok(())
}

/// A case whose rule is accepted, with its events, which can be told from those of every other case.
pub(crate) struct CaseInLake {
    pub(crate) name: String,
    pub(crate) source: LogSource,
    pub(crate) rule: String,
    pub(crate) events: Vec<Event>,
}

pub(crate) fn cases_in_one_lake() -> Vec<CaseInLake> {
    let mut n_events = 0;
    let cases = read_corpus().into_iter().filter(|case| case.refused.is_none()).map(|case| {
        let source = source_of(&case);
        let of_both = case.matching.iter().chain(&case.not_matching).chain(&case.events);
        let numbered = of_both.enumerate().map(|(number, event)| numbered(source, event, n_events + number));
        let events: Vec<Event> = numbered.collect();
        n_events += events.len();
        CaseInLake { rule: rule_text(&case), name: case.name, source, events }
    });
    cases.collect()
}

/// Each event's name in a case, and whether it matches.
fn labels(case: &Case) -> Vec<(String, bool)> {
    let matching = (1..=case.matching.len()).map(|number| (format!("match {number}"), true));
    matching.chain((1..=case.not_matching.len()).map(|number| (format!("no_match {number}"), false))).collect()
}

fn events_of(case: &Case) -> Vec<Event> {
    let events = case.matching.iter().chain(&case.not_matching).enumerate();
    events.map(|(number, event)| numbered(source_of(case), event, number)).collect()
}

fn source_of(case: &Case) -> LogSource {
    let name = case.source.as_deref().unwrap_or("cloudtrail");
    LogSource::parse(name).unwrap_or_else(|| panic!("{}: no log source `{name}`", case.name))
}

fn rule_text(case: &Case) -> String {
    let log_source = match source_of(case) {
        LogSource::CloudTrail => "{product: aws, service: cloudtrail}",
        LogSource::VpcFlow => "{product: aws, service: vpcflow}",
        LogSource::GuardDuty => "{product: aws, service: guardduty}",
        LogSource::Application => "{category: application}",
    };
    let detection: String = case.detection.lines().map(|line| format!("  {line}\n")).collect();
    let mut text = format!(
        "title: {name}\nid: {name}\nlevel: low\nlogsource: {log_source}\ndetection:\n{detection}",
        name = case.name
    );
    if !case.placeholders.is_empty() {
        text.push_str(&format!("mantissa: {{placeholders: {}}}\n", serde_json::json!(case.placeholders)));
    }
    text
}

fn read_corpus() -> Vec<Case> {
    let folder = mantissa_tests::workspace_root().join("tests/rules/corpus");
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let read: Vec<Case> = yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        cases.extend(read);
    }
    cases
}
