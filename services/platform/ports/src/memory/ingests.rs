//! The record of ingestion in maps.

use super::locked;
use crate::PortError;
use crate::stores::{BeginOutcome, EventSpan, IngestStore, IngestedObject, LakeCommit};
use async_trait::async_trait;
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::{Instant, TimeWindow};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Mutex;

#[derive(Default)]
pub struct MemoryIngestStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    parts: HashMap<(ObjectId, u32), Part>,
    seals: HashMap<String, Instant>,
    objects: HashMap<ObjectId, IngestedObject>,
}

struct Part {
    commit: LakeCommit,
    complete: bool,
}

impl MemoryIngestStore {
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl IngestStore for MemoryIngestStore {
    async fn begin(&self, commit: &LakeCommit) -> Result<BeginOutcome, PortError> {
        let mut state = locked(&self.state);
        let key = (commit.object_id.clone(), commit.part);
        if state.parts.get(&key).is_some_and(|part| part.complete) {
            return Ok(BeginOutcome::AlreadyComplete);
        }
        if let Some(until) = state.seals.get(&commit.table).copied()
            && commit.stamp < until
        {
            return Ok(BeginOutcome::Sealed { until });
        }
        state.parts.insert(key, Part { commit: commit.clone(), complete: false });
        Ok(BeginOutcome::Begun)
    }

    async fn complete(&self, object: &ObjectId, part: u32, stamp: Instant) -> Result<bool, PortError> {
        let mut state = locked(&self.state);
        match state.parts.get_mut(&(object.clone(), part)) {
            Some(part) if part.commit.stamp == stamp => {
                part.complete = true;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn seal(&self, table: &str, until: Instant, lapsed_before: Instant) -> Result<Instant, PortError> {
        let mut state = locked(&self.state);
        // A lapsed intent is forgotten, so completing it finds nothing.
        state.parts.retain(|_, part| part.complete || part.commit.table != table || part.commit.stamp >= lapsed_before);
        let intents = state.parts.values().filter(|part| !part.complete && part.commit.table == table);
        let reachable = intents.map(|part| part.commit.stamp).min().map_or(until, |stamp| stamp.min(until));
        let sealed = state.seals.entry(table.to_owned()).or_insert(reachable);
        *sealed = reachable.max(*sealed);
        Ok(*sealed)
    }

    async fn event_span(&self, table: &str, window: TimeWindow) -> Result<Option<EventSpan>, PortError> {
        let state = locked(&self.state);
        let parts = state.parts.values().filter(|part| part.complete && part.commit.table == table);
        let spans = parts
            .map(|part| &part.commit)
            .filter(|commit| window.contains(commit.stamp))
            .map(|commit| EventSpan { from: commit.event_from, to: commit.event_to, n_records: commit.n_records });
        Ok(spans.reduce(|a, b| EventSpan {
            from: a.from.min(b.from),
            to: a.to.max(b.to),
            n_records: a.n_records + b.n_records,
        }))
    }

    async fn record_object(&self, object: &IngestedObject) -> Result<(), PortError> {
        locked(&self.state).objects.insert(object.object_id.clone(), object.clone());
        Ok(())
    }

    async fn object(&self, object: &ObjectId) -> Result<Option<IngestedObject>, PortError> {
        Ok(locked(&self.state).objects.get(object).cloned())
    }

    async fn objects(&self, limit: usize) -> Result<Vec<IngestedObject>, PortError> {
        let mut objects: Vec<_> = locked(&self.state).objects.values().cloned().collect();
        objects.sort_by_key(|object| Reverse((object.ingested_at, object.object_id.clone())));
        objects.truncate(limit);
        Ok(objects)
    }
}
