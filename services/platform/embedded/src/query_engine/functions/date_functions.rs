//! Times: read, printed, added to and subtracted, in UTC and milliseconds.

use super::date_formats::to_chrono;
use super::fields::nullable;
use super::udf::{
    Texts, Udf, bigint_at, check_count, is_text, returns_bigint, returns_double, returns_text, texts_only,
};
use chrono::format::{Parsed, StrftimeItems};
use chrono::{DateTime, Months, NaiveDate, NaiveDateTime, Utc};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, StringArray, TimestampMillisecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Float64Type, TimeUnit, TimestampMillisecondType};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        Udf::function("trino_from_iso8601_timestamp", texts_only, returns_utc, from_iso8601_timestamp),
        Udf::function("trino_from_iso8601_date", texts_only, |_| Ok(nullable(DataType::Date32)), from_iso8601_date),
        Udf::function("trino_date_parse", two_texts, returns_timestamp, date_parse),
        Udf::function("trino_date_format", time_and_text, returns_text, date_format),
        Udf::function("trino_to_iso8601", one_time, returns_text, to_iso8601),
        Udf::function("trino_from_unixtime", one_number, returns_utc, from_unixtime),
        Udf::function("trino_to_unixtime", one_time, returns_double, to_unixtime),
        Udf::function("trino_date_add", unit_number_time, returns_third, date_add),
        Udf::function("trino_date_diff", unit_two_times, returns_bigint, date_diff),
    ]
}

const MILLIS: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

fn utc_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

fn returns_utc(_: &ReturnFieldArgs) -> Result<FieldRef> {
    Ok(nullable(utc_type()))
}

fn returns_timestamp(_: &ReturnFieldArgs) -> Result<FieldRef> {
    Ok(nullable(MILLIS))
}

fn returns_third(args: &ReturnFieldArgs) -> Result<FieldRef> {
    Ok(nullable(args.arg_fields[2].data_type().clone()))
}

fn two_texts(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 2..=2)?;
    texts_only(name, types)
}

/// Dates stay dates, timestamps become milliseconds in their zone.
fn time_type(name: &str, data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Timestamp(_, Some(_)) => Ok(utc_type()),
        DataType::Timestamp(_, None) | DataType::Null => Ok(MILLIS),
        DataType::Date32 => Ok(DataType::Date32),
        other => plan_err!("function `{name}` expects a timestamp or a date, found {other}"),
    }
}

fn one_time(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 1..=1)?;
    Ok(vec![time_type(name, &types[0])?])
}

fn time_and_text(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 2..=2)?;
    texts_only(name, &types[1..])?;
    Ok(vec![time_type(name, &types[0])?, types[1].clone()])
}

fn one_number(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 1..=1)?;
    if types[0].is_numeric() { Ok(vec![DataType::Float64]) } else { plan_err!("function `{name}` expects a number") }
}

fn unit_number_time(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 3..=3)?;
    if !is_text(&types[0]) || !types[1].is_integer() {
        return plan_err!("function `{name}` expects a unit, a whole number and a time");
    }
    Ok(vec![types[0].clone(), DataType::Int64, time_type(name, &types[2])?])
}

fn unit_two_times(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 3..=3)?;
    texts_only(name, &types[..1])?;
    Ok(vec![types[0].clone(), time_type(name, &types[1])?, time_type(name, &types[2])?])
}

fn millis(args: &ScalarFunctionArgs, i: usize) -> Result<TimestampMillisecondArray> {
    let array = args.args[i].clone().into_array(args.number_rows)?;
    let array = cast(&array, &DataType::Timestamp(TimeUnit::Millisecond, None))?;
    Ok(array.as_primitive::<TimestampMillisecondType>().clone())
}

fn from_iso8601_timestamp(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let texts = Texts::of(&args.args[0])?;
    let parse = |text: &str| match parse_iso8601(text) {
        Some(time) => Ok(time.timestamp_millis()),
        None => exec_err!("from_iso8601_timestamp: '{text}' is not an ISO 8601 timestamp"),
    };
    let values = (0..args.number_rows)
        .map(|i| texts.get(i).map(parse).transpose())
        .collect::<Result<TimestampMillisecondArray>>()?;
    Ok(Arc::new(values.with_timezone("UTC")))
}

/// With an offset, or in UTC without one.
fn parse_iso8601(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(time.to_utc());
    }
    let bare = text.strip_suffix('Z').unwrap_or(text);
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(bare, format).ok())
        .or_else(|| NaiveDate::parse_from_str(bare, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
        .map(|time| time.and_utc())
}

fn from_iso8601_date(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let texts = Texts::of(&args.args[0])?;
    let parse = |text: &str| match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(date) => Ok((date - NaiveDate::default()).num_days() as i32),
        Err(_) => exec_err!("from_iso8601_date: '{text}' is not an ISO 8601 date"),
    };
    let dates = (0..args.number_rows).map(|i| texts.get(i).map(parse).transpose()).collect::<Result<Date32Array>>()?;
    Ok(Arc::new(dates))
}

fn date_parse(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, formats) = (Texts::of(&args.args[0])?, Texts::of(&args.args[1])?);
    let parse = |i: usize| -> Result<Option<i64>> {
        let (Some(text), Some(format)) = (texts.get(i), formats.get(i)) else {
            return Ok(None);
        };
        // Any number of digits of a fraction is read; chrono's `%6f` wants six.
        let chrono_format = to_chrono(format).map_err(DataFusionError::Plan)?.replace(".%6f", "%.f");
        match parse_with_defaults(text, &chrono_format) {
            Some(time) => Ok(Some(time.and_utc().timestamp_millis())),
            None => exec_err!("date_parse: '{text}' does not have the format '{format}'"),
        }
    };
    Ok(Arc::new((0..args.number_rows).map(parse).collect::<Result<TimestampMillisecondArray>>()?))
}

/// What a format leaves out is the first: month, day, hour, minute.
fn parse_with_defaults(text: &str, format: &str) -> Option<NaiveDateTime> {
    let mut parsed = Parsed::new();
    chrono::format::parse(&mut parsed, text, StrftimeItems::new(format)).ok()?;
    if parsed.ordinal().is_none() && parsed.isoweek().is_none() {
        if parsed.month().is_none() {
            parsed.set_month(1).ok()?;
        }
        if parsed.day().is_none() {
            parsed.set_day(1).ok()?;
        }
    }
    if parsed.hour_div_12().is_none() && parsed.hour_mod_12().is_none() {
        parsed.set_hour(0).ok()?;
    }
    if parsed.minute().is_none() {
        parsed.set_minute(0).ok()?;
    }
    Some(NaiveDateTime::new(parsed.to_naive_date().ok()?, parsed.to_naive_time().ok()?))
}

fn date_format(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (times, formats) = (millis(args, 0)?, Texts::of(&args.args[1])?);
    let print = |i: usize| -> Result<Option<String>> {
        let (true, Some(format)) = (times.is_valid(i), formats.get(i)) else {
            return Ok(None);
        };
        let format = to_chrono(format).map_err(DataFusionError::Plan)?;
        Ok(DateTime::from_timestamp_millis(times.value(i)).map(|time| time.format(&format).to_string()))
    };
    Ok(Arc::new((0..args.number_rows).map(print).collect::<Result<StringArray>>()?))
}

fn to_iso8601(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let format = match args.arg_fields[0].data_type() {
        DataType::Date32 => "%Y-%m-%d",
        DataType::Timestamp(_, Some(_)) => "%Y-%m-%dT%H:%M:%S%.3fZ",
        _ => "%Y-%m-%dT%H:%M:%S%.3f",
    };
    let times = millis(args, 0)?;
    let texts =
        times.iter().map(|at| at.and_then(DateTime::from_timestamp_millis).map(|time| time.format(format).to_string()));
    Ok(Arc::new(texts.collect::<StringArray>()))
}

fn from_unixtime(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let seconds = args.args[0].clone().into_array(args.number_rows)?;
    let times: TimestampMillisecondArray =
        seconds.as_primitive::<Float64Type>().iter().map(|s| s.map(|s| (s * 1_000.0).round() as i64)).collect();
    Ok(Arc::new(times.with_timezone("UTC")))
}

fn to_unixtime(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let seconds = millis(args, 0)?.iter().map(|at| at.map(|ms| ms as f64 / 1_000.0)).collect::<Float64Array>();
    Ok(Arc::new(seconds))
}

fn date_add(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (units, times) = (Texts::of(&args.args[0])?, millis(args, 2)?);
    let add = |i: usize| -> Result<Option<i64>> {
        let (Some(unit), Some(n), true) = (units.get(i), bigint_at(&args.args[1], i), times.is_valid(i)) else {
            return Ok(None);
        };
        let at = times.value(i);
        match Unit::parse("date_add", unit)? {
            Unit::Millis(size) => Ok(n.checked_mul(size).and_then(|span| at.checked_add(span))),
            Unit::Months(size) => Ok(add_months(at, n * size)),
        }
    };
    let added = (0..args.number_rows).map(add).collect::<Result<TimestampMillisecondArray>>()?;
    Ok(cast(&added, args.return_type())?)
}

/// The number of whole units from one time to another, towards zero.
fn date_diff(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (units, from, to) = (Texts::of(&args.args[0])?, millis(args, 1)?, millis(args, 2)?);
    let diff = |i: usize| -> Result<Option<i64>> {
        let (Some(unit), true, true) = (units.get(i), from.is_valid(i), to.is_valid(i)) else {
            return Ok(None);
        };
        let (from, to) = (from.value(i), to.value(i));
        match Unit::parse("date_diff", unit)? {
            Unit::Millis(size) => Ok(Some((to - from) / size)),
            Unit::Months(size) => Ok(months_between(from, to).map(|months| months / size)),
        }
    };
    Ok(Arc::new((0..args.number_rows).map(diff).collect::<Result<Int64Array>>()?))
}

enum Unit {
    Millis(i64),
    Months(i64),
}

impl Unit {
    fn parse(function: &str, text: &str) -> Result<Self> {
        Ok(match text.to_lowercase().as_str() {
            "millisecond" => Self::Millis(1),
            "second" => Self::Millis(1_000),
            "minute" => Self::Millis(60_000),
            "hour" => Self::Millis(3_600_000),
            "day" => Self::Millis(86_400_000),
            "week" => Self::Millis(7 * 86_400_000),
            "month" => Self::Months(1),
            "quarter" => Self::Months(3),
            "year" => Self::Months(12),
            _ => return plan_err!("{function}: '{text}' is not a unit of time"),
        })
    }
}

fn add_months(at: i64, months: i64) -> Option<i64> {
    let time = DateTime::from_timestamp_millis(at)?;
    let span = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let moved = if months < 0 { time.checked_sub_months(span) } else { time.checked_add_months(span) };
    moved.map(|time| time.timestamp_millis())
}

fn months_between(from: i64, to: i64) -> Option<i64> {
    use chrono::Datelike;
    let (start, end) = (DateTime::from_timestamp_millis(from)?, DateTime::from_timestamp_millis(to)?);
    let count = |time: DateTime<Utc>| i64::from(time.year()) * 12 + i64::from(time.month0());
    let months = count(end) - count(start);
    let reached = add_months(from, months)?;
    Some(match months {
        m if m > 0 && reached > to => m - 1,
        m if m < 0 && reached < to => m + 1,
        m => m,
    })
}
