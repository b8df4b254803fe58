//! Log files that are wrong: what can be read is read, what cannot is in the quarantine with its place and reason.

use chrono::{DateTime, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{file_of, record};
use mantissa_tests::installation::{Ended, Installation, lines_of, peak_memory};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

fn at() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn call(event_id: &str) -> String {
    record(event_id, "CreateUser", "maya", at())
}

struct Ingested {
    installation: Installation,
    ended: Ended,
    objects: Vec<Value>,
}

/// Ingests files, one after the other.
fn ingest(files: &[(&str, &[u8])]) -> Ingested {
    let installation = Installation::new(&[], &[]);
    let mut arguments = vec!["ingest", "--format", "json"];
    for (name, content) in files {
        installation.write(name, content);
        arguments.push(name);
    }
    let ended = installation.run(&arguments);
    let report = ended.json();
    assert_eq!(report["failures"], json!({}), "{ended:?}");
    let objects = report["objects"].as_array().unwrap().clone();
    Ingested { installation, ended, objects }
}

impl Ingested {
    fn event_ids(&self) -> Vec<String> {
        let sql =
            "SELECT event_id FROM cloudtrail_logs WHERE event_time > TIMESTAMP '2000-01-01 00:00:00' ORDER BY event_id";
        let found = self.installation.json(&["query", sql]);
        let rows = found["rows"].as_array().unwrap_or_else(|| panic!("{found}"));
        rows.iter().map(|row| row[0].as_str().or(row["event_id"].as_str()).unwrap().to_owned()).collect()
    }

    /// What the quarantine holds.
    fn quarantined(&self) -> Vec<Value> {
        let mut entries = Vec::new();
        let mut folders = vec![self.installation.path("data/lake/quarantine")];
        while let Some(folder) = folders.pop() {
            let Ok(found) = std::fs::read_dir(folder) else { continue };
            for path in found.map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    entries.extend(lines_of(&path).iter().map(|line| serde_json::from_str::<Value>(line).unwrap()));
                }
            }
        }
        entries
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn truncated_gzip_keeps_what_was_whole_and_quarantines_the_rest() {
    let calls: Vec<String> = (0..3000).map(|number| call(&format!("{number:032x}"))).collect();
    let whole = gzip(file_of(&calls).as_bytes());
    let ingested = ingest(&[("cut.json.gz", &whole[..whole.len() * 3 / 4])]);
    assert_eq!(ingested.ended.code, Some(1));
    let n_records = ingested.objects[0]["n_records"].as_u64().unwrap();
    assert!((1000..3000).contains(&n_records), "{n_records}");
    let entries = ingested.quarantined();
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["location"], "cut.json.gz");
    assert_eq!(entries[0]["record_number"].as_u64(), Some(n_records + 1));
    assert!(entries[0]["reason"].as_str().unwrap().contains("cannot be read"), "{entries:?}");
}

#[test]
fn lines_of_another_shape_are_quarantined_and_their_neighbours_kept() {
    let mut content = format!("{}\n", call("a")).into_bytes();
    content.extend(b"{\"eventTime\":\"2026-03-02T09:00:00Z\",\"eventID\":\"b\",\"eventName\":\"\xff\xfe\"}\n");
    content.extend(format!("{{\"hello\":\"world\"}}\n[1,2,3]\nnot json\n{}\n", call("c")).into_bytes());
    let ingested = ingest(&[("mixed.json", &content)]);
    assert_eq!(ingested.ended.code, Some(1));
    assert_eq!(ingested.event_ids(), ["a", "c"]);
    let entries = ingested.quarantined();
    let lines: Vec<_> = entries.iter().map(|entry| entry["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [2, 3, 4, 5], "{entries:?}");
    assert!(entries[0]["reason"].as_str().unwrap().contains("not valid UTF-8"), "{entries:?}");
    assert!(entries[0]["raw_base64"].is_string(), "{entries:?}");
    assert!(entries[1]["reason"].as_str().unwrap().contains("`eventTime` is missing"), "{entries:?}");
    assert_eq!(entries[3]["raw"], "not json");
}

#[test]
fn file_of_no_known_shape_is_kept_as_text() {
    let ingested = ingest(&[("odd.json", br#"{"Records":{"a":1}}"#)]);
    let (object, ended) = (&ingested.objects[0], &ingested.ended);
    let n_kept = object["n_records"].as_u64().unwrap() + object["n_quarantined"].as_u64().unwrap();
    assert_eq!(n_kept, 1, "{ended:?}");
}

#[test]
fn unknown_fields_stay_with_the_record() {
    let odd = call("a").replace("\"eventVersion\"", "\"brandNew\":{\"deep\":[1,2]},\"eventVersion\"");
    let ingested = ingest(&[("new.json", odd.as_bytes())]);
    assert_eq!(ingested.ended.code, Some(0), "{:?}", ingested.ended);
    let sql = "SELECT json_extract_scalar(raw, '$.brandNew.deep[1]') AS event_id FROM cloudtrail_logs \
               WHERE event_time > TIMESTAMP '2000-01-01 00:00:00'";
    let found = ingested.installation.json(&["query", sql]).to_string();
    assert!(found.contains("\"2\""), "{found}");
}

#[test]
fn same_object_again_is_recognised_and_same_record_again_is_one_event_to_rules() {
    let twice = format!("{}\n{}\n{}\n", call("a"), call("a"), call("b"));
    let ingested =
        ingest(&[("1.json", twice.as_bytes()), ("2.json", twice.as_bytes()), ("3.json", call("a").as_bytes())]);
    assert_eq!(ingested.ended.code, Some(0));
    let duplicates: Vec<_> = ingested.objects.iter().map(|object| object["duplicate"].as_bool().unwrap()).collect();
    assert_eq!(duplicates, [false, true, false]);
    ingested.installation.write("rules/r.yml", mantissa_tests::cloudtrail::CREATE_USER.yaml());
    let detected = ingested.installation.json(&["detect", "--rules", "rules"]);
    assert_eq!(detected[0]["n_matches"], 2, "{detected}");
}

#[test]
fn records_from_the_future_are_kept_and_told() {
    let ahead = record("a", "CreateUser", "maya", SystemClock.now() + TimeDelta::days(800));
    let ingested = ingest(&[("ahead.json", ahead.as_bytes())]);
    assert_eq!(ingested.objects[0]["n_future"], 1, "{:?}", ingested.objects);
    assert_eq!(ingested.event_ids(), ["a"]);
}

#[test]
fn empty_files_are_done_with_at_once() {
    let ingested = ingest(&[("a.json", b""), ("b.json.gz", &gzip(b"")), ("c.log", b"\n\n")]);
    assert_eq!(ingested.ended.code, Some(0), "{:?}", ingested.ended);
    assert!(ingested.objects.iter().all(|object| object["n_records"] == 0 && object["n_quarantined"] == 0));
}

#[test]
fn file_that_is_not_there_is_named() {
    let ended = Installation::new(&[], &[]).run(&["ingest", "nowhere.json"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("nowhere.json"), "{ended:?}");
}

#[test]
fn line_far_beyond_memory_limits_is_quarantined_in_bounded_memory() {
    const MEGABYTES: usize = 2048;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(format!("{}\n{{\"eventID\":\"", call("a")).as_bytes()).unwrap();
    let megabyte = vec![b'x'; 1 << 20];
    for _ in 0..MEGABYTES {
        encoder.write_all(&megabyte).unwrap();
    }
    encoder.write_all(format!("\"}}\n{}\n", call("b")).as_bytes()).unwrap();
    let installation = Installation::new(&[], &[]);
    installation.write("long.json.gz", encoder.finish().unwrap());
    let mut command = installation.command(&["ingest", "--source", "cloudtrail", "--format", "json", "long.json.gz"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut peak = None;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_memory(child.id()));
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let object = &report["objects"][0];
    assert_eq!((object["n_records"].as_u64(), object["n_quarantined"].as_u64()), (Some(2), Some(1)), "{report}");
    assert!(report.to_string().contains("is longer than the limit of 16777216 bytes"), "{report}");
    match peak {
        Some(peak) => assert!(peak < 200 << 20, "held {} MB", peak >> 20),
        None => println!("the system does not tell how much memory a process holds"),
    }
}
