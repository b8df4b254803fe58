//! Recorded attacks judged with rules of SigmaHQ equal what three other engines found.

use crate::run_mantissa::run_mantissa;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const N_RULES: usize = 57;

#[test]
fn detect_over_the_invictus_set_equals_the_truth() {
    detect_equals_the_truth("invictus");
}

#[test]
fn detect_over_the_stratus_set_equals_the_truth() {
    detect_equals_the_truth("stratus");
}

fn detect_equals_the_truth(set: &str) {
    let Some(shared) = mantissa_tests::shared_data() else { return };
    let truth = read_truth(&shared);
    assert_eq!(truth.len(), N_RULES, "rules in the truth");
    let folder = tempfile::tempdir().unwrap();
    run_mantissa(folder.path(), &["ingest", &shown(&shared.join("cloudtrail").join(set))]).unwrap();
    let detected =
        run_mantissa(folder.path(), &["detect", "--rules", &shown(&shared.join("rules/sigma_aws"))]).unwrap();
    let detected: BTreeMap<&str, &Value> =
        detected.as_array().unwrap().iter().map(|rule| (rule["rule_id"].as_str().unwrap(), rule)).collect();
    assert_eq!(detected.len(), N_RULES, "rules judged");

    let mut wrong = Vec::new();
    let mut n_events = 0;
    for (rule_id, expected) in &truth {
        let expected = &expected["sets"][set];
        let n_distinct = expected["n_distinct"].as_u64().unwrap();
        n_events += n_distinct;
        let Some(found) = detected.get(rule_id.as_str()) else {
            wrong.push(format!("{rule_id} was not judged"));
            continue;
        };
        let same_events = n_distinct == 0 || found["event_ids_sha256"] == expected["sha256_sorted_distinct_ids"];
        if !found["error"].is_null() || found["n_matches"].as_u64() != Some(n_distinct) || !same_events {
            wrong.push(format!("{rule_id} `{}`: expected {expected}, found {found}", found["title"]));
        }
    }
    assert!(n_events > 0, "a truth without events proves nothing");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{set}: {N_RULES} rules agree on {n_events} matching events");
}

fn read_truth(shared: &Path) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(shared.join("expected/sigma_truth_dev.json")).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(file["truth"].take()).unwrap()
}

fn shown(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
