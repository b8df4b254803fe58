use super::show;
use crate::{LoadedRules, Measure, ProblemSeverity, QueryBounds, RuleKind, load_rules};
use mantissa_lake::catalogue::catalogue;
use mantissa_sql::{GuardPolicy, guard};
use std::path::{Path, PathBuf};

/// The folder of real rules, where it is there.
#[expect(clippy::disallowed_methods, reason = "where the shared rules are is told to tests by the environment")]
fn shared(folder: &str) -> Option<LoadedRules> {
    let root = std::env::var_os("MANTISSA_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"), PathBuf::from);
    let path = root.join("rules").join(folder);
    if !path.is_dir() {
        println!("skipped: no shared rules in {}", path.display());
        return None;
    }
    Some(load_rules(&[path]))
}

#[test]
fn every_shared_sigma_rule_compiles_and_its_query_passes_the_guard() {
    let Some(loaded) = shared("sigma_aws") else { return };
    assert_eq!(loaded.rules.len(), 57, "{}", show(&loaded.problems));
    let policy = GuardPolicy::for_rules(1000);
    for rule in &loaded.rules {
        let sql = rule.query(&QueryBounds::unbounded());
        if let Err(error) = guard(&sql, catalogue(), &policy) {
            panic!("{}: {error}\n{sql}", rule.path);
        }
    }
    // One rule compares a field that CloudTrail records do not have; that is its only problem.
    let errors: Vec<_> = loaded.problems.iter().filter(|p| p.severity != ProblemSeverity::Warning).collect();
    assert_eq!(errors.len(), 1, "{}", show(&loaded.problems));
    assert!(errors[0].message.contains("`status`"), "{}", errors[0]);
    assert_eq!(loaded.rules.iter().filter(|rule| rule.is_degraded()).count(), 1);
}

#[test]
fn legacy_counting_rules_become_thresholds_or_say_why_not() {
    let Some(loaded) = shared("sigma_aws_unsupported_legacy_aggregation") else { return };
    let unsupported: Vec<_> =
        loaded.problems.iter().filter(|p| p.severity == ProblemSeverity::NotSupportedYet).collect();
    assert_eq!(unsupported.len(), 1, "{}", show(&loaded.problems));
    assert!(unsupported[0].message.contains("near"), "{}", unsupported[0]);
    assert_eq!(loaded.rules.len(), 7, "{}", show(&loaded.problems));
    let thresholds = loaded.rules.iter().filter(|rule| matches!(rule.kind, RuleKind::Threshold(_))).count();
    assert_eq!(thresholds, 6);
    let macie = loaded.rules.iter().find(|rule| rule.rule.title == "AWS Macie Evasion").unwrap();
    assert_eq!(macie.key_fields[0].field, "sourceIPAddress");
    let RuleKind::Threshold(threshold) = &macie.kind else { panic!("no threshold") };
    assert_eq!(threshold.measure, Measure::Count { at_least: 6 });
    assert_eq!(threshold.within.as_secs(), 600);
}

#[test]
fn our_own_rules_load_without_errors_where_they_are_there() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../rules");
    if !path.is_dir() {
        println!("skipped: no rules in {}", path.display());
        return;
    }
    let loaded = load_rules(&[path]);
    assert!(!loaded.has_errors(), "{}", show(&loaded.problems));
    for rule in &loaded.rules {
        let sql = rule.query(&QueryBounds::unbounded());
        if let Err(error) = guard(&sql, catalogue(), &GuardPolicy::for_rules(1000)) {
            panic!("{}: {error}\n{sql}", rule.path);
        }
    }
}
