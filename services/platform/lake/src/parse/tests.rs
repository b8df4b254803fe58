//! Whole objects through the parsers, one file a concern.

mod application_objects;
mod bad_input;
mod cloudtrail_objects;
mod flow_and_finding_objects;
mod lake_files;

use super::*;
use crate::catalogue::LogSource;
use crate::error::LakeError;
use arrow::array::{Array, AsArray, RecordBatch, StructArray};
use arrow::compute::concat_batches;
use arrow::datatypes::TimestampMillisecondType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use flate2::Compression;
use flate2::write::GzEncoder;
use mantissa_contracts::ids::ObjectId;
use std::io::{Read, Write};

pub(super) struct Ingested {
    pub(super) summary: ReadSummary,
    pub(super) records: Option<RecordBatch>,
    pub(super) quarantined: Vec<Quarantined>,
    pub(super) n_future: u64,
}

pub(super) fn context(location: &str, source: Option<LogSource>) -> ObjectContext {
    ObjectContext {
        object_id: ObjectId::new("0b1ec7"),
        location: location.to_owned(),
        received_at: "2026-03-01T12:00:00Z".parse().unwrap(),
        source,
        only_offsets: None,
    }
}

pub(super) fn read(content: &[u8], source: Option<LogSource>) -> Ingested {
    read_stream(Box::new(content), &context("a/file", source), PartLimits::default())
}

pub(super) fn read_stream(input: Box<dyn Read + Send + '_>, object: &ObjectContext, limits: PartLimits) -> Ingested {
    let (mut batches, mut quarantined, mut n_future) = (Vec::new(), Vec::new(), 0);
    let summary = read_object::<LakeError>(input, object, limits, &mut |part| {
        batches.push(part.records);
        quarantined.extend(part.quarantined);
        n_future += part.n_future;
        Ok(())
    })
    .unwrap();
    assert_eq!(summary.n_parts as usize, batches.len());
    let records = batches.first().map(|first| concat_batches(&first.schema(), &batches).unwrap());
    Ingested { summary, records, quarantined, n_future }
}

pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

impl Ingested {
    pub(super) fn n_records(&self) -> usize {
        self.records.as_ref().map_or(0, RecordBatch::num_rows)
    }

    pub(super) fn reasons(&self) -> Vec<&str> {
        self.quarantined.iter().map(|quarantined| quarantined.reason.as_str()).collect()
    }

    /// The value of `a.b.c` in a row, `None` for null.
    pub(super) fn value(&self, row: usize, path: &str) -> Option<String> {
        let records = self.records.as_ref().unwrap();
        let mut names = path.split('.');
        let mut array =
            records.column_by_name(names.next().unwrap()).unwrap_or_else(|| panic!("no column {path}")).clone();
        for name in names {
            let parent: &StructArray = array.as_struct();
            if parent.is_null(row) {
                return None;
            }
            array = parent.column_by_name(name).unwrap_or_else(|| panic!("no field {path}")).clone();
        }
        if array.is_null(row) {
            return None;
        }
        Some(ArrayFormatter::try_new(&array, &FormatOptions::default()).unwrap().value(row).to_string())
    }

    pub(super) fn event_time_ms(&self, row: usize) -> i64 {
        let records = self.records.as_ref().unwrap();
        records.column_by_name("event_time").unwrap().as_primitive::<TimestampMillisecondType>().value(row)
    }

    /// Asserts one row's values; `None` is null.
    pub(super) fn assert_row(&self, row: usize, expected: &[(&str, Option<&str>)]) {
        for (path, value) in expected {
            assert_eq!(
                self.value(row, path).as_deref(),
                *value,
                "{path} of row {row}; quarantined: {:?}",
                self.reasons()
            );
        }
    }
}
