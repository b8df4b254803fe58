//! Every rule in `rules/` is whole: it loads without a remark, explains itself, and its own tests pass.

use crate::run_mantissa::run_mantissa;
use mantissa_detection::{CompiledRule, load_rules};
use mantissa_lake::catalogue::LogSource;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

fn folder() -> PathBuf {
    mantissa_tests::workspace_root().join("rules")
}

fn our_rules() -> Vec<CompiledRule> {
    let loaded = load_rules(&[folder()]);
    let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    loaded.rules
}

#[test]
fn each_source_has_as_many_rules_as_promised() {
    let mut counts: BTreeMap<LogSource, usize> = BTreeMap::new();
    let rules = our_rules();
    for rule in &rules {
        *counts.entry(rule.log_source).or_default() += 1;
    }
    println!("{} rules: {counts:?}", rules.len());
    let at_least =
        [(LogSource::CloudTrail, 25), (LogSource::VpcFlow, 6), (LogSource::GuardDuty, 4), (LogSource::Application, 5)];
    for (source, least) in at_least {
        assert!(counts.get(&source).is_some_and(|n| *n >= least), "{source:?}: {counts:?}, at least {least}");
    }
    assert!(rules.len() >= 40, "{} rules, at least 40", rules.len());
}

#[test]
fn each_rule_has_a_runbook_tags_false_positives_and_tests_of_both_kinds() {
    let mut wrong = Vec::new();
    for rule in our_rules() {
        let mut lacks = |what: &str, has: bool| {
            if !has {
                wrong.push(format!("{} lacks {what}", rule.path));
            }
        };
        lacks("a runbook", rule.rule.runbook.as_deref().is_some_and(|text| !text.trim().is_empty()));
        lacks("an ATT&CK tag", rule.rule.tags.iter().any(|tag| tag.starts_with("attack.")));
        lacks("false positives", !rule.falsepositives.is_empty());
        lacks("a description", rule.description.is_some());
        lacks("a test that matches", rule.tests.iter().any(|test| test.matches));
        lacks("a test that does not match", rule.tests.iter().any(|test| !test.matches));
        lacks("events in each test", rule.tests.iter().all(|test| !test.events.is_empty()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_two_rules_share_an_id_or_a_title() {
    let (mut ids, mut titles) = (BTreeSet::new(), BTreeSet::new());
    for rule in our_rules() {
        assert!(ids.insert(rule.rule.rule_id.to_string()), "{}: id is taken", rule.path);
        assert!(titles.insert(rule.rule.title.clone()), "{}: title is taken", rule.path);
    }
}

#[test]
fn every_inline_test_passes_on_the_real_engine() {
    let n_tests: usize = our_rules().iter().map(|rule| rule.tests.len()).sum();
    let data = tempfile::tempdir().unwrap();
    let outcomes = run_mantissa(data.path(), &["rules", "test", folder().to_str().unwrap()]).unwrap();
    let outcomes = outcomes.as_array().unwrap();
    assert_eq!(outcomes.len(), n_tests, "tests run");
    let failed: Vec<String> =
        outcomes.iter().filter(|outcome| !outcome["failure"].is_null()).map(Value::to_string).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    println!("{n_tests} inline tests pass");
}
