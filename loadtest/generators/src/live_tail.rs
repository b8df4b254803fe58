//! What arrives between two moments: ordinary work, and now and then an attack.

use crate::GeneratedObject;
use crate::baseline::baseline_lines;
use crate::scenarios::{Attack, play_live};
use crate::write_objects::write_objects;
use chrono::{DateTime, TimeDelta, Utc};

/// One attack begins in each slot of this length.
const SLOT_MINUTES: i64 = 7;
/// The longest scenario lasts less than this.
pub(crate) const LONGEST_ATTACK_MINUTES: i64 = 30;

/// Spans may be asked for in any size and order; the records of a moment are always the same, so spans that
/// follow each other neither overlap nor leave a gap. Keys hold the end of the span.
#[derive(Debug, Clone)]
pub struct LiveTail {
    seed: u64,
    volume_percent: u32,
}

impl LiveTail {
    /// `volume_percent` of 100 makes about 120 records a minute.
    pub fn new(seed: u64, volume_percent: u32) -> Self {
        Self { seed, volume_percent }
    }

    /// Objects with the records of `[from, to)`; none where there are no records.
    pub fn objects(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<GeneratedObject> {
        let mut lines = baseline_lines(self.seed, from, to, u64::from(self.volume_percent));
        let earliest = from - TimeDelta::minutes(LONGEST_ATTACK_MINUTES);
        for start in slot_starts(earliest, to) {
            let (_, played) = play_live(self.seed, start);
            lines.extend(played.into_iter().filter(|line| from <= line.at && line.at < to));
        }
        write_objects(lines, to, self.seed)
    }

    /// The attacks that begin in `[from, to)`.
    pub fn attacks(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Attack> {
        let starts = slot_starts(from, to).filter(|start| from <= *start);
        starts.map(|start| play_live(self.seed, start).0).collect()
    }
}

/// Starts of the slots that begin before `to` and do not end before `from`.
fn slot_starts(from: DateTime<Utc>, to: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    let slot_seconds = SLOT_MINUTES * 60;
    let first = from.timestamp().div_euclid(slot_seconds);
    let last = to.timestamp().div_euclid(slot_seconds);
    (first..=last)
        .filter_map(move |slot| DateTime::from_timestamp(slot * slot_seconds, 0))
        .filter(move |start| *start < to)
}
