//! YAML text → a tree whose every node knows its line and column.
//!
//! Invariants: a duplicate key, an unknown alias and a document that grows past [`MAX_NODES`] through aliases are
//! errors with a place; scalars follow the YAML 1.2 core schema, so `NO` is a text.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::HashMap;

/// An alias copies what it names: without a limit a few lines of YAML fill the memory.
const MAX_NODES: usize = 100_000;
const MAX_DEPTH: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    fn of(span: Span) -> Self {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: small(span.start.line().max(1)), column: small(span.start.col()).saturating_add(1) }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that is no `i64`, with its text as written.
    Float(f64, String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: Position,
    pub(crate) node: Node,
}

#[derive(Debug, Clone)]
pub(crate) struct YamlError {
    pub(crate) at: Position,
    pub(crate) message: String,
}

impl Node {
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of any scalar but null.
    pub(crate) fn scalar_text(&self) -> Option<String> {
        match &self.value {
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Float(_, text) | Value::Text(text) => Some(text.clone()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().find(|entry| entry.key == key)
    }

    /// What the node is, for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) | Value::Float(..) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Integer(number) => (*number).into(),
            Value::Float(number, _) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => serde_json::Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect(),
            ),
        }
    }
}

/// Reads the one document of `text`; `None` when it holds nothing but comments.
pub(crate) fn read_yaml(text: &str) -> Result<Option<Node>, YamlError> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| YamlError {
            at: Position::of(Span::empty(*error.marker())),
            message: format!("not valid YAML: {}", error.info()),
        })?;
        builder.take(event, Position::of(span))?;
    }
    Ok(builder.root)
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    n_nodes: usize,
    root: Option<Node>,
}

struct Open {
    at: Position,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Position)> },
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let as_text = style != ScalarStyle::Plain
                    || tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let value = if as_text { Value::Text(text.into_owned()) } else { plain_scalar(&text) };
                self.finish(Node { at, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(at, anchor, OpenKind::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(at, anchor, OpenKind::Map { entries: Vec::new(), key: None }),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { at, anchor, kind: OpenKind::List(items) }) => {
                    self.finish(Node { at, value: Value::List(items) }, anchor)
                }
                Some(Open { at, anchor, kind: OpenKind::Map { entries, .. } }) => {
                    self.finish(Node { at, value: Value::Map(entries) }, anchor)
                }
                None => Err(YamlError { at, message: "not valid YAML: an end without a beginning".to_owned() }),
            },
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(YamlError { at, message: "an alias names an anchor that is not set".to_owned() });
                };
                let node = Node { at, value: node.value.clone() };
                self.count(at, count_nodes(&node))?;
                self.finish(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, at: Position, anchor: usize, kind: OpenKind) -> Result<(), YamlError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(YamlError { at, message: format!("nested deeper than {MAX_DEPTH} levels") });
        }
        if let Some(Open { kind: OpenKind::Map { key: None, .. }, .. }) = self.open.last() {
            return Err(YamlError { at, message: "a key must be a scalar".to_owned() });
        }
        self.open.push(Open { at, anchor, kind });
        Ok(())
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        self.count(node.at, 1)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map { entries, key }) => match key.take() {
                Some((key, key_at)) => entries.push(Entry { key, key_at, node }),
                None => {
                    let text = node.scalar_text().unwrap_or_default();
                    if entries.iter().any(|entry| entry.key == text) {
                        return Err(YamlError { at: node.at, message: format!("the key `{text}` is there twice") });
                    }
                    *key = Some((text, node.at));
                }
            },
        }
        Ok(())
    }

    fn count(&mut self, at: Position, n: usize) -> Result<(), YamlError> {
        self.n_nodes = self.n_nodes.saturating_add(n);
        if self.n_nodes > MAX_NODES {
            return Err(YamlError { at, message: format!("the document has more than {MAX_NODES} values") });
        }
        Ok(())
    }
}

fn count_nodes(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(count_nodes).sum(),
        Value::Map(entries) => entries.iter().map(|entry| count_nodes(&entry.node)).sum(),
        _ => 0,
    }
}

fn plain_scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // A leading zero is kept as text: account ids have twelve digits, and `007` is not 7 in any log.
        if digits.len() > 1 && digits.starts_with('0') {
            return Value::Text(text.to_owned());
        }
        return match text.parse() {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Text(text.to_owned()),
        };
    }
    let is_float = digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
        && digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    match text.parse::<f64>() {
        Ok(number) if is_float && number.is_finite() => Value::Float(number, text.to_owned()),
        _ => Value::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Node {
        read_yaml(text).unwrap().unwrap()
    }

    #[test]
    fn nodes_know_their_line_and_column() {
        let node = read("title: a\ndetection:\n  selection:\n    eventName: X\n");
        let entry = node.get("detection").unwrap().get("selection").unwrap().entry("eventName").unwrap();
        assert_eq!(entry.key_at, Position { line: 4, column: 5 });
        assert_eq!(entry.node.at, Position { line: 4, column: 16 });
    }

    #[test]
    fn scalars_follow_the_core_schema_and_quotes_make_text() {
        let node = read("a: NO\nb: 'true'\nc: true\nd: 012345678901\ne: 1.5\nf: ~\ng: 7\nh: 10.0.0.1");
        assert_eq!(node.get("a").unwrap().text(), Some("NO"));
        assert_eq!(node.get("b").unwrap().text(), Some("true"));
        assert!(matches!(node.get("c").unwrap().value, Value::Bool(true)));
        assert_eq!(node.get("d").unwrap().text(), Some("012345678901"));
        assert!(matches!(node.get("e").unwrap().value, Value::Float(..)));
        assert!(matches!(node.get("f").unwrap().value, Value::Null));
        assert!(matches!(node.get("g").unwrap().value, Value::Integer(7)));
        assert_eq!(node.get("h").unwrap().text(), Some("10.0.0.1"));
    }

    #[test]
    fn a_key_that_is_there_twice_is_an_error_at_the_second() {
        let error = read_yaml("a: 1\na: 2\n").unwrap_err();
        assert_eq!(error.at.line, 2);
    }

    #[test]
    fn aliases_that_multiply_are_stopped() {
        let mut text = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
        for level in 1..12 {
            let below = format!("*a{}", level - 1);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(",")));
        }
        assert!(read_yaml(&text).unwrap_err().message.contains("more than"));
    }
}
