//! A whole day in objects, in the order in which they would arrive.

use crate::GeneratedObject;
use crate::baseline::baseline_lines;
use crate::line::Line;
use crate::scenarios::day_lines;
use crate::write_objects::write_objects;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoDayOptions {
    /// 100 makes about 170,000 records. Attacks are the same whatever the volume.
    pub volume_percent: u32,
    pub attacks: bool,
    /// Every source delivers this often; CloudTrail does about every 5 minutes. Fewer, larger objects ingest faster.
    pub delivery_minutes: u32,
    /// Nothing at or after this moment is made; for a day that is not over yet.
    pub until: Option<DateTime<Utc>>,
}

impl Default for DemoDayOptions {
    fn default() -> Self {
        Self { volume_percent: 100, attacks: true, delivery_minutes: 15, until: None }
    }
}

/// The objects of a day, one after the other; at most one delivery is held in memory.
#[derive(Debug)]
pub struct DemoDay {
    seed: u64,
    options: DemoDayOptions,
    next_delivery: DateTime<Utc>,
    end: DateTime<Utc>,
    attack_lines: Vec<Line>,
    ready: std::vec::IntoIter<GeneratedObject>,
}

impl DemoDay {
    pub fn generate(seed: u64, date: NaiveDate, options: DemoDayOptions) -> Self {
        let start = date.and_time(NaiveTime::MIN).and_utc();
        let day_end = start + TimeDelta::days(1);
        let end = options.until.map_or(day_end, |until| until.min(day_end));
        let mut attack_lines = if options.attacks { day_lines(seed, date) } else { Vec::new() };
        attack_lines.retain(|line| line.at < end);
        Self { seed, options, next_delivery: start, end, attack_lines, ready: Vec::new().into_iter() }
    }
}

impl Iterator for DemoDay {
    type Item = GeneratedObject;

    fn next(&mut self) -> Option<GeneratedObject> {
        loop {
            if let Some(object) = self.ready.next() {
                return Some(object);
            }
            if self.next_delivery >= self.end {
                return None;
            }
            let from = self.next_delivery;
            self.next_delivery = from + TimeDelta::minutes(i64::from(self.options.delivery_minutes.max(1)));
            let to = self.next_delivery.min(self.end);
            let mut lines = baseline_lines(self.seed, from, to, u64::from(self.options.volume_percent));
            lines.extend(self.attack_lines.extract_if(.., |line| from <= line.at && line.at < to));
            self.ready = write_objects(lines, to, self.seed).into_iter();
        }
    }
}
