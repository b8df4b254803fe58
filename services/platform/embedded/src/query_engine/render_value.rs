//! Values as Trino prints them, and types as Trino names them.

use super::functions::fields::is_json;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{
    DataType, DurationMillisecondType, Field, Float32Type, Float64Type, Schema, TimeUnit, TimestampMillisecondType,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::Result;
use std::fmt::Write;
use std::net::Ipv6Addr;

/// Prints the rows of batches of one schema.
pub(super) struct Renderer {
    n_columns: usize,
}

impl Renderer {
    pub(super) fn new(schema: &Schema) -> Self {
        Self { n_columns: schema.fields().len() }
    }

    pub(super) fn rows(&self, batch: &RecordBatch) -> Result<Vec<Vec<Option<String>>>> {
        let mut rows = vec![Vec::with_capacity(self.n_columns); batch.num_rows()];
        for column in batch.columns() {
            let printed = texts(column)?;
            rows.iter_mut().zip(printed).for_each(|(row, value)| row.push(value));
        }
        Ok(rows)
    }
}

/// Every value of an array as text; `None` for NULL.
pub(super) fn texts(array: &ArrayRef) -> Result<Vec<Option<String>>> {
    (0..array.len()).map(|i| if is_null(array, i) { Ok(None) } else { text(array, i).map(Some) }).collect()
}

/// One value that is not NULL.
pub(super) fn text(array: &ArrayRef, i: usize) -> Result<String> {
    Ok(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(i).to_owned(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(i).to_owned(),
        DataType::Utf8View => array.as_string_view().value(i).to_owned(),
        DataType::Boolean => array.as_boolean().value(i).to_string(),
        DataType::Float64 => java_double(array.as_primitive::<Float64Type>().value(i)),
        DataType::Float32 => java_double(f64::from(array.as_primitive::<Float32Type>().value(i))),
        DataType::Timestamp(_, zone) => {
            let millis = datafusion::arrow::compute::cast(
                &array.slice(i, 1),
                &DataType::Timestamp(TimeUnit::Millisecond, zone.clone()),
            )?;
            let text = timestamp(millis.as_primitive::<TimestampMillisecondType>().value(0));
            if zone.is_some() { format!("{text} UTC") } else { text }
        }
        DataType::Duration(TimeUnit::Millisecond) => interval(array.as_primitive::<DurationMillisecondType>().value(i)),
        DataType::FixedSizeBinary(16) => ip_text(array.as_fixed_size_binary().value(i)),
        DataType::Binary => hex(array.as_binary::<i32>().value(i)),
        DataType::BinaryView => hex(array.as_binary_view().value(i)),
        DataType::List(_) => list(&array.as_list::<i32>().value(i))?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(i))?,
        DataType::Struct(fields) => {
            let row = array.as_struct();
            pairs(fields.iter().zip(row.columns()).map(|(field, column)| (field.name().clone(), column)), i)?
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(i);
            let (keys, values) = (texts(entries.column(0))?, entries.column(1));
            let mut printed = Vec::with_capacity(keys.len());
            for (n, key) in keys.into_iter().enumerate() {
                printed.push(format!("{}={}", key.unwrap_or_default(), text_or_null(values, n)?));
            }
            format!("{{{}}}", printed.join(", "))
        }
        _ => ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())?.value(i).to_string(),
    })
}

/// The Trino name of a field's type.
pub(super) fn type_name(field: &Field) -> String {
    if is_json(field) {
        return "json".to_owned();
    }
    match field.data_type() {
        DataType::Null => "unknown".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "varchar".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 | DataType::UInt8 => "smallint".to_owned(),
        DataType::Int32 | DataType::UInt16 => "integer".to_owned(),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint".to_owned(),
        DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(_, None) => "timestamp(3)".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp(3) with time zone".to_owned(),
        DataType::Interval(_) | DataType::Duration(_) => "interval day to second".to_owned(),
        DataType::FixedSizeBinary(16) => "ipaddress".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "varbinary".to_owned(),
        DataType::List(element) | DataType::LargeList(element) => format!("array({})", type_name(element)),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields.iter().map(|f| format!("{} {}", f.name(), type_name(f))).collect();
            format!("row({})", fields.join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("map({}, {})", type_name(&fields[0]), type_name(&fields[1]))
            }
            _ => "map".to_owned(),
        },
        other => other.to_string().to_lowercase(),
    }
}

/// `2026-01-01 00:00:00.000`.
pub(super) fn timestamp(millis: i64) -> String {
    match chrono::DateTime::from_timestamp_millis(millis) {
        Some(time) => time.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        None => format!("{millis} ms after 1970"),
    }
}

/// As Java prints a double: `1.0`, `0.001`, `1.0E7`, `1.0E-4`.
pub(super) fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = value.abs();
    if value == 0.0 || (1e-3..1e7).contains(&magnitude) {
        let text = value.to_string();
        if text.contains('.') { text } else { format!("{text}.0") }
    } else {
        scientific(value)
    }
}

/// `3.77E1`: how Trino casts a double to varchar, and how Java prints large and small ones.
pub(super) fn scientific(value: f64) -> String {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => format!("{digits}E{exponent}"),
        Some((digits, exponent)) => format!("{digits}.0E{exponent}"),
        None => text,
    }
}

/// IPv4 addresses are held as `::ffff:a.b.c.d`.
pub(super) fn ip_text(bytes: &[u8]) -> String {
    let Ok(bytes) = <[u8; 16]>::try_from(bytes) else {
        return hex(bytes);
    };
    let address = Ipv6Addr::from(bytes);
    address.to_ipv4_mapped().map_or_else(|| address.to_string(), |v4| v4.to_string())
}

fn list(values: &ArrayRef) -> Result<String> {
    let printed = (0..values.len()).map(|i| text_or_null(values, i)).collect::<Result<Vec<_>>>()?;
    Ok(format!("[{}]", printed.join(", ")))
}

fn pairs<'a>(columns: impl Iterator<Item = (String, &'a ArrayRef)>, i: usize) -> Result<String> {
    let printed =
        columns.map(|(name, column)| Ok(format!("{name}={}", text_or_null(column, i)?))).collect::<Result<Vec<_>>>()?;
    Ok(format!("{{{}}}", printed.join(", ")))
}

fn text_or_null(array: &ArrayRef, i: usize) -> Result<String> {
    if is_null(array, i) { Ok("null".to_owned()) } else { text(array, i) }
}

/// An array of type null has no bitmap that says so.
fn is_null(array: &ArrayRef, i: usize) -> bool {
    array.is_null(i) || *array.data_type() == DataType::Null
}

/// `0 00:15:00.000`.
fn interval(millis: i64) -> String {
    let (sign, ms) = (if millis < 0 { "-" } else { "" }, millis.unsigned_abs());
    let (days, ms) = (ms / 86_400_000, ms % 86_400_000);
    let (hours, ms) = (ms / 3_600_000, ms % 3_600_000);
    let (minutes, ms) = (ms / 60_000, ms % 60_000);
    format!("{sign}{days} {hours:02}:{minutes:02}:{:02}.{:03}", ms / 1_000, ms % 1_000)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_as_java_prints_them() {
        for (value, expected) in [
            (1.0, "1.0"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (1e7, "1.0E7"),
            (123456.75, "123456.75"),
            (-0.5, "-0.5"),
        ] {
            assert_eq!(java_double(value), expected);
        }
        assert_eq!(scientific(37.7), "3.77E1");
        assert_eq!(scientific(100.0), "1.0E2");
    }

    #[test]
    fn spans_and_addresses_print_as_trino_prints_them() {
        assert_eq!(interval(900_000), "0 00:15:00.000");
        assert_eq!(interval(-90_061_001), "-1 01:01:01.001");
        assert_eq!(ip_text(&"10.0.0.1".parse::<std::net::Ipv4Addr>().unwrap().to_ipv6_mapped().octets()), "10.0.0.1");
    }
}
