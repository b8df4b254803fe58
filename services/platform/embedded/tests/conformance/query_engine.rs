//! DataFusion over Parquet files in a folder.

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray, new_null_array};
use datafusion::parquet::arrow::ArrowWriter;
use mantissa_embedded::query_engine::{DataFusionEngine, EngineConfig};
use mantissa_lake::arrow_schema::arrow_schema;
use mantissa_lake::catalogue::catalogue;
use mantissa_ports::QueryEngine;
use mantissa_ports::conformance::query_engine::LAKE_TABLE;
use mantissa_ports::conformance::{EngineFixture, LakeRow, lake_rows};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

struct Lake {
    engine: DataFusionEngine,
    _folder: TempDir,
}

impl Lake {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (i, rows) in lake_rows().chunks(600).enumerate() {
            write(folder.path(), &format!("{i}.parquet"), rows);
        }
        Self { engine: DataFusionEngine::new(EngineConfig::new(folder.path())).unwrap(), _folder: folder }
    }
}

impl EngineFixture for Lake {
    fn engine(&self) -> Arc<dyn QueryEngine> {
        Arc::new(self.engine.clone())
    }
}

fn write(lake: &Path, file: &str, rows: &[LakeRow]) {
    let schema = arrow_schema(catalogue().table(LAKE_TABLE).unwrap());
    let texts = |text: fn(&LakeRow) -> &String| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(text(row))).collect::<StringArray>())
    };
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "event_id" => texts(|row| &row.event_id),
        "source_object" => texts(|row| &row.source_object),
        "raw" => texts(|row| &row.raw),
        "event_time" => Arc::new(TimestampMillisecondArray::from_iter_values(
            rows.iter().map(|row| row.event_time.timestamp_millis()),
        )),
        "ingested_at" => Arc::new(TimestampMillisecondArray::from_iter_values(
            rows.iter().map(|row| row.ingested_at.timestamp_millis()),
        )),
        _ => new_null_array(field.data_type(), rows.len()),
    });
    let batch = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    let folder = lake.join(LAKE_TABLE).join("year=2026/month=03/day=01");
    std::fs::create_dir_all(&folder).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(folder.join(file)).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

mantissa_ports::query_engine_conformance!(Lake::new());
