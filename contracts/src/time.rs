//! Instants and half-open spans of time, in UTC, at the millisecond precision the lake stores.

use chrono::{DateTime, SubsecRound, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An instant in UTC; RFC 3339 on the wire.
pub type Instant = DateTime<Utc>;

/// Drops what is finer than a millisecond: the lake's timestamps are milliseconds on every engine.
pub fn to_millis(instant: Instant) -> Instant {
    instant.trunc_subsecs(3)
}

/// RFC 3339 with milliseconds and a `Z`: the one form in ids, logs and SQL comments.
pub fn format_instant(instant: Instant) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// A half-open span `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TimeWindow {
    /// First instant inside the window.
    pub from: Instant,
    /// First instant after the window.
    pub to: Instant,
}

impl TimeWindow {
    pub fn new(from: Instant, to: Instant) -> Self {
        Self { from, to }
    }

    pub fn contains(&self, instant: Instant) -> bool {
        self.from <= instant && instant < self.to
    }

    pub fn is_empty(&self) -> bool {
        self.from >= self.to
    }
}

impl fmt::Display for TimeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", format_instant(self.from), format_instant(self.to))
    }
}
