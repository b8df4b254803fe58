//! Threshold rules: how many, how many different, or how much, within a sliding window of event time.
//!
//! Invariants: an event counts once however often it was delivered, at its first arrival; the verdict depends on event
//! times only, not on the order of arrival; of a run with a window only those anchors are reported whose own window
//! holds an event that the run's window brought, so late events judge again exactly what they touch.
//!
//! An anchor is an event; its window is the half-open span `(event_time - within, event_time]` of its alert key. Lake
//! timestamps are whole milliseconds, so the closed frame that begins a millisecond later is the same set.

use crate::query_bounds::QueryBounds;
use crate::sql_text::{interval, timestamp};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    pub measure: Measure,
    pub within: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// Events, `at_least` so many.
    Count { at_least: u64 },
    /// Different values of a field, `at_least` so many.
    Distinct { field: String, at_least: u64 },
    /// A field's values together, more than `over`.
    Sum { field: String, over: u64 },
}

/// What a threshold query is made of, beside the threshold.
pub(crate) struct ThresholdParts<'a> {
    pub(crate) table: &'a str,
    /// The rule's predicate, already free of exceptions.
    pub(crate) predicate: &'a str,
    /// Alert key: alias and SQL.
    pub(crate) keys: Vec<(&'a str, &'a str)>,
    /// Title fields: alias and SQL, without those made of the count.
    pub(crate) fields: Vec<(&'a str, &'a str)>,
    /// SQL of the value that is counted or summed.
    pub(crate) measured: Option<&'a str>,
    /// The columns of the result, in order.
    pub(crate) output: &'a str,
}

impl Threshold {
    pub(crate) fn query(&self, parts: &ThresholdParts<'_>, bounds: &QueryBounds) -> String {
        let aliases: Vec<&str> = parts.keys.iter().chain(&parts.fields).map(|(alias, _)| *alias).collect();
        let carried = list_after(&aliases);
        let columns: String =
            parts.keys.iter().chain(&parts.fields).map(|(alias, sql)| format!(", {sql} AS {alias}")).collect();
        let measured = parts.measured.unwrap_or("CAST(NULL AS VARCHAR)");
        let mut terms = bounds.terms_within(self.within);
        terms.push(parts.predicate.to_owned());
        let is_new = match bounds.window {
            Some(window) => format!("CASE WHEN ingested_at >= {} THEN 1 ELSE 0 END", timestamp(window.from)),
            None => "1".to_owned(),
        };
        let events = format!(
            "WITH matching AS (SELECT event_id, event_time, ingested_at, raw{columns}, {measured} AS measured, \
             ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY ingested_at, source_object) AS copy_number \
             FROM {table} WHERE {terms}), \
             events AS (SELECT event_id, event_time, raw{carried}, measured, {is_new} AS is_new \
             FROM matching WHERE copy_number = 1)",
            table = parts.table,
            terms = terms.join(" AND "),
        );
        let key_aliases: Vec<&str> = parts.keys.iter().map(|(alias, _)| *alias).collect();
        let counted = match self.measure {
            Measure::Distinct { .. } => self.distinct(&key_aliases, &carried, parts),
            Measure::Count { .. } | Measure::Sum { .. } => {
                let recent = self.recent(&key_aliases);
                let total = match self.measure {
                    Measure::Sum { .. } => format!(", SUM(measured) {recent} AS total"),
                    _ => String::new(),
                };
                format!(
                    "counted AS (SELECT event_id, event_time, raw{carried}, COUNT(*) {recent} AS n_events, \
                     MAX(is_new) {recent} AS n_new{total} FROM events)"
                )
            }
        };
        let mut reached = vec![match &self.measure {
            Measure::Count { at_least } | Measure::Distinct { at_least, .. } => format!("n_events >= {at_least}"),
            Measure::Sum { over, .. } => format!("total > {over}"),
        }];
        reached.push("n_new = 1".to_owned());
        reached.push("event_id IS NOT NULL".to_owned());
        reached.extend(bounds.anchor_terms());
        format!("{events}, {counted} SELECT {} FROM counted WHERE {}", parts.output, reached.join(" AND "))
    }

    /// The window of each event, as a window frame.
    fn recent(&self, keys: &[&str]) -> String {
        let frame = interval(self.within.saturating_sub(Duration::from_millis(1)));
        format!("OVER ({}ORDER BY event_time RANGE BETWEEN {frame} PRECEDING AND CURRENT ROW)", partition_by(keys))
    }

    /// Distinct values, without comparing events in pairs: a value is in the window of every instant from one of its
    /// events until `within` later. Where those spans of one value join, only the first beginning and the last end
    /// count: one step up, one step down. The sum of all steps so far is the number of values in the window.
    fn distinct(&self, keys: &[&str], carried: &str, parts: &ThresholdParts<'_>) -> String {
        let within = interval(self.within);
        let recent = self.recent(keys);
        let mut of_value = keys.to_vec();
        of_value.push("measured");
        let of_value = format!("OVER ({}ORDER BY event_time, event_id)", partition_by(&of_value));
        let key_list = list_after(keys);
        let no_fields = ", CAST(NULL AS VARCHAR)".repeat(parts.fields.len());
        let partition = partition_by(keys);
        format!(
            "spans AS (SELECT event_id, event_time, raw{carried}, measured, MAX(is_new) {recent} AS n_new, \
             LAG(event_time) {of_value} AS time_before, LEAD(event_time) {of_value} AS time_after FROM events), \
             steps AS (SELECT event_id, event_time, raw{carried}, n_new, CASE WHEN measured IS NOT NULL \
             AND (time_before IS NULL OR event_time >= time_before + {within}) THEN 1 ELSE 0 END AS step FROM spans \
             UNION ALL SELECT CAST(NULL AS VARCHAR), event_time + {within}, CAST(NULL AS VARCHAR){key_list}{no_fields}, \
             0, -1 FROM spans WHERE measured IS NOT NULL \
             AND (time_after IS NULL OR time_after >= event_time + {within})), \
             counted AS (SELECT event_id, event_time, raw{carried}, n_new, SUM(step) OVER ({partition}ORDER BY event_time \
             RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n_events FROM steps)"
        )
    }
}

fn partition_by(columns: &[&str]) -> String {
    if columns.is_empty() { String::new() } else { format!("PARTITION BY {} ", columns.join(", ")) }
}

fn list_after(columns: &[&str]) -> String {
    columns.iter().map(|column| format!(", {column}")).collect()
}
