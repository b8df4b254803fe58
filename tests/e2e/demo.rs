//! What a newcomer sees first.

use mantissa_tests::{mantissa_binary, workspace_root};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn mantissa(data: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(mantissa_binary().unwrap());
    let ended = command.current_dir(workspace_root()).arg("--data").arg(data).args(arguments).output().unwrap();
    let stdout = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{arguments:?}: {stdout}{}", String::from_utf8_lossy(&ended.stderr));
    stdout
}

fn json(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn demo_finds_the_attacks_and_delivers_every_alert_once_with_a_valid_signature() {
    let data = tempfile::tempdir().unwrap();
    let shown = mantissa(data.path(), &["demo", "--once", "--bind", "127.0.0.1:0"]);
    println!("{shown}");
    let summary = shown.lines().find(|line| line.contains("alerts delivered with valid signatures"));
    let summary = summary.unwrap_or_else(|| panic!("{shown}"));
    let n_delivered: usize = summary.split(' ').next().unwrap().parse().unwrap();

    let data = data.path().join("demo");
    let alerts = json(&mantissa(&data, &["alerts", "list", "--limit", "1000", "--format", "json"]));
    let rules: BTreeSet<&str> = alerts.iter().map(|alert| alert["rule"]["rule_id"].as_str().unwrap()).collect();
    assert!(rules.len() >= 5, "{} rules found something: {rules:?}", rules.len());
    let mut n_recorded = 0;
    for alert in &alerts {
        let alert_id = alert["alert_id"].as_str().unwrap();
        let deliveries = json(&mantissa(&data, &["deliveries", "why", alert_id, "--format", "json"]));
        assert!(deliveries.iter().all(|delivery| delivery["state"] == "delivered"), "{deliveries:?}");
        n_recorded += deliveries.len();
    }
    assert_eq!(n_recorded, n_delivered, "{summary}");
}
