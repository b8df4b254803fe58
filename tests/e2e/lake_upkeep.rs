//! What an operator does with the lake: look into it, merge its small files, read the quarantine again.

use mantissa_tests::cloudtrail::{file_of, record};
use mantissa_tests::installation::Installation;
use serde_json::json;

const FLOW: &str =
    "2 111122223333 eni-0a1b2c3d 203.0.113.24 10.0.0.5 40000 22 6 10 840 1772442000 1772442060 ACCEPT OK";

#[test]
fn quarantined_lines_are_listed_and_become_records_as_what_they_are() {
    let installation = Installation::new(&[], &[]);
    installation.write("flows.log", format!("{FLOW}\n{FLOW}\n"));
    let wrong = installation.run(&["ingest", "--source", "cloudtrail", "flows.log"]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");

    let listed = installation.json(&["quarantine", "list"]);
    let entries = listed.as_array().unwrap();
    assert_eq!(entries.len(), 2, "{listed}");
    assert_eq!(entries[1]["line"], 2, "{listed}");
    let shown = installation.run(&["quarantine", "list"]).stdout;
    assert!(shown.contains("flows.log") && shown.contains(entries[0]["reason"].as_str().unwrap()), "{shown}");

    let still = installation.run(&["quarantine", "reingest"]);
    assert_eq!(still.code, Some(1), "{still:?}");
    let again = installation.json(&["quarantine", "reingest", "--source", "vpc_flow"]);
    assert_eq!(again, json!({ "n_records": 2, "n_quarantined": 0, "unreadable": {} }));
    assert_eq!(installation.json(&["quarantine", "list"]), json!([]));
    let counted = "SELECT count(*) AS n FROM vpc_flow_logs WHERE event_time > TIMESTAMP '2000-01-01 00:00:00'";
    assert!(installation.json(&["query", counted])["rows"].to_string().contains("\"2\""));
}

#[test]
fn small_files_are_merged_and_hold_the_same_events() {
    let installation = Installation::new(&[], &[]);
    for number in 0..9 {
        let name = format!("{number}.json");
        let at = "2026-03-02T09:00:00Z".parse().unwrap();
        installation.write(&name, file_of(&[record(&format!("e-{number}"), "CreateUser", "maya", at)]));
        assert_eq!(installation.run(&["ingest", &name]).code, Some(0));
    }
    let table = || {
        let shown = installation.json(&["lake", "show"]);
        shown.as_array().unwrap().iter().find(|table| table["table"] == "cloudtrail_logs").unwrap().clone()
    };
    let before = table();
    assert_eq!(
        (&before["n_files"], &before["first_day"], &before["last_day"]),
        (&json!(9), &json!("2026-03-02"), &json!("2026-03-02"))
    );
    let young = installation.json(&["lake", "compact"]);
    assert!(young.as_array().unwrap().iter().all(|table| table["n_files_merged"] == 0), "{young}");
    let merged = installation.json(&["lake", "compact", "--table", "cloudtrail_logs", "--min-age-minutes", "0"]);
    assert_eq!(merged, json!([{ "table": "cloudtrail_logs", "n_files_merged": 9, "n_files_written": 1 }]));
    assert_eq!(table()["n_files"], 1);
    let ids =
        "SELECT count(DISTINCT event_id) AS n FROM cloudtrail_logs WHERE event_time > TIMESTAMP '2000-01-01 00:00:00'";
    assert!(installation.json(&["query", ids])["rows"].to_string().contains("\"9\""));
    let unknown = installation.run(&["lake", "compact", "--table", "nothing"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("vpc_flow_logs"), "{unknown:?}");
}
