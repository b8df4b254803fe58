//! Literals of time, parts of times, time zones.

use super::super::error::QueryError;
use super::build::{arrow_cast, bigint, call, cast, number, text, text_of};
use chrono::{NaiveDate, NaiveDateTime};
use mantissa_sql::Position;
use sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr, TypedString, Value};

pub(super) const TIMESTAMP: &str = "Timestamp(ms)";
pub(super) const TIMESTAMP_UTC: &str = "Timestamp(ms, \"UTC\")";

/// `TIMESTAMP '...'`, `DATE '...'`, `IPADDRESS '...'`, `JSON '...'`, and numbers written so.
pub(super) fn rewrite_typed_string(typed: &TypedString, at: Position) -> Result<Expr, QueryError> {
    let Value::SingleQuotedString(literal) = &typed.value.value else {
        return Err(QueryError::Invalid { what: format!("the literal {typed} is not text"), at });
    };
    match &typed.data_type {
        DataType::Timestamp(..) => {
            let (bare, arrow_type) = match literal.strip_suffix(" UTC").or_else(|| literal.strip_suffix("+00:00")) {
                Some(bare) => (bare, TIMESTAMP_UTC),
                None => (literal.as_str(), TIMESTAMP),
            };
            let millis = parse_timestamp(bare.trim())
                .ok_or_else(|| QueryError::Invalid { what: format!("'{literal}' is not a timestamp"), at })?;
            Ok(arrow_cast(number(millis), arrow_type))
        }
        DataType::Date => match NaiveDate::parse_from_str(literal.trim(), "%Y-%m-%d") {
            Ok(_) => Ok(cast(CastKind::Cast, text(literal.trim()), DataType::Date)),
            Err(_) => Err(QueryError::Invalid { what: format!("'{literal}' is not a date"), at }),
        },
        DataType::JSON => Ok(call("json_parse", vec![text(literal)])),
        DataType::Custom(name, _) if name.to_string().eq_ignore_ascii_case("ipaddress") => {
            Ok(call("trino_to_ip", vec![text(literal)]))
        }
        DataType::Double(_) | DataType::BigInt(_) | DataType::Integer(_) | DataType::Varchar(_) | DataType::Boolean => {
            Ok(cast(CastKind::Cast, text(literal), typed.data_type.clone()))
        }
        other => Err(QueryError::Unsupported { what: format!("a literal of type {other}"), at }),
    }
}

/// `year(x)`, `extract(year FROM x)`.
pub(super) fn date_part(part: &str, value: Expr, at: Position) -> Result<Expr, QueryError> {
    let lowered = part.to_lowercase();
    let arrow_part = match lowered.as_str() {
        "year" | "quarter" | "month" | "week" | "day" | "hour" | "minute" | "second" | "millisecond" => {
            lowered.as_str()
        }
        "week_of_year" => "week",
        "day_of_month" => "day",
        "day_of_week" | "dow" => "isodow",
        "day_of_year" | "doy" => "doy",
        _ => return Err(QueryError::Unsupported { what: format!("the part `{part}` of a time"), at }),
    };
    let value = bigint(call("date_part", vec![text(arrow_part), value]));
    // DataFusion counts the milliseconds of the minute, Trino those of the second.
    Ok(if arrow_part == "millisecond" {
        Expr::BinaryOp { left: Box::new(value), op: BinaryOperator::Modulo, right: Box::new(number(1_000)) }
    } else {
        value
    })
}

pub(super) fn at_time_zone(value: Expr, zone: &Expr, at: Position) -> Result<Expr, QueryError> {
    match text_of(zone) {
        Some("UTC" | "Z" | "+00:00" | "Etc/UTC") => Ok(arrow_cast(value, TIMESTAMP_UTC)),
        _ => Err(QueryError::Unsupported { what: "a time zone other than 'UTC'".into(), at }),
    }
}

fn parse_timestamp(text: &str) -> Option<i64> {
    let time = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    Some(time.and_utc().timestamp_millis())
}
