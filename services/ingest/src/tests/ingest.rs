//! What one object becomes.

use super::*;
use crate::{Error, FolderWatch, IngestHandler, Progress, compact_table, list_quarantine, reingest_quarantine};
use flate2::Compression;
use flate2::write::GzEncoder;
use mantissa_contracts::Envelope;
use mantissa_lake::catalogue::LogSource;
use mantissa_lake::parse::PartLimits;
use mantissa_ports::PortErrorKind;
use mantissa_runtime::{Handler, HandlerError};
use std::io::Write;
use std::sync::Arc;

#[tokio::test]
async fn same_content_under_another_name_or_again_is_ingested_once() {
    let stage = Stage::new();
    stage.objects.put("a", lines(1..=3));
    stage.objects.put("b", lines(1..=3));
    let first = stage.ingest("a").await;
    assert_eq!((first.duplicate, first.n_records, first.table), (false, 3, "cloudtrail_logs"));
    for location in ["a", "b"] {
        let again = stage.ingest(location).await;
        assert_eq!((again.duplicate, again.n_records, again.object_id.clone()), (true, 3, first.object_id.clone()));
    }
    assert_eq!(stage.lake_rows().await.len(), 3);
    let recorded = stage.deps.ingests.object(&first.object_id).await.unwrap().unwrap();
    assert_eq!((recorded.location.as_str(), recorded.n_records), ("a", 3));
}

#[tokio::test]
async fn large_object_is_committed_in_parts_with_progress() {
    let mut stage = Stage::new();
    stage.deps.config.part_limits = PartLimits { n_records: 10, raw_bytes: usize::MAX };
    stage.deps.config.held_bytes = 100;
    stage.objects.put("a", lines(1..=35));
    let seen = Mutex::new(Vec::new());
    let (received, record) = (stage.received("a"), |progress: Progress| seen.lock().unwrap().push(progress.n_records));
    let report = ingest_object(&stage.deps, &received, &record).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [10, 20, 30, 35]);
    assert_eq!(
        (report.n_records, report.raw_bytes, report.size_bytes),
        (35, lines(1..=35).len() as u64, report.raw_bytes)
    );
    assert_eq!(stage.lake_rows().await.len(), 35);
}

#[tokio::test]
async fn what_cannot_be_read_is_in_the_quarantine_with_place_and_reason() {
    let stage = Stage::new();
    let content = [line(1).as_bytes(), b"\n{\"eventID\": 2}\n\xff\xfe\n", line(4).as_bytes()].concat();
    stage.objects.put("logs/x.json", &content);
    let report = stage.ingest("logs/x.json").await;
    assert_eq!((report.n_records, report.n_quarantined, report.reasons.len()), (2, 2, 2));
    let files = list_quarantine(&stage.deps).await.unwrap();
    let (key, entries) = &files[0];
    assert_eq!(*key, format!("quarantine/cloudtrail_logs/{}-00000.jsonl", report.object_id));
    assert_eq!((entries[0].location.as_str(), entries[0].line), ("logs/x.json", 2));
    assert_eq!(entries[0].raw.as_deref(), Some(r#"{"eventID": 2}"#));
    assert!(entries[0].reason.contains("`eventTime` is missing"));
    assert_eq!((entries[1].line, entries[1].raw_base64.as_deref()), (3, Some("//4=")));
    assert!(entries[1].reason.contains("UTF-8"));
}

#[tokio::test]
async fn handler_tells_a_person_once_of_quarantined_records_and_of_nothing_else() {
    let stage = Stage::new();
    stage.objects.put("good", lines(1..=3));
    stage
        .objects
        .put("bad", "{\"Records\":[{\"eventTime\":\"2026-02-28T10:00:00Z\",\"eventID\":\"1\"},{\"eventID\":5}]}");
    let handler = IngestHandler { deps: stage.deps.clone(), metrics: Arc::default() };
    let envelope = |location: &str| Envelope::new("test", stage.clock.now(), None, stage.received(location));
    let mut received = stage.received("bad");
    received.source = "cloudtrail".to_owned();
    let bad = Envelope::new("test", stage.clock.now(), None, received);
    let batch = [envelope("good"), bad, envelope("missing")];
    for _ in 0..2 {
        let handled = handler.handle_batch(&batch).await;
        assert_eq!(handled[0].as_ref().unwrap().len(), 0);
        assert_eq!(handled[1].as_ref().unwrap().len(), 1);
        assert!(matches!(&handled[2], Err(HandlerError::Permanent { reason }) if reason.contains("missing")));
    }
}

#[tokio::test]
async fn unknown_source_and_missing_object_are_named() {
    let stage = Stage::new();
    let mut received = stage.received("nowhere");
    let error = ingest_object(&stage.deps, &received, &|_| ()).await.unwrap_err();
    assert!(matches!(&error, Error::Port(e) if e.kind == PortErrorKind::Permanent && e.subject == "nowhere"));
    received.source = "windows".to_owned();
    let error = ingest_object(&stage.deps, &received, &|_| ()).await.unwrap_err();
    assert!(error.to_string().contains("source `windows` is unknown, expected auto, cloudtrail"), "{error}");
}

#[tokio::test]
async fn truncated_gzip_and_empty_objects_are_recorded() {
    let stage = Stage::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let ids = (0..3000_u32).map(|n| n.wrapping_mul(2_654_435_761));
    encoder.write_all(lines(ids).as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    stage.objects.put("cut", &whole[..whole.len() / 2]);
    stage.objects.put("empty", b"");
    let report = stage.ingest("cut").await;
    assert!(report.n_records > 500, "{report:?}");
    assert_eq!(report.n_quarantined, 1);
    let report = stage.ingest("empty").await;
    assert_eq!((report.n_records, report.n_quarantined, report.duplicate), (0, 0, false));
    assert!(stage.ingest("empty").await.duplicate);
}

#[tokio::test]
async fn reingest_reads_only_what_was_quarantined_and_keeps_what_is_gone() {
    let stage = Stage::new();
    stage.objects.put("mixed", format!("{}this is text\nmore text\n{}", lines([1]), lines([2])));
    stage.objects.put("gone", format!("{}text of a file that goes\n", lines([3])));
    assert_eq!(stage.ingest("mixed").await.n_quarantined, 2);
    assert_eq!(stage.ingest("gone").await.n_quarantined, 1);
    stage.objects.put("gone", "something else");
    // As what they were taken for, they are as wrong as before, and stay.
    for _ in 0..2 {
        let report = reingest_quarantine(&stage.deps, None).await.unwrap();
        assert_eq!((report.n_records, report.n_quarantined), (0, 3));
        assert!(report.unreadable["gone"].contains("has changed"));
    }
    let report = reingest_quarantine(&stage.deps, Some(LogSource::Application)).await.unwrap();
    assert_eq!((report.n_records, report.n_quarantined), (2, 1));
    assert_eq!(stage.lake_rows().await.len(), 3 + 2);
    assert_eq!(stage.deps.lake.list("application_logs/").await.unwrap().len(), 1);
    assert_eq!(list_quarantine(&stage.deps).await.unwrap().len(), 1);
}

#[tokio::test]
async fn compaction_keeps_every_record_and_leaves_young_files() {
    let mut stage = Stage::new();
    stage.deps.config.compact_limits.min_files = 2;
    for id in 1..=4 {
        stage.objects.put(&id.to_string(), lines([id]));
        stage.ingest(&id.to_string()).await;
    }
    assert_eq!(compact_table(&stage.deps, "cloudtrail_logs").await.unwrap().n_files_merged, 0);
    let before = stage.lake_rows().await;
    stage.clock.advance(std::time::Duration::from_secs(7200));
    let report = compact_table(&stage.deps, "cloudtrail_logs").await.unwrap();
    assert_eq!((report.n_files_merged, report.n_files_written), (4, 1));
    assert_eq!(stage.deps.lake.list("").await.unwrap().len(), 1);
    assert_eq!(stage.lake_rows().await, before);
    assert!(compact_table(&stage.deps, "nothing").await.is_err());
}

#[tokio::test]
async fn watch_takes_an_object_that_did_not_change_between_two_polls_once() {
    let stage = Stage::new();
    let mut watch = FolderWatch::new("folder", "auto");
    stage.objects.put("a", "1");
    assert!(watch.poll(&stage.deps).await.unwrap().is_empty());
    stage.objects.put("a", "12");
    assert!(watch.poll(&stage.deps).await.unwrap().is_empty());
    let ready = watch.poll(&stage.deps).await.unwrap();
    assert_eq!((ready.len(), ready[0].location.as_str(), ready[0].etag.as_str()), (1, "a", "2"));
    // Not yet durable: it is said again.
    assert_eq!(watch.poll(&stage.deps).await.unwrap().len(), 1);
    watch.announced(&ready[0]);
    assert!(watch.poll(&stage.deps).await.unwrap().is_empty());
    stage.objects.put("a", "123");
    assert!(watch.poll(&stage.deps).await.unwrap().is_empty());
    assert_eq!(watch.poll(&stage.deps).await.unwrap().len(), 1);
}
