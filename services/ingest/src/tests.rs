//! Objects through the whole stage, over the in-memory stores and real files.

mod commit;
mod ingest;
mod shared_logs;

use crate::{IngestConfig, IngestDeps, IngestReport, ingest_object};
use async_trait::async_trait;
use bytes::Bytes;
use mantissa_contracts::messages::ObjectReceived;
use mantissa_ports::memory::{MemoryIngestStore, MemoryObjectStorage, TestClock};
use mantissa_ports::{Clock, ObjectStorage, PortError, RawObject, RawObjectSource};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Objects in a map; a location that is not in it is a file.
#[derive(Default)]
pub(super) struct TestObjects(Mutex<BTreeMap<String, Vec<u8>>>);

impl TestObjects {
    pub(super) fn put(&self, location: &str, content: impl AsRef<[u8]>) {
        self.0.lock().unwrap().insert(location.to_owned(), content.as_ref().to_vec());
    }
}

#[async_trait]
impl RawObjectSource for TestObjects {
    fn open(&self, location: &str) -> Result<Box<dyn Read + Send>, PortError> {
        if let Some(content) = self.0.lock().unwrap().get(location) {
            return Ok(Box::new(Cursor::new(content.clone())));
        }
        let file = std::fs::File::open(location).map_err(|e| PortError::permanent("open raw object", location, e))?;
        Ok(Box::new(file))
    }

    async fn list(&self, _: &str) -> Result<Vec<RawObject>, PortError> {
        let objects = self.0.lock().unwrap();
        let object = |(location, content): (&String, &Vec<u8>)| RawObject {
            location: location.clone(),
            etag: content.len().to_string(),
            size_bytes: content.len() as u64,
        };
        Ok(objects.iter().map(object).collect())
    }
}

pub(super) struct Stage {
    pub(super) deps: IngestDeps,
    pub(super) objects: Arc<TestObjects>,
    pub(super) clock: TestClock,
}

impl Stage {
    pub(super) fn new() -> Self {
        let clock = TestClock::default();
        let shared_clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let objects = Arc::new(TestObjects::default());
        let deps = IngestDeps {
            raw_objects: objects.clone(),
            lake: Arc::new(MemoryObjectStorage::new(shared_clock.clone())),
            quarantine: Arc::new(MemoryObjectStorage::new(shared_clock.clone())),
            ingests: Arc::new(MemoryIngestStore::new()),
            clock: shared_clock,
            config: IngestConfig::default(),
        };
        Self { deps, objects, clock }
    }

    pub(super) fn received(&self, location: &str) -> ObjectReceived {
        ObjectReceived {
            location: location.to_owned(),
            etag: "1".to_owned(),
            size_bytes: 0,
            received_at: self.clock.now(),
            source: "auto".to_owned(),
        }
    }

    pub(super) async fn ingest(&self, location: &str) -> IngestReport {
        ingest_object(&self.deps, &self.received(location), &|_| ()).await.unwrap()
    }

    /// `(event id, ingested_at)` of every record in the lake.
    pub(super) async fn lake_rows(&self) -> Vec<(String, i64)> {
        let mut rows = Vec::new();
        for object in self.deps.lake.list("").await.unwrap() {
            rows.extend(rows_of(self.deps.lake.get(&object.key).await.unwrap().unwrap()));
        }
        rows.sort();
        rows
    }
}

fn rows_of(content: Bytes) -> Vec<(String, i64)> {
    use arrow::array::AsArray;
    use arrow::datatypes::TimestampMillisecondType;
    let reader = ParquetRecordBatchReaderBuilder::try_new(content).unwrap().build().unwrap();
    let rows_of_batch = |batch: arrow::array::RecordBatch| -> Vec<(String, i64)> {
        let ids = batch.column_by_name("event_id").unwrap().as_string::<i32>().clone();
        let stamps = batch.column_by_name("ingested_at").unwrap().as_primitive::<TimestampMillisecondType>().clone();
        ids.iter().zip(stamps.iter()).map(|(id, stamp)| (id.unwrap().to_owned(), stamp.unwrap())).collect()
    };
    reader.map(Result::unwrap).flat_map(rows_of_batch).collect()
}

pub(super) fn line(id: u32) -> String {
    format!(r#"{{"eventVersion":"1.08","eventTime":"2026-02-28T10:00:00Z","eventName":"A","eventID":"{id:03}"}}"#)
}

pub(super) fn lines(ids: impl IntoIterator<Item = u32>) -> String {
    ids.into_iter().map(|id| line(id) + "\n").collect()
}

/// Whether there is anything to test with.
pub(super) fn is_there(path: &Path) -> bool {
    let there = path.exists();
    if !there {
        println!("skipped: {} is not there", path.display());
    }
    there
}
