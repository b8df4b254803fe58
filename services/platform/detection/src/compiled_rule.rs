//! A rule that is ready to be judged.

use crate::problem::{Problem, ProblemSeverity};
use crate::query_bounds::QueryBounds;
use crate::read_yaml::Position;
use crate::rule_tests::RuleTest;
use crate::sql_rule::SqlRule;
use crate::sql_text::{all_of, timestamp};
use crate::threshold::{Measure, Threshold, ThresholdParts};
use mantissa_contracts::messages::RuleRef;
use mantissa_contracts::time::Instant;
use mantissa_lake::catalogue::LogSource;
use std::time::Duration;

/// The name under which a title can use the number of events behind the match.
pub(crate) const N_EVENTS: &str = "n_events";

#[derive(Debug, Clone)]
pub struct CompiledRule {
    /// How messages name it. The version is the start of the SHA-256 of [`Self::yaml`].
    pub rule: RuleRef,
    pub path: String,
    /// The one document, as its author wrote it: compiling it again gives the same rule and version.
    pub yaml: String,
    pub description: Option<String>,
    pub references: Vec<String>,
    pub author: Option<String>,
    pub falsepositives: Vec<String>,
    pub status: Option<String>,
    pub log_source: LogSource,
    pub table: &'static str,
    pub enabled: bool,
    /// How often it is judged. Default by severity: 1 min for critical and high, 5 min for medium, 15 min for low,
    /// 1 h for info.
    pub every: Duration,
    /// How long matches attach to one alert, from the first match, in event time.
    pub dedup_window: Duration,
    pub kind: RuleKind,
    /// The alert key. Empty: one alert for the rule and dedup window.
    pub key_fields: Vec<KeyField>,
    pub title_fields: Vec<KeyField>,
    pub title_template: Option<String>,
    pub exceptions: Vec<Exception>,
    pub tests: Vec<RuleTest>,
    /// Warnings, and the errors that leave the rule degraded but running: a field that no column has.
    pub problems: Vec<Problem>,
    /// Where its id stands in its file.
    pub(crate) id_at: Position,
    /// What an event must satisfy, exceptions aside.
    pub(crate) predicate: String,
    /// SQL of the value a threshold counts or sums.
    pub(crate) measured: Option<String>,
}

#[derive(Debug, Clone)]
pub enum RuleKind {
    /// Every event that matches is a match.
    Event,
    Threshold(Threshold),
    /// The author's own SELECT.
    Sql(Box<SqlRule>),
}

/// A field that a query returns as text, and the column it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyField {
    /// As the rule names it.
    pub field: String,
    /// `k0`, `k1` … for the alert key, `f0`, `f1` … for the title.
    pub column_alias: String,
    /// Empty for the number of events, which each kind of rule makes its own way.
    pub(crate) sql: String,
}

impl KeyField {
    fn alias_and_sql(&self) -> (&str, &str) {
        (&self.column_alias, &self.sql)
    }
}

/// Events that are known and accepted until a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// First instant (in event time) at which it holds no more.
    pub until: Instant,
    pub owner: String,
    pub reason: String,
    pub(crate) predicate: String,
}

impl Exception {
    /// Two-valued, because it is negated.
    fn excludes(&self) -> String {
        format!("NOT COALESCE({} AND event_time < {}, FALSE)", self.predicate, timestamp(self.until))
    }
}

impl CompiledRule {
    /// Whether a problem leaves it running on less than it asks for.
    pub fn is_degraded(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == ProblemSeverity::Error)
    }

    /// The predicate over the rule's table, exceptions included: true exactly for the events that match, and false or
    /// NULL for the others. For an SQL rule, the exceptions only.
    pub fn predicate_sql(&self) -> String {
        let excluded: Vec<String> = self.exceptions.iter().map(Exception::excludes).collect();
        match excluded.is_empty() {
            true => self.predicate.clone(),
            false => format!("{} AND {}", self.predicate, all_of(&excluded)),
        }
    }

    /// The events that match, without bounds, for people to read.
    pub fn match_sql(&self) -> String {
        match &self.kind {
            RuleKind::Sql(rule) => rule.text().to_owned(),
            RuleKind::Event | RuleKind::Threshold(_) => {
                format!("SELECT event_id FROM {} WHERE {}", self.table, self.predicate_sql())
            }
        }
    }

    /// The query that judges the rule. Columns: `event_id`, `event_time`, `n_events`, `raw`, then `k0…` and `f0…`, all
    /// text but the time and the count.
    pub fn query(&self, bounds: &QueryBounds) -> String {
        match &self.kind {
            RuleKind::Event => {
                let mut terms = bounds.terms();
                terms.push(self.predicate_sql());
                let columns = self.columns(|field| if field.sql.is_empty() { "'1'" } else { &field.sql });
                format!(
                    "SELECT event_id, event_time, CAST(1 AS BIGINT) AS n_events, raw{columns} FROM {} WHERE {}",
                    self.table,
                    terms.join(" AND ")
                )
            }
            RuleKind::Threshold(threshold) => self.threshold_query(threshold, bounds),
            RuleKind::Sql(rule) => {
                let mut excluded = bounds.terms();
                excluded.extend(self.exceptions.iter().map(Exception::excludes));
                let n_events = if rule.returns(N_EVENTS) { "CAST(n_events AS BIGINT)" } else { "CAST(1 AS BIGINT)" };
                let raw = if rule.returns("raw") { "raw" } else { "CAST(NULL AS VARCHAR)" };
                let columns = self.columns(|field| if field.sql.is_empty() { "'1'" } else { &field.sql });
                format!(
                    "SELECT CAST(event_id AS VARCHAR) AS event_id, event_time, {n_events} AS n_events, {raw} AS raw{columns} \
                     FROM ({}) AS matched",
                    rule.bounded(self.table, &bounds.terms(), &excluded)
                )
            }
        }
    }

    fn threshold_query(&self, threshold: &Threshold, bounds: &QueryBounds) -> String {
        let output: String = self
            .key_fields
            .iter()
            .chain(&self.title_fields)
            .map(|field| match field.sql.is_empty() {
                true => format!(", CAST(n_events AS VARCHAR) AS {}", field.column_alias),
                false => format!(", {}", field.column_alias),
            })
            .collect();
        let measured = self.measured.as_deref().map(|sql| match threshold.measure {
            // Exact whatever the order, which floating point is not.
            Measure::Sum { .. } => format!("TRY_CAST({sql} AS DECIMAL(38, 6))"),
            Measure::Count { .. } | Measure::Distinct { .. } => sql.to_owned(),
        });
        let parts = ThresholdParts {
            table: self.table,
            predicate: &self.predicate_sql(),
            keys: self.key_fields.iter().map(KeyField::alias_and_sql).collect(),
            fields: self
                .title_fields
                .iter()
                .filter(|field| !field.sql.is_empty())
                .map(KeyField::alias_and_sql)
                .collect(),
            measured: measured.as_deref(),
            output: &format!("event_id, event_time, CAST(n_events AS BIGINT) AS n_events, raw{output}"),
        };
        threshold.query(&parts, bounds)
    }

    fn columns<'a>(&'a self, sql: impl Fn(&'a KeyField) -> &'a str) -> String {
        let fields = self.key_fields.iter().chain(&self.title_fields);
        fields.map(|field| format!(", {} AS {}", sql(field), field.column_alias)).collect()
    }
}
