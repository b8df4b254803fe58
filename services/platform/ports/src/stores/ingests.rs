//! What was ingested, and up to where ingestion time is sealed.

use crate::PortError;
use async_trait::async_trait;
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::{Instant, TimeWindow};
use serde::{Deserialize, Serialize};

/// The intent to make a batch of records visible in the lake, all stamped with one ingestion time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeCommit {
    pub object_id: ObjectId,
    /// Large objects are committed in parts, numbered from 0.
    pub part: u32,
    pub table: String,
    /// The `ingested_at` of every record of the part.
    pub stamp: Instant,
    /// Event times the records lie in (closed).
    pub event_from: Instant,
    pub event_to: Instant,
    pub n_records: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BeginOutcome {
    /// Go on: write the files, then complete.
    Begun,
    /// This part of this object is in the lake already.
    AlreadyComplete,
    /// Ingestion time is sealed up to here: take a stamp that is not before it.
    Sealed { until: Instant },
}

/// Event times of the records ingested in a window (closed span).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSpan {
    pub from: Instant,
    pub to: Instant,
    pub n_records: u64,
}

/// A raw object that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestedObject {
    pub object_id: ObjectId,
    pub location: String,
    /// The table its records are in; empty when nothing of it could be read.
    pub table: String,
    pub size_bytes: u64,
    pub n_records: u64,
    pub n_quarantined: u64,
    pub ingested_at: Instant,
}

/// The record of ingestion: which objects, and the seal that makes windows of ingestion time closed.
///
/// A window may be judged only when no further record can appear in it. So a part is committed in three steps:
/// [`begin`](IngestStore::begin) with its stamp, write the files, [`complete`](IngestStore::complete); and the scheduler
/// [`seal`](IngestStore::seal)s ingestion time before it plans windows.
///
/// - `begin` with a stamp before the table's seal is refused with the seal, and changes nothing.
/// - `begin` of a part that was begun and not completed replaces the earlier intent.
/// - `begin` of a completed part returns `AlreadyComplete`.
///   A part that was completed stays complete whatever is sealed later.
/// - `seal` returns how far the table is sealed now: `until`, or the earliest stamp that was begun and not completed, if
///   that is earlier. The seal never moves back.
/// - An intent whose stamp is before `lapsed_before` does not hold the seal; completing it afterwards returns `false`,
///   and its records must be stamped and written again.
/// - `complete` returns `true` when that part is complete with that stamp, also when it was already.
/// - [`event_span`](IngestStore::event_span) covers every part completed with a stamp in the window, `None` when there is
///   none.
/// - [`record_object`](IngestStore::record_object) replaces the object's earlier record.
#[async_trait]
pub trait IngestStore: Send + Sync {
    async fn begin(&self, commit: &LakeCommit) -> Result<BeginOutcome, PortError>;

    async fn complete(&self, object: &ObjectId, part: u32, stamp: Instant) -> Result<bool, PortError>;

    async fn seal(&self, table: &str, until: Instant, lapsed_before: Instant) -> Result<Instant, PortError>;

    async fn event_span(&self, table: &str, window: TimeWindow) -> Result<Option<EventSpan>, PortError>;

    async fn record_object(&self, object: &IngestedObject) -> Result<(), PortError>;

    async fn object(&self, object: &ObjectId) -> Result<Option<IngestedObject>, PortError>;

    /// The newest objects, by ingestion time and then id, descending.
    async fn objects(&self, limit: usize) -> Result<Vec<IngestedObject>, PortError>;
}
