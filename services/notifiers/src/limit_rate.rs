//! Spaces out what goes to one channel. A notification that must wait is told when its turn is, and keeps the turn:
//! a crowd is served in the order it came, each asking once.
//!
//! The turns are this process's; after a restart they are given out anew.

use chrono::TimeDelta;
use mantissa_contracts::ids::DeliveryId;
use mantissa_contracts::time::Instant;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A turn not taken this long after it came is given up.
const TURN_KEPT: TimeDelta = TimeDelta::minutes(10);

#[derive(Debug, Default)]
pub(crate) struct RateLimiter {
    channels: Mutex<HashMap<String, Channel>>,
}

#[derive(Debug, Default)]
struct Channel {
    /// Before this, nothing is sent.
    free_at: Option<Instant>,
    turns: HashMap<DeliveryId, Instant>,
}

impl RateLimiter {
    /// `Err` says when this delivery's turn is.
    pub(crate) fn take(
        &self,
        channel: &str,
        delivery: DeliveryId,
        interval: Duration,
        now: Instant,
    ) -> Result<(), Instant> {
        let mut channels = self.lock();
        let channel = channels.entry(channel.to_owned()).or_default();
        channel.turns.retain(|_, turn| *turn + TURN_KEPT > now);
        if let Some(turn) = channel.turns.get(&delivery).copied() {
            if turn > now {
                return Err(turn);
            }
            channel.turns.remove(&delivery);
            return Ok(());
        }
        let turn = channel.free_at.map_or(now, |free_at| free_at.max(now));
        channel.free_at = Some(turn + TimeDelta::from_std(interval).unwrap_or_default());
        if turn > now {
            channel.turns.insert(delivery, turn);
            return Err(turn);
        }
        Ok(())
    }

    /// The receiver asked for a pause: nothing new is sent to the channel before `until`.
    pub(crate) fn pause(&self, channel: &str, until: Instant) {
        let mut channels = self.lock();
        let channel = channels.entry(channel.to_owned()).or_default();
        channel.free_at = Some(channel.free_at.map_or(until, |free_at| free_at.max(until)));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn delivery(n: u32) -> DeliveryId {
        DeliveryId::derive(&[&n.to_string()])
    }

    fn at(seconds: i64) -> Instant {
        "2026-01-01T00:00:00Z".parse::<Instant>().unwrap() + TimeDelta::seconds(seconds)
    }

    #[test]
    fn a_crowd_is_spaced_out_in_the_order_it_came() {
        let limiter = RateLimiter::default();
        assert_eq!(limiter.take("c", delivery(0), SECOND, at(0)), Ok(()));
        assert_eq!(limiter.take("c", delivery(1), SECOND, at(0)), Err(at(1)));
        assert_eq!(limiter.take("c", delivery(2), SECOND, at(0)), Err(at(2)));
        assert_eq!(limiter.take("c", delivery(1), SECOND, at(0)), Err(at(1)), "asking twice takes one turn");
        assert_eq!(limiter.take("c", delivery(2), SECOND, at(2)), Ok(()));
        assert_eq!(limiter.take("c", delivery(1), SECOND, at(2)), Ok(()));
        assert_eq!(limiter.take("c", delivery(3), SECOND, at(2)), Err(at(3)));
    }

    #[test]
    fn channels_do_not_wait_for_each_other() {
        let limiter = RateLimiter::default();
        assert_eq!(limiter.take("a", delivery(0), SECOND, at(0)), Ok(()));
        assert_eq!(limiter.take("b", delivery(1), SECOND, at(0)), Ok(()));
    }

    #[test]
    fn a_pause_the_receiver_asked_for_holds_the_whole_channel() {
        let limiter = RateLimiter::default();
        limiter.pause("c", at(30));
        assert_eq!(limiter.take("c", delivery(0), SECOND, at(0)), Err(at(30)));
        assert_eq!(limiter.take("c", delivery(0), SECOND, at(30)), Ok(()));
    }
}
