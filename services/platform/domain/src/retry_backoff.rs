//! How long to wait before trying something again.

use chrono::TimeDelta;

/// Doubles from `first` with every attempt (1 for the first), up to `longest`. No jitter: callers that contend
/// for a provider add their own.
pub fn exponential(first: TimeDelta, longest: TimeDelta, attempt: u32) -> TimeDelta {
    let factor = 1_i32.checked_shl(attempt.saturating_sub(1).min(30)).unwrap_or(i32::MAX);
    first.checked_mul(factor).map_or(longest, |wait| wait.min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_longest() {
        let wait = |attempt| exponential(TimeDelta::seconds(5), TimeDelta::seconds(600), attempt).num_seconds();
        assert_eq!([wait(1), wait(2), wait(3), wait(8), wait(4_000_000)], [5, 10, 20, 600, 600]);
    }
}
