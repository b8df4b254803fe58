//! Which window of ingestion time a rule is to be judged over next.

use chrono::TimeDelta;
use mantissa_contracts::time::{Instant, TimeWindow};

/// How a rule's schedule is cut into windows.
#[derive(Debug, Clone, Copy)]
pub struct WindowPolicy {
    /// The rule's interval: a window is due once this much is sealed.
    pub every: TimeDelta,
    /// After an outage windows are merged up to this length, so that catching up is bounded in steps.
    pub longest: TimeDelta,
}

/// The next window of a rule planned up to `planned_to`, when ingestion time is sealed up to `sealed_to`.
///
/// Windows are contiguous and never pass the seal: nothing can still appear inside one. `None` while less than
/// the rule's interval is sealed.
pub fn next_window(planned_to: Instant, sealed_to: Instant, policy: WindowPolicy) -> Option<TimeWindow> {
    if sealed_to - planned_to < policy.every.max(TimeDelta::milliseconds(1)) {
        return None;
    }
    let longest = policy.longest.max(policy.every);
    Some(TimeWindow::new(planned_to, sealed_to.min(planned_to + longest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Instant {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    const POLICY: WindowPolicy = WindowPolicy { every: TimeDelta::seconds(60), longest: TimeDelta::seconds(3600) };

    #[test]
    fn nothing_is_due_before_the_interval_is_sealed() {
        assert_eq!(next_window(at(0), at(59), POLICY), None);
        assert_eq!(next_window(at(100), at(0), POLICY), None);
    }

    #[test]
    fn window_ends_at_the_seal() {
        assert_eq!(next_window(at(0), at(75), POLICY), Some(TimeWindow::new(at(0), at(75))));
    }

    #[test]
    fn outage_is_caught_up_oldest_first_in_bounded_steps() {
        let sealed = at(26 * 3600);
        let mut planned_to = at(0);
        let mut n_windows = 0;
        while let Some(window) = next_window(planned_to, sealed, POLICY) {
            assert_eq!(window.from, planned_to);
            assert!(window.to - window.from <= POLICY.longest);
            planned_to = window.to;
            n_windows += 1;
        }
        assert_eq!((planned_to, n_windows), (sealed, 26));
    }

    proptest! {
        #[test]
        fn windows_tile_time_without_gap_or_overlap(steps in proptest::collection::vec(0_i64..10_000, 1..50)) {
            let mut planned_to = at(0);
            let mut sealed = at(0);
            for step in steps {
                sealed += TimeDelta::seconds(step);
                while let Some(window) = next_window(planned_to, sealed, POLICY) {
                    prop_assert_eq!(window.from, planned_to);
                    prop_assert!(window.to > window.from && window.to <= sealed);
                    planned_to = window.to;
                }
                prop_assert!(sealed - planned_to < POLICY.every);
            }
        }
    }
}
