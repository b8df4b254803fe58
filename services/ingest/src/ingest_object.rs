//! One raw object, from its location to the lake.

use crate::commit_part::commit_part;
use crate::read_parts::{HashedObject, Parts, hash_object};
use crate::write_quarantine::write_quarantine;
use crate::{Error, IngestDeps};
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::messages::ObjectReceived;
use mantissa_lake::catalogue::{LogSource, catalogue};
use mantissa_lake::parse::{ObjectContext, Part};
use mantissa_ports::stores::IngestedObject;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far an object is ingested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Decompressed bytes of the parts that are in the lake.
    pub raw_bytes: u64,
    pub n_records: u64,
    pub n_quarantined: u64,
}

/// What became of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestReport {
    pub object_id: ObjectId,
    pub location: String,
    /// The table its records are in.
    pub table: &'static str,
    /// The same content was ingested before; the counts are of then.
    pub duplicate: bool,
    pub n_records: u64,
    pub n_quarantined: u64,
    /// Records whose event time is later than the object was received: some clock is wrong. They are kept.
    pub n_future: u64,
    /// As delivered.
    pub size_bytes: u64,
    /// Decompressed; 0 for a duplicate.
    pub raw_bytes: u64,
    /// How many records each reason quarantined. After twenty different ones, the rest is counted as one.
    pub reasons: BTreeMap<String, u64>,
}

/// Different reasons an [`IngestReport`] tells apart.
const MAX_REASONS: usize = 20;

/// Ingests an object, or recognises that it was ingested before. Safe to call again after any failure.
pub async fn ingest_object(
    deps: &IngestDeps,
    received: &ObjectReceived,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<IngestReport, Error> {
    let location = &received.location;
    let source = match received.source.as_str() {
        "auto" => None,
        name => Some(
            LogSource::parse(name)
                .ok_or_else(|| Error::UnknownSource { location: location.clone(), log_source: name.to_owned() })?,
        ),
    };
    let object = hash_object(deps, location).await?;
    if let Some(earlier) = deps.ingests.object(&object.object_id).await? {
        return Ok(report_duplicate(&earlier, location));
    }
    let context = ObjectContext {
        object_id: object.object_id.clone(),
        location: location.clone(),
        received_at: received.received_at,
        source,
        only_offsets: None,
    };
    ingest_parts(deps, object, context, progress).await
}

/// Reads an object, commits its parts one after the other, and records that it is done.
pub(crate) async fn ingest_parts(
    deps: &IngestDeps,
    object: HashedObject,
    context: ObjectContext,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<IngestReport, Error> {
    let size_bytes = object.size_bytes;
    let mut report = IngestReport {
        object_id: context.object_id.clone(),
        location: context.location.clone(),
        table: "",
        duplicate: false,
        n_records: 0,
        n_quarantined: 0,
        n_future: 0,
        size_bytes,
        raw_bytes: 0,
        reasons: BTreeMap::new(),
    };
    let mut parts = Parts::read(deps, object, context.clone());
    while let Some(part) = parts.next().await {
        let part = Arc::new(part);
        commit_part(deps, &context.object_id, &context.location, &part).await?;
        write_quarantine(deps, &context, &part).await?;
        report.add(&part);
        progress(report.progress());
    }
    let summary = parts.finish().await?;
    report.raw_bytes = summary.raw_bytes;
    report.table = catalogue().table_of(summary.log_source).map_or("", |table| table.name);
    let ingested = IngestedObject {
        object_id: context.object_id,
        location: context.location,
        table: report.table.to_owned(),
        size_bytes,
        n_records: report.n_records,
        n_quarantined: report.n_quarantined,
        ingested_at: deps.clock.now(),
    };
    deps.ingests.record_object(&ingested).await?;
    Ok(report)
}

impl IngestReport {
    fn add(&mut self, part: &Part) {
        self.n_records += part.records.num_rows() as u64;
        self.n_quarantined += part.quarantined.len() as u64;
        self.n_future += part.n_future;
        self.raw_bytes += part.raw_bytes;
        for quarantined in &part.quarantined {
            let is_new = !self.reasons.contains_key(&quarantined.reason);
            let reason =
                if is_new && self.reasons.len() >= MAX_REASONS { "other reasons" } else { &quarantined.reason };
            *self.reasons.entry(reason.to_owned()).or_default() += 1;
        }
    }

    fn progress(&self) -> Progress {
        Progress { raw_bytes: self.raw_bytes, n_records: self.n_records, n_quarantined: self.n_quarantined }
    }
}

fn report_duplicate(earlier: &IngestedObject, location: &str) -> IngestReport {
    IngestReport {
        object_id: earlier.object_id.clone(),
        location: location.to_owned(),
        table: catalogue().table(&earlier.table).map_or("", |table| table.name),
        duplicate: true,
        n_records: earlier.n_records,
        n_quarantined: earlier.n_quarantined,
        n_future: 0,
        size_bytes: earlier.size_bytes,
        raw_bytes: 0,
        reasons: BTreeMap::new(),
    }
}
