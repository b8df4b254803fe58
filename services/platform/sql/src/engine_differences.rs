//! Where a query's answer depends on the engine that runs it: what `make parity` found, and why it stays so.

use crate::error::Position;
use crate::parse::position_of;
use sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Query, Value, Visit, Visitor,
};
use std::ops::ControlFlow;

/// Of a TIMESTAMP literal.
pub const DIGITS_OF_TIMESTAMP: &str = "a TIMESTAMP literal has as many digits of the second as it is written with on Trino \
    and Athena, and three on the embedded engine; its texts are the same where it is written with three";
/// Of a cast to one.
pub const DIGITS_OF_CAST: &str = "a cast to TIMESTAMP(n) gives n digits of the second on Trino and Athena, and three on the \
    embedded engine, as the lake's times have";
/// Of `date_trunc` over a date.
pub const DATE_OF_TRUNC: &str =
    "date_trunc of a DATE is a DATE on Trino and Athena, and a TIMESTAMP on the embedded engine";
/// Of `approx_percentile`.
pub const APPROXIMATION: &str = "approx_percentile is approximate, by another method on each engine, and is a double on the \
    embedded one whatever its argument";
/// Of `corr`.
pub const ROUNDING: &str = "corr adds in another order on each engine, and differs in the last digits";
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
            Expr::Function(function) if is_called(function, "approx_percentile") => Some(APPROXIMATION),
            Expr::Function(function) if is_called(function, "corr") => Some(ROUNDING),
            Expr::Function(function) if is_called(function, "date_trunc") && arguments(&function.args).any(is_date) => {
                Some(DATE_OF_TRUNC)
            }
            Expr::Function(function)
                if is_called(function, "from_iso8601_timestamp") && !arguments(&function.args).all(is_utc) =>
            {
                Some(OFFSET_OF_TIME)
            }
            Expr::Cast { data_type: DataType::Timestamp(Some(digits), _), .. } if *digits != 3 => Some(DIGITS_OF_CAST),
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

fn is_called(function: &Function, name: &str) -> bool {
    function.name.to_string().replace('"', "").eq_ignore_ascii_case(name)
}

fn arguments(arguments: &FunctionArguments) -> impl Iterator<Item = &Expr> {
    let list = if let FunctionArguments::List(list) = arguments { list.args.as_slice() } else { &[] };
    list.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    })
}

/// A text that ends in `Z`.
fn is_utc(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(&value.value, Value::SingleQuotedString(text) if text.ends_with('Z')))
}

/// As far as the text shows.
fn is_date(expr: &Expr) -> bool {
    match expr {
        Expr::TypedString(literal) => literal.data_type == DataType::Date,
        Expr::Cast { data_type, .. } => *data_type == DataType::Date,
        Expr::Function(function) => is_called(function, "date") || is_called(function, "current_date"),
        _ => false,
    }
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
        let cast = "SELECT CAST(a AS TIMESTAMP(6)), CAST(a AS TIMESTAMP(3)), CAST(a AS TIMESTAMP), \"from_iso8601_timestamp\"(a)";
        assert_eq!(found(cast).iter().map(|(cause, _)| *cause).collect::<Vec<_>>(), [DIGITS_OF_CAST, OFFSET_OF_TIME]);
        let called = "SELECT corr(a, b), approx_percentile(a, 0.5), date_trunc('day', date(a)), date_trunc('day', a)";
        let told: Vec<_> = found(called).iter().map(|(cause, _)| *cause).collect();
        assert_eq!(told, [ROUNDING, APPROXIMATION, DATE_OF_TRUNC]);
        let causes = [DIGITS_OF_TIMESTAMP, OFFSET_OF_TIME];
        assert_eq!(found(sql).iter().map(|(cause, _)| *cause).collect::<Vec<_>>(), causes);
        assert!(found(sql).iter().all(|(_, at)| at.line == 2), "{:?}", found(sql));
    }
}
