use crate::{Attack, DemoDay, DemoDayOptions, GeneratedObject, LiveTail, attacks, bench};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use flate2::read::GzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

fn date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn small() -> DemoDayOptions {
    DemoDayOptions { volume_percent: 4, ..DemoDayOptions::default() }
}

fn text_of(object: &GeneratedObject) -> String {
    let mut text = String::new();
    if object.key.ends_with(".gz") {
        GzDecoder::new(object.bytes.as_slice()).read_to_string(&mut text).unwrap();
    } else {
        text.push_str(std::str::from_utf8(&object.bytes).unwrap());
    }
    text
}

/// Records of an object, one text each.
fn records_of(object: &GeneratedObject) -> Vec<String> {
    let text = text_of(object);
    match object.source {
        "cloudtrail" => {
            let file: serde_json::Value = serde_json::from_str(&text).unwrap();
            file["Records"].as_array().unwrap().iter().map(ToString::to_string).collect()
        }
        "vpc_flow" => text.lines().skip(1).map(str::to_owned).collect(),
        _ => text.lines().map(str::to_owned).collect(),
    }
}

#[test]
fn same_seed_and_date_give_the_same_bytes() {
    let first: Vec<_> = DemoDay::generate(7, date(), small()).collect();
    let second: Vec<_> = DemoDay::generate(7, date(), small()).collect();
    assert_eq!(first, second);
    let other: Vec<_> = DemoDay::generate(8, date(), small()).collect();
    assert_ne!(first, other);
}

#[test]
fn keys_are_unique_and_named_as_the_services_name_them() {
    let objects: Vec<_> = DemoDay::generate(7, date(), small()).collect();
    let keys: BTreeSet<&str> = objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys.len(), objects.len());
    let prefix =
        "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02/111122223333_CloudTrail_us-east-1_20260302T0330Z_";
    assert!(keys.iter().any(|key| key.starts_with(prefix) && key.ends_with(".json.gz")));
    assert!(keys.iter().any(|key| key.contains("vpcflowlogs_us-east-1_fl-01c07217476488e53_20260302T")));
    assert!(keys.iter().any(|key| key.starts_with("application/bastion-1/2026/03/02/auth-")));
}

#[test]
fn every_record_has_the_shape_of_its_source() {
    for object in DemoDay::generate(7, date(), small()) {
        let records = records_of(&object);
        assert_eq!(records.len(), object.n_records, "{}", object.key);
        for record in &records {
            match object.source {
                "cloudtrail" => {
                    let record: serde_json::Value = serde_json::from_str(record).unwrap();
                    for member in ["eventID", "eventTime", "eventSource", "eventName", "recipientAccountId"] {
                        assert!(record[member].is_string(), "{member} in {record}");
                    }
                    assert!(record["userIdentity"]["type"].is_string(), "{record}");
                    assert!(record["requestParameters"].is_object() || record["requestParameters"].is_null());
                    moment(record["eventTime"].as_str().unwrap());
                }
                "vpc_flow" => assert_eq!(record.split(' ').count(), 14, "{record}"),
                "guardduty" => {
                    let finding: serde_json::Value = serde_json::from_str(record).unwrap();
                    assert!(finding["severity"].is_number() && finding["service"]["action"].is_object());
                }
                _ if object.key.contains("/portal-") => {
                    let line: serde_json::Value = serde_json::from_str(record).unwrap();
                    assert!(line["event"].is_string() && line["timestamp"].is_string());
                }
                _ => assert!(record.len() > 40, "{record}"),
            }
        }
    }
}

#[test]
fn event_ids_of_a_day_are_unique() {
    let mut ids = BTreeSet::new();
    for object in DemoDay::generate(7, date(), small()).filter(|object| object.source == "cloudtrail") {
        for record in records_of(&object) {
            let record: serde_json::Value = serde_json::from_str(&record).unwrap();
            assert!(ids.insert(record["eventID"].as_str().unwrap().to_owned()), "{record}");
        }
    }
    assert!(ids.len() > 500);
}

#[test]
fn a_full_day_has_the_documented_volume_in_all_sources() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for object in DemoDay::generate(1, date(), DemoDayOptions::default()) {
        *counts.entry(object.source).or_default() += object.n_records;
    }
    let all: usize = counts.values().sum();
    assert!((150_000..250_000).contains(&all), "{counts:?}");
    assert!(counts["cloudtrail"] > 20_000 && counts["vpc_flow"] > 60_000, "{counts:?}");
    assert!(counts["guardduty"] >= 4 && counts["application"] > 30_000, "{counts:?}");
}

#[test]
fn a_day_cut_short_ends_before_the_given_moment() {
    let until = moment("2026-03-02T02:43:00Z");
    let options = DemoDayOptions { until: Some(until), ..small() };
    let mut latest = DateTime::<Utc>::MIN_UTC;
    for object in DemoDay::generate(7, date(), options).filter(|object| object.source == "cloudtrail") {
        for record in records_of(&object) {
            let record: serde_json::Value = serde_json::from_str(&record).unwrap();
            latest = latest.max(moment(record["eventTime"].as_str().unwrap()));
        }
    }
    assert!(latest < until && until - latest < TimeDelta::minutes(20), "{latest}");
}

#[test]
fn without_attacks_no_attacker_appears() {
    let options = DemoDayOptions { attacks: false, ..small() };
    for object in DemoDay::generate(7, date(), options) {
        let text = text_of(&object);
        assert!(!text.contains("203.0.113.") && !text.contains("198.51.100."), "{}", object.key);
    }
}

#[test]
fn attacks_name_rules_that_exist() {
    let attacks = attacks(date());
    assert!(attacks.len() >= 6);
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    for Attack { name, rules: named, .. } in &attacks {
        assert!(!named.is_empty(), "{name} names no rule");
        for rule in *named {
            let text =
                std::fs::read_to_string(rules.join(rule.path)).unwrap_or_else(|error| panic!("{}: {error}", rule.path));
            assert!(text.contains(&format!("\nid: {}\n", rule.id)), "{} has another id", rule.path);
        }
    }
}

#[test]
fn attacks_are_in_the_day_that_lists_them() {
    let listed = attacks(date());
    assert!(listed.windows(2).all(|pair| pair[0].starts_at <= pair[1].starts_at));
    let objects: Vec<_> = DemoDay::generate(7, date(), small()).collect();
    let all: String = objects.iter().map(text_of).collect();
    let marks = [
        "\"eventName\":\"StopLogging\"",
        "203.0.113.66 10.20.1.10",
        "Accepted password for ops from 203.0.113.50",
        "/download?file=..%2f..%2f",
        "CryptoCurrency:EC2/BitcoinTool.B!DNS",
        "\"Principal\":\"*\"",
        "10.20.3.15 198.51.100.80",
        "customer117@example.com",
        "\"MFAUsed\":\"No\"",
    ];
    for mark in marks {
        assert!(all.contains(mark), "{mark} is missing");
    }
}

#[test]
fn adjoining_live_spans_give_the_records_of_the_whole_span() {
    let tail = LiveTail::new(3, 100);
    let (from, to) = (moment("2026-03-02T10:00:00Z"), moment("2026-03-02T10:15:00Z"));
    let records = |objects: Vec<GeneratedObject>| {
        let mut records: Vec<String> = objects.iter().flat_map(records_of).collect();
        records.sort();
        records
    };
    let mut pieces = Vec::new();
    let mut start = from;
    while start < to {
        let end = start + TimeDelta::seconds(20);
        pieces.extend(tail.objects(start, end));
        start = end;
    }
    let keys: BTreeSet<&str> = pieces.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys.len(), pieces.len());
    assert_eq!(records(pieces), records(tail.objects(from, to)));
}

#[test]
fn a_live_hour_holds_several_attacks() {
    let tail = LiveTail::new(3, 100);
    let (from, to) = (moment("2026-03-02T10:00:00Z"), moment("2026-03-02T11:00:00Z"));
    let attacks = tail.attacks(from, to);
    assert!(attacks.len() >= 6, "{attacks:?}");
    assert!(attacks.iter().all(|attack| from <= attack.starts_at && attack.starts_at < to));
}

#[test]
fn no_scenario_outlasts_what_a_live_tail_looks_back() {
    let limit = TimeDelta::minutes(crate::live_tail::LONGEST_ATTACK_MINUTES);
    for slot in 0..200 {
        let start = moment("2026-03-02T00:00:00Z") + TimeDelta::minutes(7 * slot);
        let (attack, lines) = crate::scenarios::play_live(1, start);
        assert!(lines.iter().all(|line| line.at - start < limit), "{}", attack.name);
    }
}

#[test]
fn bench_records_are_skewed_and_rarely_rare() {
    let mut names: BTreeMap<String, u64> = BTreeMap::new();
    let mut strangers = 0_u64;
    let n = 20_000;
    for record in bench::cloudtrail_events(5, n) {
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        *names.entry(record["eventName"].as_str().unwrap().to_owned()).or_default() += 1;
        strangers += u64::from(record["sourceIPAddress"].as_str().unwrap().starts_with("203.0.113."));
    }
    assert!(names["AssumeRole"] > n / 5, "{names:?}");
    assert!(names.contains_key("StopLogging") && names.len() > 70, "{names:?}");
    let per_ten_thousand = strangers * 10_000 / n;
    assert!((30..75).contains(&per_ten_thousand), "{per_ten_thousand}");
}

#[test]
fn bench_files_hold_every_record_once_and_repeat_for_a_seed() {
    let files: Vec<_> = bench::delivery_files(5, 2_500, 1_000).collect();
    assert_eq!(files.iter().map(|file| file.n_records).collect::<Vec<_>>(), [1_000, 1_000, 500]);
    let records: usize = files.iter().map(|file| records_of(file).len()).sum();
    assert_eq!(records, 2_500);
    assert_eq!(files, bench::delivery_files(5, 2_500, 1_000).collect::<Vec<_>>());
}
