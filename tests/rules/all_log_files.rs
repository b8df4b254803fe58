//! Every recorded log file is read, and what is not is accounted for.

use crate::run_mantissa::run_mantissa;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folder of recorded logs, files in it, table they must end up in.
const SOURCES: [(&str, usize, &str); 4] = [
    ("cloudtrail", 90, "cloudtrail_logs"),
    ("vpcflow", 2, "vpc_flow_logs"),
    ("guardduty", 3, "guardduty_findings"),
    ("applogs", 3, "application_logs"),
];

#[test]
fn every_recorded_log_file_is_ingested_and_what_is_quarantined_has_a_reason() {
    let Some(shared) = mantissa_tests::shared_data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folders: Vec<String> =
        SOURCES.iter().map(|(name, ..)| shared.join(name).to_str().unwrap().to_owned()).collect();
    let mut arguments = vec!["ingest"];
    arguments.extend(folders.iter().map(String::as_str));
    let ingested = run_mantissa(folder.path(), &arguments).unwrap();
    let objects = ingested["objects"].as_array().unwrap();

    let (mut n_files, mut n_records_of_all) = (0, 0);
    for (name, expected, table) in SOURCES {
        let files = files_below(&shared.join(name));
        assert_eq!(files.len(), expected, "files below {name}");
        n_files += files.len();
        let (mut n_records, mut n_quarantined) = (0, 0);
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        for file in &files {
            let object = objects.iter().find(|object| object["location"].as_str() == file.to_str());
            let object = object.unwrap_or_else(|| panic!("{} is not in the report", file.display()));
            n_records += object["n_records"].as_u64().unwrap();
            n_quarantined += object["n_quarantined"].as_u64().unwrap();
            for (reason, count) in object["reasons"].as_object().unwrap() {
                println!("{}: {count} quarantined: {reason}", file.display());
                *reasons.entry(reason.clone()).or_default() += count.as_u64().unwrap();
            }
            // A list of where the findings came from holds no finding: a line of JSON like any other.
            if !file.ends_with("findings.sources.json") {
                assert_eq!(object["table"], table, "{}", file.display());
            }
        }
        assert_eq!(n_quarantined, reasons.values().sum::<u64>(), "{name}: each quarantined piece has a reason");
        assert_eq!(n_quarantined, 0, "{name}: {reasons:?}");
        assert!(n_records > 0, "{name} has no records");
        n_records_of_all += n_records;
        println!("{name}: {} files, {n_records} records, {n_quarantined} quarantined {reasons:?}", files.len());
    }
    assert_eq!((objects.len(), n_records_of_all), (n_files, 20_939), "files and records in the report");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}
