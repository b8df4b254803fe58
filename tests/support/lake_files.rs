//! The lake that the QueryEngine suite asks about, as batches and as files.

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray, new_null_array};
use mantissa_lake::arrow_schema::arrow_schema;
use mantissa_lake::catalogue::{Table, catalogue};
use mantissa_ports::conformance::query_engine::LAKE_TABLE;
use mantissa_ports::conformance::{LakeRow, lake_rows};
use parquet::arrow::ArrowWriter;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Rows of a file: more than one page of a result is in several.
const FILE_ROWS: usize = 600;

/// The suite's rows in batches, each as large as a file.
pub fn conformance_batches() -> Vec<RecordBatch> {
    let table = catalogue().table(LAKE_TABLE).unwrap();
    lake_rows().chunks(FILE_ROWS).map(|rows| batch(table, rows)).collect()
}

/// Writes them below a lake's folder.
pub fn write_conformance_lake(lake: &Path) {
    let folder = lake.join(LAKE_TABLE).join("year=2026/month=03/day=01");
    std::fs::create_dir_all(&folder).unwrap();
    for (number, batch) in conformance_batches().iter().enumerate() {
        let file = File::create(folder.join(format!("{number}.parquet"))).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
    }
}

fn batch(table: &Table, rows: &[LakeRow]) -> RecordBatch {
    let schema = arrow_schema(table);
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
