//! The contract of the RuleStore port.

use super::Fixture;
use super::fixture::skip_durability;
use crate::stores::StoredRule;
use mantissa_contracts::ids::{RuleId, RuleVersion};

#[macro_export]
macro_rules! rule_store_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { rule_store, [$($how)*],
            unknown_rule_or_version_is_none
            putting_a_version_again_changes_nothing
            older_version_stays_readable
            rule_survives_a_restart
        }
    };
}

fn rule(version: &str, yaml: &str) -> StoredRule {
    StoredRule {
        rule_id: RuleId::new("r"),
        rule_version: RuleVersion::new(version),
        path: "rules/r.yml".to_owned(),
        yaml: yaml.to_owned(),
    }
}

async fn get(fixture: &dyn Fixture, rule: &str, version: &str) -> Option<StoredRule> {
    fixture.rules().get(&RuleId::new(rule), &RuleVersion::new(version)).await.unwrap()
}

pub async fn unknown_rule_or_version_is_none(fixture: &dyn Fixture) {
    fixture.rules().put(&rule("1", "a: 1")).await.unwrap();
    assert_eq!(get(fixture, "r", "2").await, None);
    assert_eq!(get(fixture, "s", "1").await, None);
}

pub async fn putting_a_version_again_changes_nothing(fixture: &dyn Fixture) {
    fixture.rules().put(&rule("1", "a: 1")).await.unwrap();
    fixture.rules().put(&rule("1", "a: 2")).await.unwrap();
    assert_eq!(get(fixture, "r", "1").await, Some(rule("1", "a: 1")));
}

pub async fn older_version_stays_readable(fixture: &dyn Fixture) {
    fixture.rules().put(&rule("1", "a: 1")).await.unwrap();
    fixture.rules().put(&rule("2", "a: 2")).await.unwrap();
    assert_eq!(get(fixture, "r", "1").await, Some(rule("1", "a: 1")));
    assert_eq!(get(fixture, "r", "2").await, Some(rule("2", "a: 2")));
}

pub async fn rule_survives_a_restart(fixture: &dyn Fixture) {
    fixture.rules().put(&rule("1", "a: 1")).await.unwrap();
    let Some(reopened) = fixture.reopen().await else { return skip_durability() };
    assert_eq!(get(reopened.as_ref(), "r", "1").await, Some(rule("1", "a: 1")));
}
