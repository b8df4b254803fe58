//! The part of an object that is being read: its records so far, and its quarantine.

use super::event_times::in_range;
use super::frame::{KEPT_OF_LONG_BYTES, Place};
use super::read_object::ObjectContext;
use crate::build_batch::{BatchBuilder, Row, Value};
use crate::catalogue::{EVENT_YEARS, LogSource, Table};
use crate::error::LakeError;
use crate::json_text::Names;
use arrow::array::RecordBatch;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// An event this much later than its object was received has a clock in the future.
const FUTURE_AFTER_MS: i64 = 10 * 60 * 1000;

/// When a part is full. Whichever comes first.
#[derive(Debug, Clone, Copy)]
pub struct PartLimits {
    pub n_records: usize,
    pub raw_bytes: usize,
}

impl Default for PartLimits {
    fn default() -> Self {
        Self { n_records: 100_000, raw_bytes: 64 * 1024 * 1024 }
    }
}

/// A piece of an object that did not become a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Number of the record in the object, from 1, counting the quarantined ones.
    pub record_number: u64,
    /// Place in the decompressed object; the first line is 1.
    pub line: u64,
    pub byte_offset: u64,
    pub reason: String,
    /// The piece, or its beginning when it is long.
    pub raw: Vec<u8>,
    /// How long the piece is.
    pub total_bytes: u64,
}

/// Some of an object's records, in its order.
#[derive(Debug)]
pub struct Part {
    /// From 0.
    pub number: u32,
    pub table: &'static Table,
    /// Every column but `ingested_at`; may be empty.
    pub records: RecordBatch,
    pub quarantined: Vec<Quarantined>,
    /// Records whose event time is later than the object was received.
    pub n_future: u64,
    /// Decompressed bytes read since the last part.
    pub raw_bytes: u64,
}

/// One record, read.
pub(crate) struct Record<'a> {
    pub(crate) values: &'a [Value<'a>],
    /// `None` when the source gives no identity.
    pub(crate) event_id: Option<Cow<'a, str>>,
    /// `None` when the record has no time: the object's time counts.
    pub(crate) event_time_ms: Option<i64>,
    pub(crate) raw: &'a str,
    pub(crate) names: Names,
}

pub(crate) struct PartBuilder<'o> {
    object: &'o ObjectContext,
    limits: PartLimits,
    pub(crate) table: &'static Table,
    pub(crate) batch: BatchBuilder,
    number: u32,
    quarantined: Vec<Quarantined>,
    quarantined_bytes: usize,
    n_numbered: u64,
    n_future: u64,
    held_bytes: usize,
    finished_bytes: u64,
}

impl<'o> PartBuilder<'o> {
    pub(crate) fn new(object: &'o ObjectContext, table: &'static Table, limits: PartLimits) -> Self {
        Self {
            object,
            limits,
            table,
            batch: BatchBuilder::new(table),
            number: 0,
            quarantined: Vec::new(),
            quarantined_bytes: 0,
            n_numbered: 0,
            n_future: 0,
            held_bytes: 0,
            finished_bytes: 0,
        }
    }

    pub(crate) fn log_source(&self) -> LogSource {
        self.table.log_source
    }

    pub(crate) fn received_ms(&self) -> i64 {
        self.object.received_at.timestamp_millis()
    }

    /// Adds a record, or quarantines it with the reason it does not fit.
    pub(crate) fn add(&mut self, record: &Record<'_>, place: Place) {
        self.n_numbered += 1;
        let event_time_ms = record.event_time_ms.unwrap_or_else(|| self.received_ms());
        let event_id = match &record.event_id {
            Some(id) if !id.is_empty() => Cow::Borrowed(id.as_ref()),
            _ => Cow::Owned(self.derived_id()),
        };
        let row =
            Row { values: record.values, event_id: &event_id, event_time_ms, raw: record.raw, names: record.names };
        let pushed = match in_range(event_time_ms) {
            Some(_) => self.batch.push(&row),
            None => {
                let (first, last) = (EVENT_YEARS.start(), EVENT_YEARS.end());
                Err(format!("event time {event_time_ms} ms is outside the years {first} to {last}"))
            }
        };
        match pushed {
            Ok(()) => {
                self.held_bytes += record.raw.len();
                self.n_future += u64::from(event_time_ms > self.received_ms() + FUTURE_AFTER_MS);
            }
            Err(reason) => {
                self.n_numbered -= 1;
                self.quarantine(record.raw.as_bytes(), record.raw.len() as u64, place, reason);
            }
        }
    }

    pub(crate) fn quarantine(&mut self, raw: &[u8], total_bytes: u64, place: Place, reason: String) {
        self.n_numbered += 1;
        let raw = raw[..raw.len().min(KEPT_OF_LONG_BYTES)].to_vec();
        self.quarantined_bytes += raw.len() + 200;
        self.quarantined.push(Quarantined {
            record_number: self.n_numbered,
            line: place.line,
            byte_offset: place.offset,
            reason,
            raw,
            total_bytes,
        });
    }

    pub(crate) fn is_full(&self) -> bool {
        self.batch.n_rows() >= self.limits.n_records
            || self.held_bytes >= self.limits.raw_bytes
            || self.quarantined_bytes >= self.limits.raw_bytes / 4
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.batch.n_rows() == 0 && self.quarantined.is_empty()
    }

    pub(crate) fn finish(&mut self, bytes_read: u64) -> Result<Part, LakeError> {
        let part = Part {
            number: self.number,
            table: self.table,
            records: self.batch.finish(&self.object.location)?,
            quarantined: std::mem::take(&mut self.quarantined),
            n_future: std::mem::take(&mut self.n_future),
            raw_bytes: bytes_read - self.finished_bytes,
        };
        self.number += 1;
        self.finished_bytes = bytes_read;
        self.held_bytes = 0;
        self.quarantined_bytes = 0;
        Ok(part)
    }

    /// The same object gives the same ids, whatever its name and however often it is delivered.
    fn derived_id(&self) -> String {
        use std::fmt::Write;
        let digest = Sha256::digest(format!("{}:{}", self.object.object_id, self.n_numbered));
        digest[..16].iter().fold(String::with_capacity(32), |mut id, byte| {
            // Writing to a string cannot fail.
            let _ = write!(id, "{byte:02x}");
            id
        })
    }
}
