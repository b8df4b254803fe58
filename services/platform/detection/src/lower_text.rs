//! Tests of one value: a text, or a typed scalar.

use crate::ast::{Number, Pattern, Test};
use crate::lower_leaf::whole;
use crate::resolve_field::ScalarKind;
use crate::sql_text::{double, folded_literal, has_case, like_text, literal};

/// Tests of a typed column, joined by OR: numbers are compared as numbers where column and value allow it.
pub(crate) fn scalar_tests(sql: &str, kind: ScalarKind, tests: &[Test]) -> Vec<String> {
    let mut terms = Vec::new();
    let mut numbers = Vec::new();
    let mut as_text = Vec::new();
    for test in tests {
        match (kind, test) {
            (ScalarKind::Integer, Test::Text { pattern, .. }) => match pattern.exact_text().map(canonical_integer) {
                Some(Some(number)) => numbers.push(number.to_string()),
                _ => as_text.push(test.clone()),
            },
            (ScalarKind::Double, Test::Text { pattern, .. }) => match pattern.exact_text().map(finite) {
                Some(Some(number)) => numbers.push(double(Number::Float(number))),
                _ => as_text.push(test.clone()),
            },
            (ScalarKind::Integer, Test::Compare { operator, number }) => {
                let number = whole(*number).map_or_else(|| double(*number), |n| n.to_string());
                terms.push(format!("{sql} {} {number}", operator.sql()));
            }
            (ScalarKind::Double, Test::Compare { operator, number }) => {
                terms.push(format!("{sql} {} {}", operator.sql(), double(*number)));
            }
            (ScalarKind::Timestamp, Test::DatePart { part, number }) => {
                terms.push(format!("{}({sql}) = {number}", part.function()));
            }
            (ScalarKind::Integer, Test::DatePart { part, number }) => {
                terms.push(format!("{}(from_unixtime({sql})) = {number}", part.function()));
            }
            _ => as_text.push(test.clone()),
        }
    }
    terms.extend(equals_any(sql, &numbers));
    terms.extend(text_tests(&kind.text_sql(sql), &as_text, kind.has_case()));
    terms
}

/// Tests of a text expression, joined by OR; equal forms share one `IN`.
pub(crate) fn text_tests(sql: &str, tests: &[Test], column_has_case: bool) -> Vec<String> {
    let folded = format!("lower({sql})");
    let mut exact_folded = Vec::new();
    let mut exact = Vec::new();
    let mut terms = Vec::new();
    for test in tests {
        match test {
            Test::Text { pattern, cased } => {
                // A column without capital letters needs no folding, but the rule's text still does.
                let fold = !cased && pattern_has_case(pattern);
                let fold_column = fold && column_has_case;
                match pattern.exact_text() {
                    Some(text) if fold_column => push_new(&mut exact_folded, folded_literal(text)),
                    Some(text) if fold => push_new(&mut exact, folded_literal(text)),
                    Some(text) => push_new(&mut exact, literal(text)),
                    None => terms.push(like(if fold_column { &folded } else { sql }, pattern, fold)),
                }
            }
            Test::Regex(pattern) => terms.push(format!("regexp_like({sql}, {})", literal(pattern))),
            Test::Compare { operator, number } => {
                terms.push(format!("TRY_CAST({sql} AS DOUBLE) {} {}", operator.sql(), double(*number)));
            }
            Test::Cidr(network) => {
                terms.push(format!("contains({}, TRY_CAST({sql} AS IPADDRESS))", literal(&network.to_string())));
            }
            Test::DatePart { part, number } => {
                terms.push(format!("{}(TRY(from_iso8601_timestamp({sql}))) = {number}", part.function()));
            }
            // These look at the field, not at one value of it.
            Test::Null | Test::Exists(_) | Test::SameAs { .. } => {}
        }
    }
    let mut all = equals_any(&folded, &exact_folded);
    all.extend(equals_any(sql, &exact));
    all.extend(terms);
    all
}

fn equals_any(sql: &str, literals: &[String]) -> Vec<String> {
    match literals {
        [] => Vec::new(),
        [only] => vec![format!("{sql} = {only}")],
        many => vec![format!("{sql} IN ({})", many.join(", "))],
    }
}

fn like(sql: &str, pattern: &Pattern, fold: bool) -> String {
    let (text, escaped) = like_text(pattern);
    let text = if fold { folded_literal(&text) } else { literal(&text) };
    format!("{sql} LIKE {text}{}", if escaped { " ESCAPE '\\'" } else { "" })
}

fn pattern_has_case(pattern: &Pattern) -> bool {
    pattern.parts.iter().any(|part| matches!(part, crate::ast::PatternPart::Text(text) if has_case(text)))
}

fn push_new(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// A number written the one way that its text equals the text of the column's value.
fn canonical_integer(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}
