//! A batch of records → Parquet files, one an event date.
//!
//! A key is a function of object, part and stamp. The stamp is in it so that a worker that lost its claim to a part cannot
//! overwrite what its successor wrote under a later stamp: such records would lie in a window that was judged before
//! they appeared. [`earlier_tries`] names what a completed part replaces.

use crate::catalogue::Table;
use crate::error::LakeError;
use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMillisecondArray};
use arrow::compute::{sort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, TimestampMillisecondType};
use bytes::Bytes;
use chrono::{DateTime, Datelike, NaiveDate};
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::Instant;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::sync::Arc;

pub(crate) const INGESTED_AT: &str = "ingested_at";
pub(crate) const EVENT_TIME: &str = "event_time";
const ROW_GROUP_ROWS: usize = 65_536;

/// A finished file of the lake.
#[derive(Debug, Clone)]
pub struct LakeFile {
    /// `<table>/year=YYYY/month=MM/day=DD/<object-id>-<part>-<stamp in ms>.parquet`
    pub key: String,
    pub bytes: Bytes,
    pub n_records: u64,
    /// Event times of the records (closed span).
    pub event_from: Instant,
    pub event_to: Instant,
}

/// Writes a part's records, all stamped with one ingestion time, split by event date and sorted by event time.
pub fn write_parquet(
    table: &Table,
    object_id: &ObjectId,
    part: u32,
    records: &RecordBatch,
    ingested_at: Instant,
) -> Result<Vec<LakeFile>, LakeError> {
    let stamped = stamp(table, records, ingested_at)?;
    let stamp_ms = ingested_at.timestamp_millis();
    write_dates(table, &stamped, |date| {
        format!("{}/{object_id}-{part:05}-{stamp_ms}.parquet", partition_of(table.name, date))
    })
}

/// What the keys of every try to write the file under `key` begin with.
pub fn earlier_tries(key: &str) -> Option<&str> {
    key.rfind('-').map(|at| &key[..=at])
}

/// `<table>/year=YYYY/month=MM/day=DD`
pub fn partition_of(table: &str, date: NaiveDate) -> String {
    format!("{table}/year={:04}/month={:02}/day={:02}", date.year(), date.month(), date.day())
}

/// First and last event time of a batch.
pub fn event_span(records: &RecordBatch) -> Option<(Instant, Instant)> {
    let times = times_of(records)?;
    let from = times.iter().flatten().min().and_then(DateTime::from_timestamp_millis)?;
    let to = times.iter().flatten().max().and_then(DateTime::from_timestamp_millis)?;
    Some((from, to))
}

/// Sorts stamped records and writes one file a date.
pub(crate) fn write_dates(
    table: &Table,
    records: &RecordBatch,
    key_of: impl Fn(NaiveDate) -> String,
) -> Result<Vec<LakeFile>, LakeError> {
    let sorted = sort_by_event_time(table, records)?;
    let Some(times) = times_of(&sorted) else { return Ok(Vec::new()) };
    let date_of = |row: usize| DateTime::from_timestamp_millis(times.value(row)).map(|time| time.date_naive());
    let mut files = Vec::new();
    let mut from = 0;
    while from < sorted.num_rows() {
        let Some(date) = date_of(from) else {
            return Err(LakeError::UnexpectedContent {
                key: table.name.to_owned(),
                reason: format!("event time {} ms is no date", times.value(from)),
            });
        };
        let to = (from..sorted.num_rows()).find(|row| date_of(*row) != Some(date)).unwrap_or(sorted.num_rows());
        files.push(write_file(key_of(date), &sorted.slice(from, to - from))?);
        from = to;
    }
    Ok(files)
}

fn stamp(table: &Table, records: &RecordBatch, ingested_at: Instant) -> Result<RecordBatch, LakeError> {
    let stamps = TimestampMillisecondArray::from_value(ingested_at.timestamp_millis(), records.num_rows());
    let mut fields = records.schema().fields().to_vec();
    let mut arrays = records.columns().to_vec();
    let position = fields.iter().position(|field| field.name() == EVENT_TIME).map_or(fields.len(), |at| at + 1);
    fields.insert(position, Arc::new(Field::new(INGESTED_AT, DataType::Timestamp(TimeUnit::Millisecond, None), true)));
    arrays.insert(position, Arc::new(stamps) as ArrayRef);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|source| LakeError::BuildBatch { table: table.name, source })
}

fn sort_by_event_time(table: &Table, records: &RecordBatch) -> Result<RecordBatch, LakeError> {
    let Some(times) = times_of(records) else { return Ok(records.clone()) };
    if times.values().is_sorted() {
        return Ok(records.clone());
    }
    let failed = |source| LakeError::Sort { subject: table.name.to_owned(), source };
    let order = sort_to_indices(times, None, None).map_err(failed)?;
    take_record_batch(records, &order).map_err(failed)
}

fn times_of(records: &RecordBatch) -> Option<&TimestampMillisecondArray> {
    records.column_by_name(EVENT_TIME)?.as_primitive_opt::<TimestampMillisecondType>()
}

fn write_file(key: String, records: &RecordBatch) -> Result<LakeFile, LakeError> {
    let Some((event_from, event_to)) = event_span(records) else {
        return Err(LakeError::UnexpectedContent { key, reason: "no event times".to_owned() });
    };
    let written = || -> Result<Vec<u8>, parquet::errors::ParquetError> {
        let mut writer = ArrowWriter::try_new(Vec::new(), records.schema(), Some(properties()?))?;
        writer.write(records)?;
        writer.into_inner()
    };
    let bytes = written().map_err(|source| LakeError::WriteParquet { key: key.clone(), source })?;
    Ok(LakeFile { key, bytes: bytes.into(), n_records: records.num_rows() as u64, event_from, event_to })
}

fn properties() -> Result<WriterProperties, parquet::errors::ParquetError> {
    // Every value of these differs, so a dictionary of them only costs.
    let distinct = ["raw", "event_id"];
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from(EVENT_TIME), EnabledStatistics::Page);
    for column in distinct {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    properties = properties.set_column_statistics_enabled(ColumnPath::from("raw"), EnabledStatistics::None);
    Ok(properties.build())
}
