//! A rule's inline tests, read and checked. Running them needs an engine, and is done elsewhere.

use crate::mantissa_block::{check_keys, text};
use crate::problem::Problems;
use crate::read_yaml::{Node, Value};
use mantissa_contracts::messages::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// The rule judged over a few events of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTest {
    pub name: String,
    /// Whether the rule must match.
    pub matches: bool,
    /// Records as their source writes them, each a map; `{message: line}` for a line of text.
    pub events: Vec<serde_json::Map<String, serde_json::Value>>,
    pub alert: Option<ExpectedAlert>,
    /// Line of the test in its file, for messages.
    pub line: u32,
}

/// What of the alert the author pinned down; what is absent is not compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExpectedAlert {
    pub severity: Option<Severity>,
    pub key: BTreeMap<String, Option<String>>,
    pub title: Option<String>,
}

pub(crate) fn read_tests(node: &Node, problems: &mut Problems) -> Vec<RuleTest> {
    let Some(items) = node.list() else {
        problems.error(node.at, "mantissa.tests", format!("is {}; expected a list", node.kind()));
        return Vec::new();
    };
    let mut names = BTreeSet::new();
    let mut tests = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("mantissa.tests[{index}]");
        let Some(test) = read_test(item, &path, problems) else { continue };
        if !names.insert(test.name.clone()) {
            problems.error(item.at, &path, format!("has the name `{}` of another test", test.name));
        }
        tests.push(test);
    }
    tests
}

fn read_test(node: &Node, path: &str, problems: &mut Problems) -> Option<RuleTest> {
    check_keys(node, path, &["name", "match", "events", "alert"], problems);
    node.entries()?;
    let name = match node.get("name") {
        Some(name) => text(name, &format!("{path}.name"), problems),
        None => {
            problems.error(node.at, path, "has no `name`");
            None
        }
    };
    let matches = match node.get("match").map(|value| (&value.value, value.at)) {
        Some((Value::Bool(flag), _)) => Some(*flag),
        Some((_, at)) => {
            problems.error(at, &format!("{path}.match"), "is neither true nor false");
            None
        }
        None => {
            problems.error(node.at, path, "has no `match`: say true or false");
            None
        }
    };
    let events = read_events(node, path, problems);
    let alert = node.get("alert").and_then(|alert| read_alert(alert, &format!("{path}.alert"), problems));
    let test =
        RuleTest { name: name?, matches: matches?, events: events?, alert, line: problems.line_in_file(node.at) };
    if let (false, Some(alert)) = (test.matches, node.get("alert")) {
        problems.error(alert.at, &format!("{path}.alert"), "is expected of a test that must not match");
    }
    Some(test)
}

fn read_events(
    node: &Node,
    path: &str,
    problems: &mut Problems,
) -> Option<Vec<serde_json::Map<String, serde_json::Value>>> {
    let path = format!("{path}.events");
    let items = node.get("events").and_then(Node::list).filter(|items| !items.is_empty());
    let Some(items) = items else {
        problems.error(node.get("events").map_or(node.at, |events| events.at), &path, "is no list of events");
        return None;
    };
    let mut events = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.to_json() {
            serde_json::Value::Object(event) => events.push(event),
            _ => {
                let message = format!("is {}; expected a map, as the source writes the record", item.kind());
                problems.error(item.at, &format!("{path}[{index}]"), message);
            }
        }
    }
    (events.len() == items.len()).then_some(events)
}

fn read_alert(node: &Node, path: &str, problems: &mut Problems) -> Option<ExpectedAlert> {
    check_keys(node, path, &["severity", "key", "title"], problems);
    node.entries()?;
    let mut alert = ExpectedAlert::default();
    if let Some(severity) = node.get("severity") {
        alert.severity = severity.text().and_then(parse_severity);
        if alert.severity.is_none() {
            let message = "is no severity: info, low, medium, high or critical";
            problems.error(severity.at, &format!("{path}.severity"), message);
        }
    }
    if let Some(title) = node.get("title") {
        alert.title = text(title, &format!("{path}.title"), problems);
    }
    if let Some(key) = node.get("key") {
        match key.entries() {
            Some(entries) => {
                alert.key = entries.iter().map(|entry| (entry.key.clone(), entry.node.scalar_text())).collect();
            }
            None => problems.error(key.at, &format!("{path}.key"), format!("is {}; expected a map", key.kind())),
        }
    }
    Some(alert)
}

/// Sigma says `informational` where we say `info`.
pub(crate) fn parse_severity(text: &str) -> Option<Severity> {
    let text = text.trim().to_ascii_lowercase();
    if text == "informational" { Some(Severity::Info) } else { Severity::parse(&text) }
}
