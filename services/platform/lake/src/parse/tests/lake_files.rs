//! From a part to files of the lake and back.

use super::*;
use crate::arrow_schema::arrow_schema;
use crate::catalogue::catalogue;
use crate::compact::{Merge, merge_files};
use crate::write_parquet::{earlier_tries, write_parquet};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

fn line(time: &str, id: u32) -> String {
    format!(r#"{{"eventTime":"{time}","eventName":"A","eventID":"{id}","resources":[{{"ARN":"r{id}"}}]}}"#)
}

fn read_back(content: Bytes) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(content).unwrap().build().unwrap();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

fn ids(records: &RecordBatch) -> Vec<String> {
    records.column_by_name("event_id").unwrap().as_string::<i32>().iter().flatten().map(str::to_owned).collect()
}

#[test]
fn records_are_split_by_event_date_sorted_and_stamped() {
    let content = [
        line("2026-02-28T23:59:59Z", 3),
        line("2026-03-01T00:00:00Z", 4),
        line("2026-02-28T10:00:00Z", 1),
        line("2026-02-28T11:00:00Z", 2),
    ];
    let records = read(content.join("\n").as_bytes(), Some(LogSource::CloudTrail)).records.unwrap();
    let table = catalogue().table("cloudtrail_logs").unwrap();
    let stamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let files = write_parquet(table, &ObjectId::new("obj"), 2, &records, stamp).unwrap();
    let keys: Vec<_> = files.iter().map(|file| file.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "cloudtrail_logs/year=2026/month=02/day=28/obj-00002-1772366400000.parquet",
            "cloudtrail_logs/year=2026/month=03/day=01/obj-00002-1772366400000.parquet"
        ]
    );
    assert_eq!(earlier_tries(keys[1]), Some("cloudtrail_logs/year=2026/month=03/day=01/obj-00002-"));
    let first = read_back(files[0].bytes.clone());
    assert_eq!(first.schema().fields(), arrow_schema(table).fields());
    assert_eq!(ids(&first), ["1", "2", "3"]);
    let stamps = first.column_by_name("ingested_at").unwrap().as_primitive::<TimestampMillisecondType>();
    assert!(stamps.iter().all(|value| value == Some(1_772_366_400_000)));
    assert_eq!((files[0].n_records, files[1].n_records), (3, 1));
    assert_eq!(files[0].event_from.to_rfc3339(), "2026-02-28T10:00:00+00:00");
    let again = write_parquet(table, &ObjectId::new("obj"), 2, &records, stamp).unwrap();
    assert_eq!(again[0].bytes, files[0].bytes);
}

#[test]
fn merged_file_holds_all_records_in_order_under_a_stable_key() {
    let table = catalogue().table("cloudtrail_logs").unwrap();
    let stamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let file = |id: u32, time: &str| {
        let records = read(line(time, id).as_bytes(), Some(LogSource::CloudTrail)).records.unwrap();
        write_parquet(table, &ObjectId::new(id.to_string()), 0, &records, stamp).unwrap().remove(0)
    };
    let files = [file(1, "2026-02-28T12:00:00Z"), file(2, "2026-02-28T11:00:00Z")];
    let merge = Merge {
        partition: "cloudtrail_logs/year=2026/month=02/day=28".to_owned(),
        keys: files.iter().map(|file| file.key.clone()).collect(),
    };
    let contents = || files.iter().map(|file| file.bytes.clone()).collect();
    let merged = merge_files(table, &merge, contents()).unwrap();
    assert_eq!(ids(&read_back(merged.bytes.clone())), ["2", "1"]);
    assert!(merged.key.starts_with("cloudtrail_logs/year=2026/month=02/day=28/merged-"));
    assert_eq!(merge_files(table, &merge, contents()).unwrap().key, merged.key);
}
