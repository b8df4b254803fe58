//! What a rule says about itself: id, title, level, tags and the rest of Sigma's attributes.

use crate::nearest_name::nearest;
use crate::problem::Problems;
use crate::read_yaml::{Node, Position, Value};
use crate::rule_tests::parse_severity;
use mantissa_contracts::messages::Severity;

#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    pub(crate) id: String,
    pub(crate) id_at: Position,
    pub(crate) title: String,
    pub(crate) severity: Severity,
    pub(crate) status: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) references: Vec<String>,
    pub(crate) author: Option<String>,
    pub(crate) falsepositives: Vec<String>,
    pub(crate) tags: Vec<String>,
}

/// Attributes of Sigma 2.1, and ours. Others are allowed; one that is nearly one of these is probably a slip.
const ATTRIBUTES: &[&str] = &[
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "references",
    "author",
    "date",
    "modified",
    "tags",
    "logsource",
    "detection",
    "fields",
    "falsepositives",
    "level",
    "scope",
    "custom_attributes",
    "sigma-version",
    "mantissa",
];

const STATUSES: &[&str] = &["stable", "test", "experimental", "deprecated", "unsupported"];
const MAX_ID_CHARS: usize = 128;

/// Says what of Sigma is no rule of ours, or not yet; `None` when there is no rule to read.
pub(crate) fn refuse_other_documents(root: &Node, problems: &mut Problems) -> Option<()> {
    let Some(entries) = root.entries() else {
        problems.error(root.at, "", format!("a rule is a map, and this document is {}", root.kind()));
        return None;
    };
    for entry in entries {
        let message = match entry.key.as_str() {
            "correlation" => {
                "Sigma correlations are not built yet; `mantissa.threshold` counts, counts distinct values and sums"
            }
            "filter" => "Sigma filters are not built yet; `mantissa.exceptions` excludes events of one rule",
            "action" => "collections with `action` are not read: each document must be a whole rule",
            "sigma-version" if !matches!(entry.node.value, Value::Integer(1 | 2)) => {
                "only rules of the Sigma specification 2 are read"
            }
            _ => continue,
        };
        problems.not_supported_yet(entry.key_at, &entry.key, message);
        return None;
    }
    for entry in entries.iter().filter(|entry| !ATTRIBUTES.contains(&entry.key.as_str())) {
        if let Some(near) = nearest(&entry.key, ATTRIBUTES.iter().copied()) {
            problems.warning(entry.key_at, &entry.key, format!("is no attribute of a rule; did you mean `{near}`?"));
        }
    }
    Some(())
}

pub(crate) fn read_metadata(root: &Node, problems: &mut Problems) -> Option<Metadata> {
    let title = required(root, "title", problems);
    let id = required(root, "id", problems);
    if let Some(text) = &id
        && (text.chars().count() > MAX_ID_CHARS || text.chars().any(|c| c.is_control() || c.is_whitespace()))
    {
        let at = root.get("id").map_or(root.at, |node| node.at);
        problems.error(at, "id", format!("has a space, or more than {MAX_ID_CHARS} characters"));
    }
    let severity = match root.get("level") {
        None => {
            problems.warning(root.at, "level", "is missing; the rule is taken for medium");
            Some(Severity::Medium)
        }
        Some(level) => {
            let severity = level.text().and_then(parse_severity);
            if severity.is_none() {
                problems.error(level.at, "level", "is none of informational, low, medium, high, critical");
            }
            severity
        }
    };
    let status = optional(root, "status", problems);
    if let (Some(text), Some(node)) = (&status, root.get("status"))
        && !STATUSES.contains(&text.as_str())
    {
        problems.warning(node.at, "status", format!("`{text}` is none of {}", STATUSES.join(", ")));
    }
    Some(Metadata {
        id_at: root.get("id").map_or(root.at, |node| node.at),
        description: optional(root, "description", problems),
        references: texts(root, "references", problems),
        author: optional(root, "author", problems),
        falsepositives: texts(root, "falsepositives", problems),
        tags: texts(root, "tags", problems),
        id: id?,
        title: title?,
        severity: severity?,
        status,
    })
}

fn required(root: &Node, key: &str, problems: &mut Problems) -> Option<String> {
    if root.get(key).is_none() {
        problems.error(root.at, key, "is missing");
    }
    let found = optional(root, key, problems)?;
    if found.trim().is_empty() {
        problems.error(root.get(key).map_or(root.at, |node| node.at), key, "is empty");
        return None;
    }
    Some(found)
}

fn optional(root: &Node, key: &str, problems: &mut Problems) -> Option<String> {
    let node = root.get(key)?;
    match &node.value {
        Value::Null => None,
        Value::List(_) | Value::Map(_) => {
            problems.error(node.at, key, format!("is {}; expected text", node.kind()));
            None
        }
        _ => node.scalar_text(),
    }
}

/// A list of texts; one text alone counts as a list of one, as many rules write it.
fn texts(root: &Node, key: &str, problems: &mut Problems) -> Vec<String> {
    let Some(node) = root.get(key) else { return Vec::new() };
    let items = node.list().unwrap_or(std::slice::from_ref(node));
    let mut found = Vec::new();
    for item in items {
        match item.scalar_text() {
            Some(text) => found.push(text),
            None if matches!(item.value, Value::Null) => {}
            None => problems.error(item.at, key, format!("holds {}; expected text", item.kind())),
        }
    }
    found
}
