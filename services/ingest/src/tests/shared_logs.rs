//! Real logs: every file of the shared data pack ingests, and what is quarantined is said.

use super::*;
use std::path::PathBuf;

#[expect(clippy::disallowed_methods, reason = "where the shared logs are is told to tests by the environment")]
fn shared_data() -> PathBuf {
    let beside_the_workspace = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var("MANTISSA_SHARED_DATA").map_or_else(|_| beside_the_workspace(), PathBuf::from)
}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, files) } else { files.push(path) }
    }
}

#[tokio::test]
async fn all_shared_logs_are_ingested_into_their_tables() {
    let root = shared_data();
    if !is_there(&root) {
        return;
    }
    let stage = Stage::new();
    for (folder, table, n_files, n_records, n_quarantined) in [
        ("cloudtrail", "cloudtrail_logs", 90, 3210, 0),
        ("vpcflow", "vpc_flow_logs", 2, 100, 0),
        ("applogs", "application_logs", 3, 17_621, 0),
    ] {
        let (mut files, mut records, mut quarantined) = (Vec::new(), 0, 0);
        files_below(&root.join(folder), &mut files);
        for file in &files {
            let report = stage.ingest(file.to_str().unwrap()).await;
            println!(
                "{}: {} records into {}, {} quarantined {:?}",
                file.display(),
                report.n_records,
                report.table,
                report.n_quarantined,
                report.reasons
            );
            assert_eq!(report.table, table, "{}", file.display());
            records += report.n_records;
            quarantined += report.n_quarantined;
        }
        assert_eq!((files.len(), records, quarantined), (n_files, n_records, n_quarantined), "{folder}");
    }
    for (file, table, n_records) in [
        ("guardduty/findings.jsonl.gz", "guardduty_findings", 6),
        ("guardduty/awscli_get_findings_api_form.json.gz", "guardduty_findings", 1),
        // A list of where the findings are from: JSON, but no finding.
        ("guardduty/findings.sources.json", "application_logs", 0),
        ("ocsf_examples/account_change.raw", "cloudtrail_logs", 1),
        ("ocsf_examples/authentication.raw", "cloudtrail_logs", 1),
        ("ocsf_examples/generic_api_activity.raw", "cloudtrail_logs", 1),
        ("ocsf_examples/route53.raw", "application_logs", 1),
    ] {
        let report = stage.ingest(root.join(file).to_str().unwrap()).await;
        println!(
            "{file}: {} records into {}, {} quarantined {:?}",
            report.n_records, report.table, report.n_quarantined, report.reasons
        );
        assert_eq!(report.table, table, "{file}");
        assert!(n_records == 0 || (report.n_records, report.n_quarantined) == (n_records, 0), "{file}: {report:?}");
    }
}
