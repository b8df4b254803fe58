//! Over real Parquet files in a folder.

use super::super::{DataFusionEngine, EngineConfig};
use super::{NEW_YEAR, rows};
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray, new_null_array};
use datafusion::parquet::arrow::ArrowWriter;
use mantissa_contracts::ids::EngineQueryId;
use mantissa_contracts::messages::FailureKind;
use mantissa_lake::arrow_schema::arrow_schema;
use mantissa_lake::catalogue::catalogue;
use mantissa_ports::{QueryEngine, QueryRequest, QueryStatus};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn write_events(lake: &Path, day: &str, file: &str, names: &[&str]) {
    let schema = arrow_schema(catalogue().table("cloudtrail_logs").unwrap());
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "eventname" => Arc::new(StringArray::from(names.to_vec())),
            "event_time" => Arc::new(TimestampMillisecondArray::from(vec![NEW_YEAR; names.len()])),
            _ => new_null_array(field.data_type(), names.len()),
        }
    });
    let batch = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    let folder = lake.join(format!("cloudtrail_logs/year=2026/month=01/day={day}"));
    std::fs::create_dir_all(&folder).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(folder.join(file)).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[tokio::test]
async fn folder_that_does_not_exist_is_an_empty_table() {
    let lake = tempfile::tempdir().unwrap();
    let engine = DataFusionEngine::new(EngineConfig::new(lake.path().join("not yet"))).unwrap();
    assert_eq!(rows(&engine, "SELECT count(*) FROM cloudtrail_logs").await, ["0"]);
    assert_eq!(rows(&engine, "SELECT eventname FROM cloudtrail_logs WHERE year = '2026'").await, [""; 0]);
}

#[tokio::test]
async fn files_are_listed_anew_for_each_query_and_bytes_are_counted() {
    let lake = tempfile::tempdir().unwrap();
    let engine = DataFusionEngine::new(EngineConfig::new(lake.path())).unwrap();
    let sql = "SELECT eventname FROM cloudtrail_logs WHERE eventname LIKE 'Delete%' ORDER BY 1";
    write_events(lake.path(), "01", "a.parquet", &["DeleteTrail", "ConsoleLogin"]);
    assert_eq!(rows(&engine, sql).await, ["DeleteTrail"]);
    write_events(lake.path(), "02", "b.parquet", &["DeleteBucket"]);
    assert_eq!(rows(&engine, sql).await, ["DeleteBucket", "DeleteTrail"]);
    std::fs::remove_file(lake.path().join("cloudtrail_logs/year=2026/month=01/day=01/a.parquet")).unwrap();
    assert_eq!(rows(&engine, sql).await, ["DeleteBucket"]);
    // The same name with another content, as compaction and repeated ingest write it.
    write_events(lake.path(), "02", "b.parquet", &["DeleteBucket", "DeleteUser"]);
    assert_eq!(rows(&engine, sql).await, ["DeleteBucket", "DeleteUser"]);
    let (_, _, stats) = engine.collect(sql).await.unwrap();
    assert!(stats.scanned_bytes > 0 && stats.n_rows == 2, "{stats:?}");
}

#[tokio::test]
async fn bound_on_partitions_keeps_other_days_unread() {
    let lake = tempfile::tempdir().unwrap();
    let engine = DataFusionEngine::new(EngineConfig::new(lake.path())).unwrap();
    write_events(lake.path(), "01", "a.parquet", &["x"]);
    let broken = lake.path().join("cloudtrail_logs/year=2025/month=12/day=31");
    std::fs::create_dir_all(&broken).unwrap();
    std::fs::write(broken.join("broken.parquet"), b"not parquet").unwrap();
    let sql = "SELECT eventname, year, day FROM cloudtrail_logs WHERE year = '2026' AND month = '01' AND day BETWEEN '01' AND '02'";
    assert_eq!(rows(&engine, sql).await, ["x|2026|01"]);
    assert!(engine.collect("SELECT count(eventname) FROM cloudtrail_logs").await.is_err());
    let guarded = mantissa_sql::guard(
        "SELECT eventname FROM cloudtrail_logs WHERE event_time >= TIMESTAMP '2026-01-01 00:00:00'",
        catalogue(),
        &mantissa_sql::GuardPolicy::for_rules(10),
    )
    .unwrap();
    assert_eq!(rows(&engine, &guarded.sql).await, ["x"]);
}

#[tokio::test]
async fn query_that_needs_too_much_memory_fails_for_good() {
    let lake = tempfile::tempdir().unwrap();
    let config = EngineConfig { memory_limit_bytes: 64 << 10, ..EngineConfig::new(lake.path()) };
    let engine = DataFusionEngine::new(config).unwrap();
    let names: Vec<String> = (0..20_000).map(|i| format!("name {i} {}", "x".repeat(100))).collect();
    write_events(lake.path(), "01", "a.parquet", &names.iter().map(String::as_str).collect::<Vec<_>>());
    let request = QueryRequest {
        token: "memory".into(),
        sql: "SELECT eventname, count(*) FROM cloudtrail_logs GROUP BY 1 ORDER BY 2".into(),
        max_rows: 100_000,
        timeout: Duration::from_secs(60),
    };
    let id = engine.start(&request).await.unwrap();
    let status = ended(&engine, &id).await;
    assert!(
        matches!(&status, QueryStatus::Failed { kind: FailureKind::Permanent, reason } if reason.contains("memory")),
        "{status:?}"
    );
}

async fn ended(engine: &DataFusionEngine, id: &EngineQueryId) -> QueryStatus {
    loop {
        let status = engine.status(id).await.unwrap();
        if status.is_final() {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
