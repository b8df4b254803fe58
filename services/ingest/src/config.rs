//! The stage's settings.

use chrono::TimeDelta;
use mantissa_lake::compact::CompactLimits;
use mantissa_lake::parse::PartLimits;

#[derive(Debug, Clone)]
pub struct IngestConfig {
    pub part_limits: PartLimits,
    /// Objects of one receive that are read at the same time.
    pub n_concurrent: usize,
    /// Objects up to this size are read once, into memory; larger ones are read twice, first for their digest.
    pub held_bytes: u64,
    pub compact_limits: CompactLimits,
    /// Files younger than this are not compacted: their part may not be complete.
    pub compact_after: TimeDelta,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            part_limits: PartLimits::default(),
            n_concurrent: 2,
            held_bytes: 16 * 1024 * 1024,
            compact_limits: CompactLimits::default(),
            compact_after: TimeDelta::hours(1),
        }
    }
}
