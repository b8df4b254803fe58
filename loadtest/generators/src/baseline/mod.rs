//! What happens on any day: work, machines, customers, and the noise of the internet.
//!
//! It is made minute by minute, each from its own random numbers, so a span may be cut anywhere and the
//! pieces together give the same records as the whole.

mod hosts;
mod management_calls;
mod network;

use crate::line::Line;
use crate::seeded_random::SeededRandom;
use chrono::{DateTime, TimeDelta, Timelike, Utc};

/// Traffic of each hour, in thousandths of the daily average.
const HOURS: [u64; 24] = [
    420, 360, 330, 320, 340, 430, 680, 1080, 1430, 1620, 1690, 1640, 1520, 1590, 1660, 1630, 1520, 1320, 1080, 900,
    780, 690, 590, 490,
];

/// Records of `[from, to)`. `volume_percent` of 100 makes about 170,000 a day.
pub(crate) fn baseline_lines(seed: u64, from: DateTime<Utc>, to: DateTime<Utc>, volume_percent: u64) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut minute = from - TimeDelta::seconds(from.timestamp().rem_euclid(60));
    minute -= TimeDelta::nanoseconds(i64::from(minute.nanosecond()));
    while minute < to {
        let mut random = SeededRandom::new(&[seed, u64::try_from(minute.timestamp()).unwrap_or(0), 0x6261_7365]);
        let mut cell = Cell { minute, volume_percent, random: &mut random, lines: &mut lines };
        management_calls::add(&mut cell);
        network::add(&mut cell);
        hosts::add(&mut cell);
        minute += TimeDelta::minutes(1);
    }
    lines.retain(|line| from <= line.at && line.at < to);
    lines
}

/// One minute being filled.
struct Cell<'a> {
    minute: DateTime<Utc>,
    volume_percent: u64,
    random: &'a mut SeededRandom,
    lines: &'a mut Vec<Line>,
}

impl Cell<'_> {
    /// How many of something this minute, given how many a minute has over the day, in tenths.
    fn how_many(&mut self, tenths_per_minute: u64) -> u64 {
        let hour = HOURS[self.minute.hour() as usize % 24];
        let thousandths = tenths_per_minute * hour * self.volume_percent / 1000;
        let varied = thousandths * self.random.between(700, 1300) / 1000;
        varied / 1000 + u64::from(self.random.chance(varied % 1000))
    }

    fn moment(&mut self) -> DateTime<Utc> {
        let second = i64::try_from(self.random.below(60)).unwrap_or(0);
        self.minute + TimeDelta::seconds(second)
    }

    /// A customer or another stranger without bad intent.
    fn outside_address(&mut self) -> String {
        format!("198.18.{}.{}", self.random.below(240), self.random.between(1, 255))
    }
}
