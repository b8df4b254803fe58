//! A leaf → the SQL predicate that is true exactly where it matches.
//!
//! Invariants: a predicate is never true where the leaf does not match; where it does not match it may be NULL, and
//! [`Predicate::may_be_null`] says so. A scalar, a member of an array and an object as JSON text are all looked at.

use crate::ast::{Leaf, Number, Pattern, Relation, Subject, Test};
use crate::lower_json::{json_equal_or_like, json_present};
use crate::lower_text::{scalar_tests, text_tests};
use crate::resolve_field::{Place, ScalarKind};
use crate::sql_text::any_of;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Predicate {
    pub(crate) sql: String,
    pub(crate) may_be_null: bool,
}

/// `resolve` turns a field into its place; `json_record` says that records of the table may be JSON text.
pub(crate) fn lower_leaf(leaf: &Leaf, resolve: &mut dyn FnMut(&str) -> Place, json_record: bool) -> Predicate {
    let place = match &leaf.subject {
        Subject::Field(field) => resolve(field),
        Subject::Record => Place::Scalar { sql: "raw".to_owned(), kind: ScalarKind::Text },
    };
    let mut terms = Vec::new();
    let mut may_be_null = false;
    let mut value_tests = Vec::new();
    for test in &leaf.tests {
        match test {
            Test::Null | Test::Exists(false) => terms.push(is_missing(&place)),
            Test::Exists(true) => terms.push(format!("NOT ({})", is_missing(&place))),
            Test::SameAs { other, relation, cased } => {
                may_be_null = true;
                terms.push(same_as(&place.text_sql(), &resolve(other).text_sql(), *relation, *cased));
            }
            Test::Text { pattern, cased } => {
                value_tests.push(test.clone());
                if leaf.subject == Subject::Record && json_record {
                    value_tests.extend(as_json_text(pattern).map(|pattern| Test::Text { pattern, cased: *cased }));
                }
            }
            other => value_tests.push(other.clone()),
        }
    }
    if !value_tests.is_empty() {
        may_be_null = true;
        terms.push(match &place {
            Place::Scalar { sql, kind } => any_of(&scalar_tests(sql, *kind, &value_tests)),
            Place::Json { sql, keys } => json_equal_or_like(sql, keys, &value_tests),
            Place::Members { array, field } => {
                json_equal_or_like("raw", &[array.as_slice(), field].concat(), &value_tests)
            }
        });
    }
    Predicate { sql: any_of(&terms), may_be_null }
}

fn is_missing(place: &Place) -> String {
    match place {
        Place::Scalar { sql, .. } => format!("{sql} IS NULL"),
        Place::Json { sql, keys } if keys.is_empty() => format!("({sql} IS NULL OR {sql} = 'null')"),
        Place::Json { sql, keys } => format!("NOT COALESCE({}, FALSE)", json_present(sql, keys)),
        Place::Members { array, field } => {
            format!("NOT COALESCE({}, FALSE)", json_present("raw", &[array.as_slice(), field].concat()))
        }
    }
}

fn same_as(left: &str, right: &str, relation: Relation, cased: bool) -> String {
    let (left, right) = match cased {
        true => (left.to_owned(), right.to_owned()),
        false => (format!("lower({left})"), format!("lower({right})")),
    };
    match relation {
        Relation::Equals => format!("{left} = {right}"),
        Relation::Contains => format!("strpos({left}, {right}) > 0"),
        Relation::StartsWith => format!("strpos({left}, {right}) = 1"),
        Relation::EndsWith => format!(
            "(length({left}) >= length({right}) AND substr({left}, length({left}) - length({right}) + 1) = {right})"
        ),
    }
}

/// The pattern as it stands inside JSON text, where that differs: a keyword with a quote or a backslash.
fn as_json_text(pattern: &Pattern) -> Option<Pattern> {
    let escaped = pattern.map_text(|text| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    });
    (escaped != *pattern).then_some(escaped)
}

/// Whether a number is one that a column of whole numbers can hold.
pub(crate) fn whole(number: Number) -> Option<i64> {
    match number {
        Number::Integer(n) => Some(n),
        Number::Float(_) => None,
    }
}

/// Tests of one text expression, joined by OR; for places inside JSON.
pub(crate) fn text_predicate(sql: &str, tests: &[Test]) -> String {
    any_of(&text_tests(sql, tests, true))
}
