//! `CAST` and `TRY_CAST`.

use super::super::error::QueryError;
use super::build::{boolean, call, cast, text};
use super::rewrite_times::{TIMESTAMP, TIMESTAMP_UTC};
use mantissa_sql::Position;
use sqlparser::ast::{ArrayElemTypeDef, CastKind, DataType, Expr, TimezoneInfo};

pub(super) fn rewrite_cast(expr: &Expr, at: Position) -> Result<Expr, QueryError> {
    let Expr::Cast { kind, expr: value, data_type, .. } = expr else {
        return Ok(expr.clone());
    };
    let value = (**value).clone();
    let is_try = *kind == CastKind::TryCast;
    let with_flag = |name: &str, value: Expr| call(name, vec![value, boolean(is_try)]);
    let unsupported = || QueryError::Unsupported { what: format!("a cast to {data_type}"), at };
    let by_arrow_name = |value: Expr, name: &str| {
        call(if is_try { "arrow_try_cast" } else { "arrow_cast" }, vec![with_flag("trino_unjson", value), text(name)])
    };
    Ok(match data_type {
        DataType::Varchar(length) => {
            let text = with_flag("trino_to_varchar", value);
            match length {
                None => text,
                Some(length) => call("trino_substr", vec![text, super::build::number(1), length_of(length, at)?]),
            }
        }
        DataType::JSON => with_flag("trino_to_json", value),
        DataType::Custom(name, _) if name.to_string().eq_ignore_ascii_case("ipaddress") => {
            with_flag("trino_to_ip", value)
        }
        DataType::TinyInt(_)
        | DataType::SmallInt(_)
        | DataType::Int(_)
        | DataType::Integer(_)
        | DataType::BigInt(_) => cast(kind.clone(), with_flag("trino_for_integer", value), data_type.clone()),
        DataType::Boolean
        | DataType::Double(_)
        | DataType::DoublePrecision
        | DataType::Real
        | DataType::Date
        | DataType::Decimal(_) => cast(kind.clone(), with_flag("trino_unjson", value), data_type.clone()),
        DataType::Timestamp(_, TimezoneInfo::WithTimeZone) => by_arrow_name(value, TIMESTAMP_UTC),
        DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => by_arrow_name(value, TIMESTAMP),
        DataType::Varbinary(_) => by_arrow_name(value, "Binary"),
        DataType::Array(ArrayElemTypeDef::Parenthesis(element)) => match element.as_ref() {
            DataType::JSON => with_flag("trino_json_list", value),
            DataType::Varchar(_) => with_flag("trino_text_list", value),
            DataType::BigInt(_) => list_of(with_flag("trino_text_list", value), "List(Int64)", is_try),
            DataType::Integer(_) | DataType::Int(_) => {
                list_of(with_flag("trino_text_list", value), "List(Int32)", is_try)
            }
            DataType::Double(_) => list_of(with_flag("trino_text_list", value), "List(Float64)", is_try),
            DataType::Boolean => list_of(with_flag("trino_text_list", value), "List(Boolean)", is_try),
            _ => return Err(unsupported()),
        },
        _ => return Err(unsupported()),
    })
}

fn list_of(texts: Expr, arrow_type: &str, is_try: bool) -> Expr {
    call(if is_try { "arrow_try_cast" } else { "arrow_cast" }, vec![texts, text(arrow_type)])
}

fn length_of(length: &sqlparser::ast::CharacterLength, at: Position) -> Result<Expr, QueryError> {
    match length {
        sqlparser::ast::CharacterLength::IntegerLength { length, .. } => {
            Ok(super::build::number(i64::try_from(*length).unwrap_or(i64::MAX)))
        }
        sqlparser::ast::CharacterLength::Max => Err(QueryError::Unsupported { what: "varchar(max)".into(), at }),
    }
}
