//! What a query run looks at: a span of ingestion time, and the event times that prune partitions.

use crate::sql_text::timestamp;
use chrono::{Datelike, NaiveDate, TimeDelta};
use mantissa_contracts::time::{Instant, TimeWindow};
use std::time::Duration;

/// All bounds are the caller's: no SQL of ours reads a clock, so the same run can be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryBounds {
    /// Half-open span of `ingested_at` to judge; absent to judge whatever is in the lake.
    pub window: Option<TimeWindow>,
    /// Earliest event time (closed).
    pub event_from: Option<Instant>,
    /// Latest event time (closed).
    pub event_to: Option<Instant>,
}

/// Longer spans are pruned by the year only; the bound on `event_time` is exact in any case.
const MAX_MONTHS: i32 = 24;

impl QueryBounds {
    /// Judges everything in the lake.
    pub fn unbounded() -> Self {
        Self::default()
    }

    /// Terms for one table, to be joined by AND.
    pub(crate) fn terms(&self) -> Vec<String> {
        let mut terms = Vec::new();
        if let Some(window) = self.window {
            terms.push(format!("ingested_at >= {}", timestamp(window.from)));
            terms.push(format!("ingested_at < {}", timestamp(window.to)));
        }
        terms.extend(self.event_terms());
        terms
    }

    /// Terms for a table whose events lie in sliding windows of `within`: everything a window that touches the bounds
    /// may hold. What was ingested before the judged span belongs to those windows, so there is no lower bound.
    pub(crate) fn terms_within(&self, within: Duration) -> Vec<String> {
        let mut terms = Vec::new();
        if let Some(window) = self.window {
            terms.push(format!("ingested_at < {}", timestamp(window.to)));
        }
        let within = TimeDelta::from_std(within).unwrap_or(TimeDelta::MAX);
        let after = if self.window.is_some() { within } else { TimeDelta::zero() };
        let wider = Self {
            window: None,
            event_from: self.event_from.and_then(|from| from.checked_sub_signed(within)),
            event_to: self.event_to.and_then(|to| to.checked_add_signed(after)),
        };
        terms.extend(wider.event_terms());
        terms
    }

    fn event_terms(&self) -> Vec<String> {
        let mut terms = partition_terms(self.event_from, self.event_to);
        terms.extend(self.event_from.map(|from| format!("event_time >= {}", timestamp(from))));
        terms.extend(self.event_to.map(|to| format!("event_time <= {}", timestamp(to))));
        terms
    }

    /// Whether an event time is inside, for anchors of a run without a window.
    pub(crate) fn anchor_terms(&self) -> Vec<String> {
        if self.window.is_some() {
            return Vec::new();
        }
        let from = self.event_from.map(|from| format!("event_time >= {}", timestamp(from)));
        let to = self.event_to.map(|to| format!("event_time <= {}", timestamp(to)));
        from.into_iter().chain(to).collect()
    }
}

/// Plain comparisons of the partition columns: the one form every engine prunes by.
fn partition_terms(from: Option<Instant>, to: Option<Instant>) -> Vec<String> {
    let year = |date: NaiveDate| format!("{:04}", date.year());
    let (from, to) = match (from.map(|at| at.date_naive()), to.map(|at| at.date_naive())) {
        (None, None) => return Vec::new(),
        (Some(from), None) => return vec![format!("year >= '{}'", year(from))],
        (None, Some(to)) => return vec![format!("year <= '{}'", year(to))],
        (Some(from), Some(to)) => (from, to),
    };
    let n_months = (to.year() - from.year()) * 12 + to.month0() as i32 - from.month0() as i32 + 1;
    if !(1..=MAX_MONTHS).contains(&n_months) {
        return vec![format!("year >= '{}'", year(from)), format!("year <= '{}'", year(to))];
    }
    let mut months = Vec::new();
    for n in 0..n_months {
        let month0 = from.month0() as i32 + n;
        let (at_year, at_month) = (from.year() + month0 / 12, month0 % 12 + 1);
        let mut term = format!("year = '{at_year:04}' AND month = '{at_month:02}'");
        let (is_first, is_last) = (n == 0, n == n_months - 1);
        if is_first && is_last && from.day() == to.day() {
            term.push_str(&format!(" AND day = '{:02}'", from.day()));
        } else {
            if is_first && from.day() > 1 {
                term.push_str(&format!(" AND day >= '{:02}'", from.day()));
            }
            if is_last {
                term.push_str(&format!(" AND day <= '{:02}'", to.day()));
            }
        }
        months.push(term);
    }
    match months.as_slice() {
        [only] => vec![only.clone()],
        many => vec![format!("(({}))", many.join(") OR ("))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn partitions(from: &str, to: &str) -> String {
        partition_terms(Some(at(from)), Some(at(to))).join(" AND ")
    }

    #[test]
    fn a_day_is_one_partition() {
        assert_eq!(
            partitions("2026-03-09T00:00:00Z", "2026-03-09T23:59:59.999Z"),
            "year = '2026' AND month = '03' AND day = '09'"
        );
    }

    #[test]
    fn a_span_over_new_year_names_both_months() {
        assert_eq!(
            partitions("2025-12-31T10:00:00Z", "2026-01-02T00:00:00Z"),
            "((year = '2025' AND month = '12' AND day >= '31') OR (year = '2026' AND month = '01' AND day <= '02'))"
        );
    }

    #[test]
    fn a_long_span_and_a_reversed_one_fall_back_to_years() {
        assert_eq!(partitions("2020-05-01T00:00:00Z", "2026-01-02T00:00:00Z"), "year >= '2020' AND year <= '2026'");
        assert_eq!(partitions("2026-05-01T00:00:00Z", "2026-01-02T00:00:00Z"), "year >= '2026' AND year <= '2026'");
    }

    #[test]
    fn the_window_is_half_open_and_event_times_are_closed() {
        let bounds = QueryBounds {
            window: Some(TimeWindow::new(at("2026-01-01T00:00:00Z"), at("2026-01-01T00:05:00Z"))),
            event_from: Some(at("2026-01-01T00:00:00.5Z")),
            event_to: None,
        };
        let terms = bounds.terms().join(" AND ");
        assert!(terms.contains("ingested_at >= TIMESTAMP '2026-01-01 00:00:00.000'"), "{terms}");
        assert!(terms.contains("ingested_at < TIMESTAMP '2026-01-01 00:05:00.000'"), "{terms}");
        assert!(terms.contains("event_time >= TIMESTAMP '2026-01-01 00:00:00.500'"), "{terms}");
    }
}
