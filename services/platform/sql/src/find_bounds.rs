//! Which span of event dates a `WHERE` clause already confines a table to.

use chrono::{NaiveDate, NaiveDateTime};
use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};

/// What was found for one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoundBound {
    Missing,
    /// A condition on the partition columns themselves.
    Partition,
    /// A condition on `event_time`, from which one on the partition columns follows.
    EventTime {
        from: NaiveDate,
        to: Option<NaiveDate>,
    },
}

/// Looks through the conditions that must all hold.
pub(crate) fn find_bound(alias: &str, conditions: &[&Expr]) -> FoundBound {
    let mut conjuncts = Vec::new();
    conditions.iter().for_each(|condition| split_conjunction(condition, &mut conjuncts));
    if conjuncts.iter().any(|conjunct| bounds_year(conjunct, alias)) {
        return FoundBound::Partition;
    }
    let (mut from, mut to): (Option<NaiveDate>, Option<NaiveDate>) = (None, None);
    for conjunct in conjuncts {
        let (lower, upper) = event_time_bounds(conjunct, alias);
        from = from.max(lower);
        to = match (to, upper) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    from.map_or(FoundBound::Missing, |from| FoundBound::EventTime { from, to })
}

fn split_conjunction<'a>(expr: &'a Expr, found: &mut Vec<&'a Expr>) {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            split_conjunction(left, found);
            split_conjunction(right, found);
        }
        Expr::Nested(inner) => split_conjunction(inner, found),
        other => found.push(other),
    }
}

/// Whether the condition leaves finitely many years, or years from one on.
fn bounds_year(expr: &Expr, alias: &str) -> bool {
    match expr {
        Expr::Nested(inner) => bounds_year(inner, alias),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            bounds_year(left, alias) || bounds_year(right, alias)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => bounds_year(left, alias) && bounds_year(right, alias),
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            (begins_with_year(left, alias) && is_text(right)) || (is_text(left) && begins_with_year(right, alias))
        }
        Expr::BinaryOp { left, op: BinaryOperator::Gt | BinaryOperator::GtEq, right } => {
            begins_with_year(left, alias) && is_text(right)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Lt | BinaryOperator::LtEq, right } => {
            is_text(left) && begins_with_year(right, alias)
        }
        Expr::InList { expr, list, negated: false } => begins_with_year(expr, alias) && list.iter().all(is_text),
        Expr::Between { expr, negated: false, low, .. } => begins_with_year(expr, alias) && is_text(low),
        _ => false,
    }
}

/// `year`, `t.year`, `year || month || day`, `concat(year, ...)`.
fn begins_with_year(expr: &Expr, alias: &str) -> bool {
    match expr {
        Expr::Nested(inner) => begins_with_year(inner, alias),
        Expr::BinaryOp { left, op: BinaryOperator::StringConcat, .. } => begins_with_year(left, alias),
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("concat") => {
            first_argument(function).is_some_and(|first| begins_with_year(first, alias))
        }
        other => is_column(other, alias, "year"),
    }
}

fn event_time_bounds(expr: &Expr, alias: &str) -> (Option<NaiveDate>, Option<NaiveDate>) {
    match expr {
        Expr::BinaryOp { left, op, right } => {
            let (op, date) = if is_column(left, alias, "event_time") {
                (op.clone(), date_of(right))
            } else if is_column(right, alias, "event_time") {
                (mirrored(op), date_of(left))
            } else {
                return (None, None);
            };
            match op {
                BinaryOperator::Gt | BinaryOperator::GtEq => (date, None),
                BinaryOperator::Lt | BinaryOperator::LtEq => (None, date),
                BinaryOperator::Eq => (date, date),
                _ => (None, None),
            }
        }
        Expr::Between { expr, negated: false, low, high } if is_column(expr, alias, "event_time") => {
            (date_of(low), date_of(high))
        }
        _ => (None, None),
    }
}

fn mirrored(op: &BinaryOperator) -> BinaryOperator {
    match op {
        BinaryOperator::Gt => BinaryOperator::Lt,
        BinaryOperator::GtEq => BinaryOperator::LtEq,
        BinaryOperator::Lt => BinaryOperator::Gt,
        BinaryOperator::LtEq => BinaryOperator::GtEq,
        other => other.clone(),
    }
}

/// The date of a literal in UTC; `None` for anything that has to be computed.
fn date_of(expr: &Expr) -> Option<NaiveDate> {
    match expr {
        Expr::Nested(inner) => date_of(inner),
        Expr::TypedString(typed) if matches!(typed.data_type, DataType::Timestamp(..) | DataType::Date) => {
            match &typed.value.value {
                Value::SingleQuotedString(text) => parse_date(text),
                _ => None,
            }
        }
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("from_iso8601_timestamp") => {
            match first_argument(function)? {
                Expr::Value(value) => match &value.value {
                    Value::SingleQuotedString(text) => {
                        chrono::DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc().date_naive())
                    }
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M"))
        .map(|time| time.date())
        .or_else(|_| NaiveDate::parse_from_str(text, "%Y-%m-%d"))
        .ok()
}

fn is_column(expr: &Expr, alias: &str, column: &str) -> bool {
    match expr {
        Expr::Identifier(ident) => ident.value.eq_ignore_ascii_case(column),
        Expr::CompoundIdentifier(parts) => matches!(parts.as_slice(), [table, name]
            if table.value.eq_ignore_ascii_case(alias) && name.value.eq_ignore_ascii_case(column)),
        _ => false,
    }
}

fn is_text(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)))
}

fn first_argument(function: &Function) -> Option<&Expr> {
    match &function.args {
        FunctionArguments::List(list) => match list.args.first() {
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))) => Some(expr),
            _ => None,
        },
        _ => None,
    }
}
