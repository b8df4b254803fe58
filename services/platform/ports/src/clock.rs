//! Time, so that tests can set it.

use chrono::Utc;
use mantissa_contracts::time::{Instant, to_millis};

/// The current instant, in UTC, at millisecond precision. Two calls may return the same instant, and the
/// second may be earlier: wall clocks are set back.
pub trait Clock: Send + Sync {
    fn now(&self) -> Instant;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock everybody else takes the time from")]
    fn now(&self) -> Instant {
        to_millis(Utc::now())
    }
}
