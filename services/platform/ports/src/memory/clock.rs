//! A clock that stands still until a test moves it.

use super::locked;
use crate::Clock;
use mantissa_contracts::time::{Instant, to_millis};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Clones share the same time.
#[derive(Debug, Clone)]
pub struct TestClock {
    now: Arc<Mutex<Instant>>,
}

impl TestClock {
    pub fn new(now: Instant) -> Self {
        Self { now: Arc::new(Mutex::new(to_millis(now))) }
    }

    /// The next calls of `now` return this, also when it is in the past.
    pub fn set(&self, now: Instant) {
        *locked(&self.now) = to_millis(now);
    }

    pub fn advance(&self, by: Duration) {
        let mut now = locked(&self.now);
        *now = to_millis(*now + by);
    }
}

impl Default for TestClock {
    /// 2026-03-01T12:00:00Z, a time in the middle of a day, a month and a year.
    fn default() -> Self {
        Self::new(Instant::from_timestamp_millis(1_772_366_400_000).unwrap_or(Instant::UNIX_EPOCH))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        *locked(&self.now)
    }
}
