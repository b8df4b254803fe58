//! Events that StreamAlert labels per rule, judged by our rules of the same purpose.
//!
//! Times and ids are `...` in most of the labelled events: those two fields are filled in, everything else is as
//! published.

use crate::judge_events::{compile, engine_over, matching_ids, verdicts};
use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray};
use mantissa_detection::CompiledRule;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Rule of StreamAlert → ours, as `rules/README.md` has it.
const MAPPED: [(&str, &str); 11] = [
    ("cloudtrail_root_account_usage", "cloudtrail/root_account_used.yml"),
    ("cloudtrail_critical_api_calls", "cloudtrail/critical_api_call.yml"),
    ("cloudtrail_public_resources", "cloudtrail/resource_policy_made_public.yml"),
    ("cloudtrail_put_bucket_acl", "cloudtrail/bucket_acl_made_public.yml"),
    ("cloudtrail_put_object_acl_public_publisher_example", "cloudtrail/object_acl_made_public.yml"),
    ("cloudtrail_network_acl_ingress_anywhere", "cloudtrail/network_acl_open_to_internet.yml"),
    ("cloudtrail_security_group_ingress_anywhere", "cloudtrail/security_group_open_to_internet.yml"),
    ("cloudtrail_snapshot_or_ami_made_public", "cloudtrail/snapshot_or_image_made_public.yml"),
    ("cloudtrail_mfa_policy_abuse_attempt", "cloudtrail/mfa_device_tampering_without_mfa.yml"),
    ("guard_duty_all", "guardduty/any_active_finding.yml"),
    ("cloudtrail_aws_config", "cloudtrail/config_recorder_stopped.yml"),
];

#[derive(Debug)]
struct Labelled {
    name: String,
    expected: bool,
    event: Map<String, Value>,
}

#[tokio::test]
async fn labelled_events_are_judged_as_labelled() {
    let Some(shared) = mantissa_tests::shared_data() else { return };
    let mut labelled = read_labels(&shared.join("cases/streamalert_aws.jsonl.gz"));
    let mut wrong = Vec::new();
    let (mut n_rules, mut n_events) = (0, 0);
    for (theirs, ours) in MAPPED {
        let events = labelled.remove(theirs).unwrap_or_default();
        assert!(!events.is_empty(), "{theirs} has no labelled event");
        let path = mantissa_tests::workspace_root().join("rules").join(ours);
        let rule = compile(ours, &std::fs::read_to_string(&path).unwrap()).unwrap();
        for labelled in &events {
            if judge(&rule, &labelled.event).await != labelled.expected {
                wrong.push(format!("{ours}: `{}` of {theirs} should be {}", labelled.name, labelled.expected));
            }
        }
        let n_true = events.iter().filter(|labelled| labelled.expected).count();
        println!("{ours}: {n_true} events true, {} false, as {theirs} labels them", events.len() - n_true);
        n_rules += 1;
        n_events += events.len();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(n_rules >= 8, "{n_rules} rules mapped, at least 8");
    println!("{n_events} labelled events over {n_rules} rules; without a counterpart: {:?}", labelled.keys());
}

async fn judge(rule: &CompiledRule, event: &Map<String, Value>) -> bool {
    if event.is_empty() {
        // A record with nothing in it has no identity to be ingested under: judge the row it would be.
        let id: ArrayRef = Arc::new(StringArray::from(vec!["nothing"]));
        let raw: ArrayRef = Arc::new(StringArray::from(vec!["{}"]));
        let time: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![0]));
        let row = RecordBatch::try_from_iter([("event_id", id), ("event_time", time), ("raw", raw)]).unwrap();
        let engine = engine_over(rule.log_source, vec![row]).unwrap();
        return matching_ids(&engine, rule).await.unwrap().contains("nothing");
    }
    verdicts(rule, std::slice::from_ref(event)).await.unwrap()[0]
}

fn read_labels(path: &Path) -> BTreeMap<String, Vec<Labelled>> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut by_rule: BTreeMap<String, Vec<Labelled>> = BTreeMap::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let Some(expected) = case["expected"].as_bool() else { continue };
        by_rule.entry(case["rule_id"].as_str().unwrap().to_owned()).or_default().push(Labelled {
            name: case["test_name"].as_str().unwrap().to_owned(),
            expected,
            event: case["event"].as_object().unwrap().clone(),
        });
    }
    by_rule
}
