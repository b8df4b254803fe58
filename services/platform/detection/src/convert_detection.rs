//! The `detection:` section → one expression and, where a legacy rule has one, its aggregation.

use crate::apply_modifiers::{Item, apply_modifiers};
use crate::ast::{Expr, Subject};
use crate::expand_placeholders::Placeholders;
use crate::nearest_name::suggestion;
use crate::parse_condition::{Aggregation, ConditionError, parse_condition};
use crate::problem::Problems;
use crate::read_yaml::{Entry, Node, Position, Value};
use rsigma_parser::{ConditionExpr, Modifier, Quantifier, SelectorPattern, SigmaParserError, parse_field_spec};
use std::collections::BTreeSet;

const MODIFIERS: &[&str] = &[
    "all",
    "startswith",
    "endswith",
    "contains",
    "exists",
    "cased",
    "neq",
    "windash",
    "re",
    "i",
    "m",
    "s",
    "base64",
    "base64offset",
    "utf16",
    "utf16le",
    "utf16be",
    "wide",
    "lt",
    "lte",
    "gt",
    "gte",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
    "cidr",
    "expand",
    "fieldref",
];

pub(crate) struct Detection {
    pub(crate) expr: Expr,
    pub(crate) aggregation: Option<Aggregation>,
    /// Legacy: the span of the aggregation, as written.
    pub(crate) timeframe: Option<Node>,
    pub(crate) condition_at: Position,
}

/// `None` when a problem keeps the rule from running.
pub(crate) fn convert_detection(
    section: &Node,
    placeholders: &Placeholders,
    problems: &mut Problems,
) -> Option<Detection> {
    let before = problems.n_blocking();
    let Some(entries) = section.entries() else {
        problems.error(
            section.at,
            "detection",
            format!("is {}; expected a map of selections and a condition", section.kind()),
        );
        return None;
    };
    let mut converter = Converter { placeholders, problems, named: Vec::new(), used: BTreeSet::new() };
    for entry in entries.iter().filter(|entry| !matches!(entry.key.as_str(), "condition" | "timeframe")) {
        let path = format!("detection.{}", entry.key);
        let expr = converter.selection(&entry.node, &path);
        converter.named.push((entry, expr));
    }
    let Some(condition) = section.entry("condition") else {
        converter.problems.error(section.at, "detection", "has no condition");
        return None;
    };
    let (expr, aggregation) = converter.condition(&condition.node);
    if expr.is_some() {
        converter.warn_unused();
    }
    let expr = expr.filter(|_| problems.n_blocking() == before)?;
    Some(Detection { expr, aggregation, timeframe: section.get("timeframe").cloned(), condition_at: condition.node.at })
}

/// A map of `field|modifiers: value`, or a list of such maps: the form of a selection, used by exceptions too.
pub(crate) fn convert_selection(
    node: &Node,
    path: &str,
    placeholders: &Placeholders,
    problems: &mut Problems,
) -> Option<Expr> {
    let before = problems.n_blocking();
    let expr = Converter { placeholders, problems, named: Vec::new(), used: BTreeSet::new() }.selection(node, path);
    expr.filter(|_| problems.n_blocking() == before)
}

struct Converter<'a> {
    placeholders: &'a Placeholders,
    problems: &'a mut Problems,
    /// `None`: a problem was found in it.
    named: Vec<(&'a Entry, Option<Expr>)>,
    used: BTreeSet<String>,
}

impl Converter<'_> {
    fn selection(&mut self, node: &Node, path: &str) -> Option<Expr> {
        match &node.value {
            Value::Map(entries) if !entries.is_empty() => {
                let items: Vec<Option<Expr>> = entries.iter().map(|entry| self.item(entry, path)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Expr::And)
            }
            Value::List(nodes) if !nodes.is_empty() => {
                let (keywords, selections): (Vec<&Node>, Vec<&Node>) =
                    nodes.iter().partition(|node| !matches!(node.value, Value::Map(_) | Value::List(_)));
                let mut terms = Vec::new();
                if !keywords.is_empty() {
                    let keywords: Vec<Node> = keywords.into_iter().cloned().collect();
                    terms.push(self.compare(Subject::Record, &[], node.at, path, &keywords));
                }
                for node in selections {
                    terms.push(self.selection(node, path));
                }
                terms.into_iter().collect::<Option<Vec<_>>>().map(Expr::Or)
            }
            Value::Text(_) | Value::Integer(_) | Value::Float(..) => {
                self.compare(Subject::Record, &[], node.at, path, std::slice::from_ref(node))
            }
            _ => {
                self.problems.error(node.at, path, "is empty; expected fields with values, or keywords");
                None
            }
        }
    }

    fn item(&mut self, entry: &Entry, path: &str) -> Option<Expr> {
        let path = format!("{path}.{}", entry.key);
        let spec = match parse_field_spec(&entry.key) {
            Ok(spec) => spec,
            Err(SigmaParserError::UnknownModifier(name)) => {
                let hint = suggestion(&name, MODIFIERS.iter().copied());
                self.problems.error(entry.key_at, &path, format!("has the unknown modifier `{name}`{hint}"));
                return None;
            }
            Err(error) => {
                self.problems.error(entry.key_at, &path, error.to_string());
                return None;
            }
        };
        let subject = spec.name.map_or(Subject::Record, Subject::Field);
        let values = match &entry.node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(&entry.node),
        };
        self.compare(subject, &spec.modifiers, entry.key_at, &path, values)
    }

    fn compare(
        &mut self,
        subject: Subject,
        modifiers: &[Modifier],
        at: Position,
        path: &str,
        values: &[Node],
    ) -> Option<Expr> {
        let item = Item { subject, modifiers, at, field: path };
        match apply_modifiers(&item, values, self.placeholders) {
            Ok(expr) => Some(expr),
            Err((at, message)) => {
                self.problems.error(at, path, message);
                None
            }
        }
    }

    fn condition(&mut self, node: &Node) -> (Option<Expr>, Option<Aggregation>) {
        let texts: Vec<&Node> = match &node.value {
            Value::Text(_) => vec![node],
            Value::List(items) if !items.is_empty() => items.iter().collect(),
            _ => {
                self.problems.error(node.at, "detection.condition", format!("is {}; expected text", node.kind()));
                return (None, None);
            }
        };
        let mut terms = Vec::new();
        let mut aggregation = None;
        let n_conditions = texts.len();
        for node in texts {
            let Some(text) = node.text() else {
                self.problems.error(node.at, "detection.condition", format!("is {}; expected text", node.kind()));
                return (None, None);
            };
            match parse_condition(text) {
                Ok(condition) => {
                    terms.push(self.expression(&condition.expression, node.at));
                    aggregation = aggregation.or(condition.aggregation);
                }
                Err(ConditionError::Wrong(message)) => {
                    self.problems.error(node.at, "detection.condition", message);
                    return (None, None);
                }
                Err(ConditionError::NotSupportedYet(message)) => {
                    self.problems.not_supported_yet(node.at, "detection.condition", message);
                    return (None, None);
                }
            }
        }
        if aggregation.is_some() && n_conditions > 1 {
            let message = "a legacy aggregation beside other conditions is not translated; write one rule for each";
            self.problems.not_supported_yet(node.at, "detection.condition", message);
        }
        (terms.into_iter().collect::<Option<Vec<_>>>().map(Expr::Or), aggregation)
    }

    fn expression(&mut self, condition: &ConditionExpr, at: Position) -> Option<Expr> {
        match condition {
            ConditionExpr::And(terms) => self.all(terms, at).map(Expr::And),
            ConditionExpr::Or(terms) => self.all(terms, at).map(Expr::Or),
            ConditionExpr::Not(term) => self.expression(term, at).map(|expr| Expr::Not(Box::new(expr))),
            ConditionExpr::Identifier(name) => self.named(name, at),
            ConditionExpr::Selector { quantifier, pattern } => self.selector(quantifier, pattern, at),
        }
    }

    fn all(&mut self, terms: &[ConditionExpr], at: Position) -> Option<Vec<Expr>> {
        let terms: Vec<Option<Expr>> = terms.iter().map(|term| self.expression(term, at)).collect();
        terms.into_iter().collect()
    }

    fn named(&mut self, name: &str, at: Position) -> Option<Expr> {
        self.used.insert(name.to_owned());
        if let Some((_, expr)) = self.named.iter().find(|(entry, _)| entry.key == name) {
            return expr.clone();
        }
        let hint = suggestion(name, self.named.iter().map(|(entry, _)| entry.key.as_str()));
        self.problems.error(at, "detection.condition", format!("names `{name}`, which is no selection{hint}"));
        None
    }

    fn selector(&mut self, quantifier: &Quantifier, pattern: &SelectorPattern, at: Position) -> Option<Expr> {
        let names: Vec<String> = self
            .named
            .iter()
            .map(|(entry, _)| entry.key.clone())
            .filter(|name| pattern.matches_detection_name(name))
            .collect();
        if names.is_empty() {
            self.problems.error(at, "detection.condition", format!("`{pattern}` names no selection"));
            return None;
        }
        let exprs: Vec<Option<Expr>> = names.iter().map(|name| self.named(name, at)).collect();
        let exprs: Vec<Expr> = exprs.into_iter().collect::<Option<_>>()?;
        match quantifier {
            Quantifier::Any => Some(Expr::Or(exprs)),
            Quantifier::All => Some(Expr::And(exprs)),
            Quantifier::Count(n) => {
                let message = format!("`{n} of` is not supported, only `1 of`, `any of` and `all of`");
                self.problems.not_supported_yet(at, "detection.condition", message);
                None
            }
        }
    }

    fn warn_unused(&mut self) {
        for (entry, _) in &self.named {
            if !self.used.contains(&entry.key) && !entry.key.starts_with('_') {
                let path = format!("detection.{}", entry.key);
                self.problems.warning(entry.key_at, &path, "is not used by the condition");
            }
        }
    }
}
