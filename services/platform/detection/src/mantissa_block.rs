//! The `mantissa:` block of a rule: what Sigma has no word for.
//!
//! Every key is checked; an unknown one is an error with its nearest known key.

use crate::ast::Expr;
use crate::convert_detection::convert_selection;
use crate::expand_placeholders::Placeholders;
use crate::nearest_name::suggestion;
use crate::problem::Problems;
use crate::read_yaml::{Entry, Node, Position, Value};
use crate::rule_tests::{RuleTest, read_tests};
use crate::threshold::{Measure, Threshold};
use chrono::{Days, NaiveDate, NaiveTime};
use mantissa_contracts::ids::DestinationId;
use mantissa_contracts::time::Instant;
use std::time::Duration;

const KEYS: &[&str] = &[
    "enabled",
    "every",
    "lateness",
    "group_by",
    "threshold",
    "dedup",
    "title",
    "runbook",
    "destinations",
    "exceptions",
    "sql",
    "tests",
    "placeholders",
];

#[derive(Debug, Default)]
pub(crate) struct MantissaBlock {
    pub(crate) enabled: Option<bool>,
    pub(crate) every: Option<Duration>,
    pub(crate) group_by: Vec<(String, Position)>,
    pub(crate) threshold: Option<(Threshold, Position)>,
    pub(crate) dedup_window: Option<Duration>,
    pub(crate) title: Option<(String, Position)>,
    pub(crate) runbook: Option<String>,
    pub(crate) destinations: Vec<DestinationId>,
    pub(crate) exceptions: Vec<ExceptionBlock>,
    pub(crate) sql: Option<(String, Position)>,
    pub(crate) tests: Vec<RuleTest>,
    pub(crate) placeholders: Placeholders,
}

/// Events that are known and accepted until a day.
#[derive(Debug)]
pub(crate) struct ExceptionBlock {
    pub(crate) when: Expr,
    /// First instant at which the exception holds no more.
    pub(crate) until: Instant,
    pub(crate) owner: String,
    pub(crate) reason: String,
}

/// `5m`, `90s`, `1h`, `7d`, `2w`.
pub(crate) fn parse_span(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    number.checked_mul(seconds).filter(|seconds| (1..=366 * 86_400).contains(seconds)).map(Duration::from_secs)
}

pub(crate) fn read_mantissa_block(node: Option<&Node>, problems: &mut Problems) -> MantissaBlock {
    let mut block = MantissaBlock::default();
    let Some(node) = node else { return block };
    let Some(entries) = node.entries() else {
        problems.error(node.at, "mantissa", format!("is {}; expected a map", node.kind()));
        return block;
    };
    // Values may refer to placeholders wherever the block stands.
    if let Some(entry) = node.entry("placeholders") {
        block.placeholders = placeholders(entry, problems);
    }
    for entry in entries {
        let value = &entry.node;
        let path = format!("mantissa.{}", entry.key);
        match entry.key.as_str() {
            "enabled" => match value.value {
                Value::Bool(flag) => block.enabled = Some(flag),
                _ => problems.error(value.at, &path, format!("is {}; expected true or false", value.kind())),
            },
            "every" => block.every = span(value, &path, problems),
            "lateness" => {
                if span(value, &path, problems).is_some() {
                    let message =
                        "has no effect: late events are judged when they come, with the windows they belong to";
                    problems.warning(value.at, &path, message);
                }
            }
            "group_by" => block.group_by = texts(value, &path, problems),
            "threshold" => block.threshold = threshold(value, problems).map(|found| (found, entry.key_at)),
            "dedup" => {
                check_keys(value, &path, &["window"], problems);
                match value.get("window") {
                    Some(window) => block.dedup_window = span(window, "mantissa.dedup.window", problems),
                    None => problems.error(value.at, &path, "has no `window`"),
                }
            }
            "title" => block.title = text(value, &path, problems).map(|found| (found, value.at)),
            "runbook" => block.runbook = text(value, &path, problems),
            "destinations" => {
                let found = texts(value, &path, problems);
                block.destinations = found.into_iter().map(|(name, _)| DestinationId::new(name)).collect();
            }
            "exceptions" => block.exceptions = exceptions(value, &block.placeholders, problems),
            "sql" => block.sql = text(value, &path, problems).map(|found| (found, value.at)),
            "tests" => block.tests = read_tests(value, problems),
            "placeholders" => {}
            unknown => {
                let hint = suggestion(unknown, KEYS.iter().copied());
                problems.error(entry.key_at, &path, format!("is not a key of the `mantissa` block{hint}"));
            }
        }
    }
    block
}

/// Reports keys that mean nothing here, and a value that is no map.
pub(crate) fn check_keys(node: &Node, path: &str, known: &[&str], problems: &mut Problems) {
    let Some(entries) = node.entries() else {
        problems.error(node.at, path, format!("is {}; expected a map", node.kind()));
        return;
    };
    for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
        let hint = suggestion(&entry.key, known.iter().copied());
        problems.error(entry.key_at, &format!("{path}.{}", entry.key), format!("is not a known key{hint}"));
    }
}

pub(crate) fn text(node: &Node, path: &str, problems: &mut Problems) -> Option<String> {
    let text = node.text().filter(|text| !text.trim().is_empty());
    if text.is_none() {
        problems.error(node.at, path, format!("is {}; expected text that is not empty", node.kind()));
    }
    text.map(str::to_owned)
}

/// A text or a list of texts.
fn texts(node: &Node, path: &str, problems: &mut Problems) -> Vec<(String, Position)> {
    let items = node.list().unwrap_or(std::slice::from_ref(node));
    items.iter().filter_map(|item| text(item, path, problems).map(|found| (found, item.at))).collect()
}

fn span(node: &Node, path: &str, problems: &mut Problems) -> Option<Duration> {
    let span = node.scalar_text().and_then(|text| parse_span(&text));
    if span.is_none() {
        problems.error(node.at, path, "is no span of time; expected a number and a unit, such as `5m`, `1h` or `7d`");
    }
    span
}

fn threshold(node: &Node, problems: &mut Problems) -> Option<Threshold> {
    const PATH: &str = "mantissa.threshold";
    check_keys(node, PATH, &["count", "distinct", "sum", "over", "within"], problems);
    let entries = node.entries()?;
    let within = match node.get("within") {
        Some(within) => span(within, "mantissa.threshold.within", problems),
        None => {
            problems.error(node.at, PATH, "has no `within`");
            None
        }
    };
    let number = |key: &str, problems: &mut Problems| -> Option<u64> {
        let value = node.get(key)?;
        let number = match value.value {
            Value::Integer(number) => u64::try_from(number).ok().filter(|number| *number > 0),
            _ => None,
        };
        if number.is_none() {
            problems.error(value.at, &format!("{PATH}.{key}"), "is no whole number above 0");
        }
        number
    };
    let field = |key: &str, problems: &mut Problems| {
        node.get(key).and_then(|value| text(value, &format!("{PATH}.{key}"), problems))
    };
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    let measure = match (has("distinct"), has("sum"), has("count"), has("over")) {
        (false, false, true, false) => Measure::Count { at_least: number("count", problems)? },
        (true, false, true, false) => {
            Measure::Distinct { field: field("distinct", problems)?, at_least: number("count", problems)? }
        }
        (false, true, false, true) => Measure::Sum { field: field("sum", problems)?, over: number("over", problems)? },
        _ => {
            let message = "is none of `{count, within}`, `{distinct, count, within}` and `{sum, over, within}`";
            problems.error(node.at, PATH, message);
            return None;
        }
    };
    Some(Threshold { measure, within: within? })
}

fn exceptions(node: &Node, placeholders: &Placeholders, problems: &mut Problems) -> Vec<ExceptionBlock> {
    let Some(items) = node.list() else {
        problems.error(node.at, "mantissa.exceptions", format!("is {}; expected a list", node.kind()));
        return Vec::new();
    };
    let mut found = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("mantissa.exceptions[{index}]");
        check_keys(item, &path, &["when", "until", "owner", "reason"], problems);
        let mut required = |key: &str| -> Option<&Node> {
            let value = item.get(key);
            if value.is_none() {
                problems.error(item.at, &path, format!("has no `{key}`"));
            }
            value
        };
        let (when, until, owner, reason) = (required("when"), required("until"), required("owner"), required("reason"));
        let when = when.and_then(|when| convert_selection(when, &format!("{path}.when"), placeholders, problems));
        let until = until.and_then(|until| day_after(until, &format!("{path}.until"), problems));
        let owner = owner.and_then(|owner| text(owner, &format!("{path}.owner"), problems));
        let reason = reason.and_then(|reason| text(reason, &format!("{path}.reason"), problems));
        if let (Some(when), Some(until), Some(owner), Some(reason)) = (when, until, owner, reason) {
            found.push(ExceptionBlock { when, until, owner, reason });
        }
    }
    found
}

/// The exception holds through its last day.
fn day_after(node: &Node, path: &str, problems: &mut Problems) -> Option<Instant> {
    let day = node.text().and_then(|text| NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok());
    let after = day.and_then(|day| day.checked_add_days(Days::new(1)));
    if after.is_none() {
        problems.error(node.at, path, "is no date such as 2027-01-31");
    }
    after.map(|day| day.and_time(NaiveTime::MIN).and_utc())
}

fn placeholders(entry: &Entry, problems: &mut Problems) -> Placeholders {
    let Some(entries) = entry.node.entries() else {
        problems.error(entry.node.at, "mantissa.placeholders", format!("is {}; expected a map", entry.node.kind()));
        return Placeholders::new();
    };
    entries
        .iter()
        .map(|entry| {
            let path = format!("mantissa.placeholders.{}", entry.key);
            let values = texts(&entry.node, &path, problems);
            (entry.key.clone(), values.into_iter().map(|(value, _)| value).collect())
        })
        .collect()
}
