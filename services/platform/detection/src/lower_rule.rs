//! An expression → one SQL predicate.
//!
//! A WHERE clause takes NULL for false, and AND and OR keep that right as long as nothing is negated. So a leaf is made
//! two-valued with `COALESCE(.., FALSE)` exactly where a NOT stands above it, and nowhere else.

use crate::ast::{Expr, Leaf, Subject, Test};
use crate::lower_leaf::lower_leaf;
use crate::problem::Problems;
use crate::resolve_field::{Place, ScalarKind, resolve_field};
use crate::sql_text::{all_of, any_of};
use mantissa_lake::catalogue::{LogSource, Table};

/// The predicate: true exactly where the expression holds; false or NULL elsewhere.
///
/// A field that no column has is reported, and read from the record: the rule is degraded, not silent.
pub(crate) fn lower_expr(expr: &Expr, table: &Table, problems: &mut Problems) -> String {
    Lowering { table, problems }.expr(&flatten(expr), false)
}

/// An AND inside an AND is one AND, an OR inside an OR is one OR, and either of one term is that term.
fn flatten(expr: &Expr) -> Expr {
    match expr {
        Expr::And(terms) => {
            let inner = terms.iter().map(flatten).flat_map(|term| match term {
                Expr::And(terms) => terms,
                other => vec![other],
            });
            only(inner.collect()).unwrap_or_else(Expr::And)
        }
        Expr::Or(terms) => {
            let inner = terms.iter().map(flatten).flat_map(|term| match term {
                Expr::Or(terms) => terms,
                other => vec![other],
            });
            only(inner.collect()).unwrap_or_else(Expr::Or)
        }
        Expr::Not(term) => Expr::Not(Box::new(flatten(term))),
        Expr::Leaf(leaf) => Expr::Leaf(leaf.clone()),
    }
}

fn only(mut terms: Vec<Expr>) -> Result<Expr, Vec<Expr>> {
    match (terms.pop(), terms.is_empty()) {
        (Some(term), true) => Ok(term),
        (last, _) => {
            terms.extend(last);
            Err(terms)
        }
    }
}

struct Lowering<'a> {
    table: &'a Table,
    problems: &'a mut Problems,
}

impl Lowering<'_> {
    fn expr(&mut self, expr: &Expr, negated: bool) -> String {
        match expr {
            Expr::And(terms) => all_of(&self.terms(terms, negated)),
            Expr::Or(terms) => any_of(&self.terms(terms, negated)),
            Expr::Not(term) => format!("NOT ({})", strip_parentheses(&self.expr(term, true))),
            Expr::Leaf(leaf) => self.leaf(leaf, negated),
        }
    }

    fn terms(&mut self, terms: &[Expr], negated: bool) -> Vec<String> {
        let mut terms: Vec<String> = terms.iter().map(|term| self.expr(term, negated)).collect();
        // Engines stop at the term that decides: what reads JSON or the whole record comes last.
        terms.sort_by_key(|sql| sql.contains("json_") || sql.contains("any_match(") || sql.contains("(raw"));
        terms
    }

    fn leaf(&mut self, leaf: &Leaf, negated: bool) -> String {
        let table = self.table;
        let json_record =
            matches!(table.log_source, LogSource::CloudTrail | LogSource::GuardDuty | LogSource::Application);
        let problems = &mut *self.problems;
        let mut resolve = |field: &str| -> Place {
            let resolved = resolve_field(table, field);
            if let Some(message) = resolved.unknown {
                problems.error(leaf.at, &leaf.field, message);
            }
            resolved.place
        };
        let predicate = lower_leaf(leaf, &mut resolve, json_record);
        self.warn_never_true(leaf);
        if negated && predicate.may_be_null {
            format!("COALESCE({}, FALSE)", strip_parentheses(&predicate.sql))
        } else {
            predicate.sql
        }
    }

    /// A column of whole numbers never equals a text that is none.
    fn warn_never_true(&mut self, leaf: &Leaf) {
        let Subject::Field(field) = &leaf.subject else { return };
        let Place::Scalar { kind: ScalarKind::Integer, .. } = resolve_field(self.table, field).place else { return };
        for test in &leaf.tests {
            if let Test::Text { pattern, .. } = test
                && let Some(text) = pattern.exact_text()
                && text.parse::<i64>().is_err()
            {
                let message = format!("compares a column of whole numbers with `{text}`, which it never equals");
                self.problems.warning(leaf.at, &leaf.field, message);
            }
        }
    }
}

/// Takes off the one pair of parentheses that encloses all of `sql`.
fn strip_parentheses(sql: &str) -> &str {
    let Some(inner) = sql.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return sql };
    let mut depth = 0i32;
    let mut in_text = false;
    for c in inner.chars() {
        match c {
            '\'' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return sql;
        }
    }
    inner
}
