//! Where a query's answer depends on the engine that runs it: what `make parity` found, and why it stays so.

use crate::error::Position;
use crate::parse::position_of;
use sqlparser::ast::{DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query, Value, Visit, Visitor};
use std::ops::ControlFlow;

/// Of a TIMESTAMP literal.
pub const DIGITS_OF_TIMESTAMP: &str = "a TIMESTAMP literal has as many digits of the second as it is written with on Trino \
    and Athena, and three on the embedded engine; its texts are the same where it is written with three";
/// Of `from_iso8601_timestamp`.
pub const OFFSET_OF_TIME: &str = "from_iso8601_timestamp keeps the offset of its text on Trino and Athena, and gives UTC on \
    the embedded engine; texts and parts of the time differ where the text has another offset than Z";

/// Causes and their places, in the order of the text.
pub fn engine_differences(query: &Query) -> Vec<(&'static str, Position)> {
    let mut finder = Finder(Vec::new());
    let _flow: ControlFlow<()> = query.visit(&mut finder);
    finder.0
}

struct Finder(Vec<(&'static str, Position)>);

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let cause = match expr {
            Expr::TypedString(literal)
                if matches!(literal.data_type, DataType::Timestamp(..)) && !has_three_digits(&literal.value.value) =>
            {
                Some(DIGITS_OF_TIMESTAMP)
            }
            Expr::Function(function)
                if function.name.to_string().eq_ignore_ascii_case("from_iso8601_timestamp")
                    && !is_utc(&function.args) =>
            {
                Some(OFFSET_OF_TIME)
            }
            _ => None,
        };
        self.0.extend(cause.map(|cause| (cause, position_of(expr))));
        ControlFlow::Continue(())
    }
}

fn has_three_digits(value: &Value) -> bool {
    let Value::SingleQuotedString(text) = value else { return false };
    text.rsplit_once('.').is_some_and(|(_, fraction)| fraction.chars().take_while(char::is_ascii_digit).count() == 3)
}

/// A text that ends in `Z`.
fn is_utc(arguments: &FunctionArguments) -> bool {
    let FunctionArguments::List(list) = arguments else { return false };
    matches!(
        list.args.as_slice(),
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))]
            if matches!(&value.value, Value::SingleQuotedString(text) if text.ends_with('Z'))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    #[test]
    fn only_what_differs_is_told_with_its_place() {
        let found = |sql: &str| engine_differences(&parse(sql).unwrap());
        assert_eq!(
            found("SELECT TIMESTAMP '2026-01-01 00:00:00.000', from_iso8601_timestamp('2026-01-01T00:00:00Z')"),
            []
        );
        let sql = "SELECT a\nFROM t WHERE b > TIMESTAMP '2026-01-01 00:00:00' OR c > from_iso8601_timestamp(d)";
        let causes = [DIGITS_OF_TIMESTAMP, OFFSET_OF_TIME];
        assert_eq!(found(sql).iter().map(|(cause, _)| *cause).collect::<Vec<_>>(), causes);
        assert!(found(sql).iter().all(|(_, at)| at.line == 2), "{:?}", found(sql));
    }
}
