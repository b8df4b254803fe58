//! `LIKE`: DataFusion takes a backslash as the escape character always, Trino only the one that `ESCAPE` names.

use super::super::error::QueryError;
use super::build::{call, text, text_of};
use mantissa_sql::Position;
use sqlparser::ast::{Expr, Value};

pub(super) fn rewrite_like(expr: &mut Expr, at: Position) -> Result<Expr, QueryError> {
    let (Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. }) = expr else {
        return Ok(expr.clone());
    };
    let escape = match escape_char.take().map(|value| value.value) {
        None => None,
        Some(Value::SingleQuotedString(text)) if text.chars().count() == 1 => text.chars().next(),
        Some(other) => return Err(QueryError::Invalid { what: format!("ESCAPE {other} must be one character"), at }),
    };
    let replaced = match (text_of(pattern), escape) {
        (Some(literal), escape) => {
            text(&with_backslashes(literal, escape).map_err(|what| QueryError::Invalid { what, at })?)
        }
        (None, None) => call("replace", vec![(**pattern).clone(), text("\\"), text("\\\\")]),
        (None, Some(_)) => {
            return Err(QueryError::Unsupported {
                what: "LIKE ... ESCAPE with a pattern that is not a literal".into(),
                at,
            });
        }
    };
    **pattern = replaced;
    Ok(expr.clone())
}

fn with_backslashes(pattern: &str, escape: Option<char>) -> Result<String, String> {
    let mut text = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            match chars.next() {
                Some(next) if next == '%' || next == '_' || Some(next) == escape => {
                    if next != '%' && next != '_' && next != '\\' {
                        text.push(next);
                    } else {
                        text.extend(['\\', next]);
                    }
                }
                _ => return Err(format!("the escape character in '{pattern}' is followed by none of %, _ and itself")),
            }
        } else if c == '\\' {
            text.push_str("\\\\");
        } else {
            text.push(c);
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_backslashes() {
        assert_eq!(with_backslashes("a\\b%", None).unwrap(), "a\\\\b%");
        assert_eq!(with_backslashes("a\\_b\\\\%", Some('\\')).unwrap(), "a\\_b\\\\%");
        assert_eq!(with_backslashes("#%##\\", Some('#')).unwrap(), "\\%#\\\\");
        assert!(with_backslashes("a\\b", Some('\\')).is_err());
    }
}
