//! Whether and when a delivery is tried again. A pure function of its record, the last try and the time.

use crate::retry::Judgement;
use chrono::TimeDelta;
use mantissa_contracts::ids::DeliveryId;
use mantissa_contracts::messages::{AttemptOutcome, DeliveryState, DestinationType, Severity};
use mantissa_contracts::time::{Instant, to_millis};
use mantissa_ports::stores::{Attempt, DeliveryRecord};
use sha2::{Digest, Sha256};
use std::time::Duration;

const FIRST_BACKOFF: Duration = Duration::from_secs(2);
const BACKOFF_CAP: Duration = Duration::from_secs(600);
/// Three tries over 15 minutes: long enough for a key that is being rotated.
const AUTH_WAITS: [Duration; 2] = [Duration::from_secs(300), Duration::from_secs(600)];

const MAX_UNKNOWN_MAILS: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is where it should be, or need not be.
    Done {
        state: DeliveryState,
    },
    Again {
        at: Instant,
        state: DeliveryState,
    },
    /// No further try.
    Dead {
        why: &'static str,
    },
}

/// `record` is the delivery before this try.
pub(crate) fn plan_next(record: &DeliveryRecord, judgement: &Judgement, severity: Severity, now: Instant) -> Next {
    let number = next_attempt_number(record);
    let backoff = || backoff(&record.delivery_id, number, n_backed_off(record));
    let (wait, state) = match judgement.outcome {
        AttemptOutcome::Succeeded => return Next::Done { state: success_state(record.destination_type) },
        AttemptOutcome::Suppressed => return Next::Done { state: DeliveryState::Suppressed },
        AttemptOutcome::Permanent => return Next::Dead { why: "trying again cannot help" },
        AttemptOutcome::Gone => return Next::Dead { why: "the destination is gone" },
        AttemptOutcome::Auth => match AUTH_WAITS.get(n_trailing_auth(record)) {
            Some(wait) => (*wait, DeliveryState::Failed),
            None => return Next::Dead { why: "not authorized in three tries" },
        },
        AttemptOutcome::Throttled => (judgement.told_wait.unwrap_or_else(backoff), DeliveryState::Failed),
        AttemptOutcome::Transient => (backoff(), DeliveryState::Failed),
        AttemptOutcome::Unknown if is_repeated_enough(record) => {
            return Next::Dead { why: "three of its tries may have been taken" };
        }
        AttemptOutcome::Unknown => (backoff(), DeliveryState::Unknown),
    };
    // At the precision of clocks and stores: a message hidden until then must find the try due.
    let at = to_millis(now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(365)));
    if at > record.tried_since() + budget(severity) {
        return Next::Dead { why: "its time is used up" };
    }
    Next::Again { at, state }
}

/// How long a delivery is tried, from the creation of its record or from when a person replayed it.
pub(crate) fn budget(severity: Severity) -> TimeDelta {
    match severity {
        Severity::High | Severity::Critical => TimeDelta::hours(24),
        Severity::Info | Severity::Low | Severity::Medium => TimeDelta::hours(4),
    }
}

pub(crate) fn next_attempt_number(record: &DeliveryRecord) -> u32 {
    record.attempts.last().map_or(0, |attempt| attempt.number).saturating_add(1)
}

fn success_state(destination_type: DestinationType) -> DeliveryState {
    match destination_type {
        DestinationType::Slack => DeliveryState::Posted,
        DestinationType::Webhook => DeliveryState::Delivered,
        DestinationType::Email => DeliveryState::Accepted,
    }
}

/// Doubles from two seconds to ten minutes, then between half and all of it, by the delivery and the attempt: deliveries
/// that failed together do not come back together, and a replay computes the same wait.
fn backoff(delivery: &DeliveryId, attempt: u32, n_before: u32) -> Duration {
    let full = FIRST_BACKOFF.saturating_mul(1 << n_before.min(12)).min(BACKOFF_CAP);
    let digest = Sha256::digest(format!("{delivery}/{attempt}").as_bytes());
    let share = f64::from(u16::from_be_bytes([digest[0], digest[1]])) / f64::from(u16::MAX);
    full.mul_f64(0.5 + share / 2.0)
}

/// Waits that belong to authorization do not lengthen the next one. Those of throttling do, where no wait is told: mails.
fn n_backed_off(record: &DeliveryRecord) -> u32 {
    let backed_off = |outcome| match outcome {
        AttemptOutcome::Transient | AttemptOutcome::Unknown => true,
        AttemptOutcome::Throttled => record.destination_type == DestinationType::Email,
        _ => false,
    };
    counted_attempts(record).fold(0, |n, attempt| n + u32::from(backed_off(attempt.outcome)))
}

/// A mail has no key by which its receiver tells repetitions: a relay that never answers in time may deliver every one.
fn is_repeated_enough(record: &DeliveryRecord) -> bool {
    let unknown = counted_attempts(record).filter(|attempt| attempt.outcome == AttemptOutcome::Unknown);
    record.destination_type == DestinationType::Email && unknown.count() + 1 >= MAX_UNKNOWN_MAILS
}

fn n_trailing_auth(record: &DeliveryRecord) -> usize {
    counted_attempts(record).rev().take_while(|attempt| attempt.outcome == AttemptOutcome::Auth).count()
}

/// Tries from before a replay do not count against it.
fn counted_attempts(record: &DeliveryRecord) -> impl DoubleEndedIterator<Item = &Attempt> {
    record.attempts.iter().filter(|attempt| attempt.at >= record.tried_since())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::why::tests::record_of;

    fn after(outcomes: &[AttemptOutcome], outcome: AttemptOutcome, severity: Severity, hours: i64) -> Next {
        let record = record_of(outcomes);
        let now = record.created_at + TimeDelta::hours(hours);
        plan_next(&record, &Judgement::new(outcome, "x"), severity, now)
    }

    fn wait_s(next: &Next, hours: i64) -> i64 {
        match next {
            Next::Again { at, .. } => (*at - record_of(&[]).created_at - TimeDelta::hours(hours)).num_seconds(),
            other => panic!("expected another try, got {other:?}"),
        }
    }

    #[test]
    fn backoff_doubles_to_ten_minutes_and_jitters_by_delivery() {
        use AttemptOutcome::Transient;
        for (n, full) in [(0, 2), (1, 4), (4, 32), (8, 512), (9, 600), (30, 600)] {
            let wait = wait_s(&after(&vec![Transient; n], Transient, Severity::High, 0), 0);
            assert!(wait >= full / 2 && wait <= full, "{n}: {wait} s of {full} s");
        }
        let (one, two) = (DeliveryId::derive(&["1"]), DeliveryId::derive(&["2"]));
        assert_eq!(backoff(&one, 5, 4), backoff(&one, 5, 4));
        assert_ne!(backoff(&one, 5, 4), backoff(&two, 5, 4));
    }

    #[test]
    fn budget_is_a_day_for_high_and_four_hours_for_the_rest() {
        use AttemptOutcome::Transient;
        let dead = Next::Dead { why: "its time is used up" };
        assert_eq!(after(&[], Transient, Severity::Medium, 4), dead);
        assert_ne!(after(&[], Transient, Severity::Medium, 3), dead);
        assert_ne!(after(&[], Transient, Severity::High, 23), dead);
        assert_eq!(after(&[], Transient, Severity::Critical, 24), dead);
    }

    #[test]
    fn told_waits_are_kept_exactly_and_die_beyond_the_budget() {
        let record = record_of(&[AttemptOutcome::Throttled]);
        let told =
            |s| Judgement { told_wait: Some(Duration::from_secs(s)), ..Judgement::new(AttemptOutcome::Throttled, "x") };
        let next = plan_next(&record, &told(1234), Severity::Low, record.created_at);
        assert_eq!(wait_s(&next, 0), 1234);
        let next = plan_next(&record, &told(5 * 3600), Severity::Low, record.created_at);
        assert_eq!(next, Next::Dead { why: "its time is used up" });
    }

    #[test]
    fn authorization_is_tried_three_times_over_fifteen_minutes() {
        use AttemptOutcome::{Auth, Transient};
        assert_eq!(wait_s(&after(&[], Auth, Severity::High, 0), 0), 300);
        assert_eq!(wait_s(&after(&[Transient, Auth], Auth, Severity::High, 0), 0), 600);
        assert_eq!(after(&[Auth, Auth], Auth, Severity::High, 0), Next::Dead { why: "not authorized in three tries" });
    }

    #[test]
    fn replayed_delivery_has_its_whole_budget_again() {
        let mut record = record_of(&[AttemptOutcome::Auth, AttemptOutcome::Auth]);
        let reopened_at = record.created_at + TimeDelta::hours(30);
        record.reopened_at = Some(reopened_at);
        for (outcome, longest_s) in [(AttemptOutcome::Auth, 300), (AttemptOutcome::Transient, 2)] {
            match plan_next(&record, &Judgement::new(outcome, "x"), Severity::Low, reopened_at) {
                Next::Again { at, .. } => assert!((at - reopened_at).num_seconds() <= longest_s, "{outcome:?}: {at}"),
                other => panic!("expected another try, got {other:?}"),
            }
        }
    }

    #[test]
    fn mails_wait_longer_each_time_they_are_throttled_and_are_not_repeated_without_end() {
        use AttemptOutcome::{Throttled, Unknown};
        let after = |outcomes: &[AttemptOutcome], outcome| {
            let record = DeliveryRecord { destination_type: DestinationType::Email, ..record_of(outcomes) };
            plan_next(&record, &Judgement::new(outcome, "x"), Severity::High, record.created_at)
        };
        for (n, full) in [(0, 2), (4, 32), (9, 600), (30, 600)] {
            let wait = wait_s(&after(&vec![Throttled; n], Throttled), 0);
            assert!(wait >= full / 2 && wait <= full, "{n}: {wait} s of {full} s");
        }
        assert!(matches!(after(&[Unknown], Unknown), Next::Again { .. }));
        assert_eq!(after(&[Unknown; 2], Unknown), Next::Dead { why: "three of its tries may have been taken" });
    }

    #[test]
    fn unknown_is_sent_again_and_permanent_is_not() {
        assert!(matches!(
            after(&[], AttemptOutcome::Unknown, Severity::High, 0),
            Next::Again { state: DeliveryState::Unknown, .. }
        ));
        for outcome in [AttemptOutcome::Permanent, AttemptOutcome::Gone] {
            assert!(matches!(after(&[], outcome, Severity::High, 0), Next::Dead { .. }));
        }
    }
}
