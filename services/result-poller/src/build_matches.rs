//! Rows of a result → matches.

use crate::Error;
use chrono::NaiveDateTime;
use mantissa_contracts::ids::MatchId;
use mantissa_contracts::messages::{Evidence, KeyPart, QueryRequested, RuleMatched};
use mantissa_contracts::time::Instant;
use mantissa_detection::{CompiledRule, render_title};
use mantissa_domain::alert_key;
use mantissa_ports::{Column, ResultPage};
use std::collections::HashSet;

/// Characters of one record that travel with a match; the lake has the whole record.
const MAX_RAW_CHARS: usize = 16 * 1024;
/// Characters of one value of the alert key.
const MAX_KEY_CHARS: usize = 1024;

/// Builds matches over the pages of one result; an event the lake holds twice matches once.
pub struct MatchBuilder<'a> {
    rule: &'a CompiledRule,
    request: &'a QueryRequested,
    seen: HashSet<MatchId>,
    title_failure: Option<String>,
}

impl<'a> MatchBuilder<'a> {
    pub fn new(rule: &'a CompiledRule, request: &'a QueryRequested) -> Self {
        Self { rule, request, seen: HashSet::new(), title_failure: None }
    }

    pub fn n_matches(&self) -> u64 {
        self.seen.len() as u64
    }

    /// Why the title template could not be rendered, where it could not.
    pub fn title_failure(&self) -> Option<&str> {
        self.title_failure.as_deref()
    }

    /// The matches of a page that earlier pages did not have.
    pub fn build(&mut self, page: &ResultPage) -> Result<Vec<RuleMatched>, Error> {
        let columns = ColumnIndexes::find(self.rule, &page.columns)?;
        let mut matches = Vec::new();
        for row in &page.rows {
            let rule_match = self.build_one(&columns, row)?;
            if self.seen.insert(rule_match.match_id) {
                matches.push(rule_match);
            }
        }
        Ok(matches)
    }

    fn build_one(&mut self, columns: &ColumnIndexes, row: &[Option<String>]) -> Result<RuleMatched, Error> {
        let text = |index: usize| row.get(index).and_then(Option::as_deref);
        let event_id = text(columns.event_id).ok_or_else(|| self.bad("event_id", "NULL", "text"))?;
        let event_time = self.instant(text(columns.event_time).unwrap_or("NULL"))?;
        let n_events = match columns.n_events.and_then(text) {
            None => 1,
            Some(count) => count.parse().map_err(|_| self.bad("n_events", count, "whole number"))?,
        };
        let alert_key: Vec<KeyPart> = self
            .rule
            .key_fields
            .iter()
            .zip(&columns.keys)
            .map(|(field, index)| KeyPart { field: field.field.clone(), value: text(*index).map(shorten_key_value) })
            .collect();
        let key_digest = alert_key::digest(&alert_key);
        Ok(RuleMatched {
            match_id: MatchId::derive(&[self.rule.rule.rule_id.as_str(), &key_digest, event_id]),
            rule: self.rule.rule.clone(),
            title: self.title(columns, row),
            query_run_id: Some(self.request.query_run_id),
            window: Some(self.request.window),
            alert_key,
            event_time,
            n_events,
            dedup_window_s: self.rule.dedup_window.as_secs(),
            evidence: vec![evidence(event_id, event_time, columns.raw.and_then(text).unwrap_or(""))],
        })
    }

    /// A title that cannot be rendered never loses the match.
    fn title(&mut self, columns: &ColumnIndexes, row: &[Option<String>]) -> String {
        let fields: Vec<(&str, Option<String>)> = self
            .rule
            .title_fields
            .iter()
            .zip(&columns.title_fields)
            .map(|(field, index)| (field.field.as_str(), row.get(*index).cloned().flatten()))
            .collect();
        match render_title(self.rule, &fields) {
            Ok(title) => title,
            Err(error) => {
                self.title_failure.get_or_insert_with(|| error.to_string());
                self.rule.rule.title.clone()
            }
        }
    }

    fn instant(&self, text: &str) -> Result<Instant, Error> {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .map(|time| time.and_utc())
            .map_err(|_| self.bad("event_time", text, "timestamp"))
    }

    fn bad(&self, column: &str, value: &str, expected: &'static str) -> Error {
        Error::BadValue {
            rule: self.rule.rule.rule_id.to_string(),
            column: column.to_owned(),
            value: value.chars().take(100).collect(),
            expected,
        }
    }
}

/// A key value of any length keeps its identity: what is cut off stays in a digest.
fn shorten_key_value(value: &str) -> String {
    match value.char_indices().nth(MAX_KEY_CHARS) {
        None => value.to_owned(),
        Some((cut, _)) => {
            let whole = KeyPart { field: String::new(), value: Some(value.to_owned()) };
            format!("{}… #{}", value.split_at(cut).0, alert_key::digest(&[whole]))
        }
    }
}

fn evidence(event_id: &str, event_time: Instant, raw: &str) -> Evidence {
    let cut = raw.char_indices().nth(MAX_RAW_CHARS).map(|(at, _)| at);
    Evidence {
        event_id: event_id.to_owned(),
        event_time,
        raw: cut.map_or(raw, |at| raw.split_at(at).0).to_owned(),
        truncated: cut.is_some(),
    }
}

struct ColumnIndexes {
    event_id: usize,
    event_time: usize,
    n_events: Option<usize>,
    raw: Option<usize>,
    keys: Vec<usize>,
    title_fields: Vec<usize>,
}

impl ColumnIndexes {
    fn find(rule: &CompiledRule, columns: &[Column]) -> Result<Self, Error> {
        let find = |name: &str| columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
        let need = |name: &str| {
            find(name)
                .ok_or_else(|| Error::ColumnMissing { rule: rule.rule.rule_id.to_string(), column: name.to_owned() })
        };
        Ok(Self {
            event_id: need("event_id")?,
            event_time: need("event_time")?,
            n_events: find("n_events"),
            raw: find("raw"),
            keys: rule.key_fields.iter().map(|field| need(&field.column_alias)).collect::<Result<_, _>>()?,
            title_fields: rule.title_fields.iter().map(|field| need(&field.column_alias)).collect::<Result<_, _>>()?,
        })
    }
}
