//! DataFusion over Parquet files in a folder, and over batches in memory.

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray, new_null_array};
use datafusion::parquet::arrow::ArrowWriter;
use mantissa_embedded::query_engine::{DataFusionEngine, EngineConfig};
use mantissa_lake::arrow_schema::arrow_schema;
use mantissa_lake::catalogue::catalogue;
use mantissa_ports::QueryEngine;
use mantissa_ports::conformance::query_engine::LAKE_TABLE;
use mantissa_ports::conformance::{EngineFixture, LakeRow, lake_rows};
use std::collections::HashMap;
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
            write(folder.path(), &format!("{i}.parquet"), &batch(rows));
        }
        Self { engine: DataFusionEngine::new(EngineConfig::new(folder.path())).unwrap(), _folder: folder }
    }
}

impl EngineFixture for Lake {
    fn engine(&self) -> Arc<dyn QueryEngine> {
        Arc::new(self.engine.clone())
    }
}

struct Batches(DataFusionEngine);

impl Batches {
    fn new() -> Self {
        let batches = lake_rows().chunks(600).map(batch).collect();
        Self(DataFusionEngine::with_batches(&HashMap::from([(LAKE_TABLE.to_owned(), batches)])).unwrap())
    }
}

impl EngineFixture for Batches {
    fn engine(&self) -> Arc<dyn QueryEngine> {
        Arc::new(self.0.clone())
    }

    fn lake_is_files(&self) -> bool {
        false
    }
}

fn batch(rows: &[LakeRow]) -> RecordBatch {
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
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

fn write(lake: &Path, file: &str, batch: &RecordBatch) {
    let folder = lake.join(LAKE_TABLE).join("year=2026/month=03/day=01");
    std::fs::create_dir_all(&folder).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(folder.join(file)).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

mod files {
    use super::*;

    mantissa_ports::query_engine_conformance!(Lake::new());
}

mod batches {
    use super::*;

    mantissa_ports::query_engine_conformance!(Batches::new());
}
