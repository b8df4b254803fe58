//! Values as JSON text, as `CAST(x AS JSON)` gives them.

use super::fields::is_json;
use super::json_scan::quote;
use crate::query_engine::render_value::text;
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::error::Result;
use mantissa_lake::catalogue::{Column, ColumnType, catalogue};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Appends one value that may be NULL.
///
/// Fields of the lake's own structs get the names their source gives them (`userName`), so that a struct compares with
/// the text of the record it came from; a field that is NULL is left out there, as it is in the record. Trino writes
/// the column names and `null`.
pub(super) fn write_json(array: &dyn Array, field: &Field, i: usize, to: &mut String) -> Result<()> {
    if array.is_null(i) {
        to.push_str("null");
        return Ok(());
    }
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let value = text(&array.slice(i, 1), 0)?;
            if is_json(field) { to.push_str(&value) } else { to.push_str(&quote(&value)) }
        }
        data_type if data_type.is_numeric() || *data_type == DataType::Boolean => {
            to.push_str(&text(&array.slice(i, 1), 0)?);
        }
        DataType::List(element) => {
            let values = array.as_list::<i32>().value(i);
            to.push('[');
            for n in 0..values.len() {
                if n > 0 {
                    to.push(',');
                }
                write_json(values.as_ref(), element, n, to)?;
            }
            to.push(']');
        }
        DataType::Struct(fields) => {
            let row = array.as_struct();
            to.push('{');
            let mut n_written = 0;
            for (field, column) in fields.iter().zip(row.columns()) {
                let source_name = SOURCE_NAMES.get(field.name().as_str());
                if source_name.is_some() && column.is_null(i) {
                    continue;
                }
                if n_written > 0 {
                    to.push(',');
                }
                n_written += 1;
                to.push_str(&quote(source_name.copied().unwrap_or(field.name())));
                to.push(':');
                write_json(column.as_ref(), field, i, to)?;
            }
            to.push('}');
        }
        DataType::Map(entries, _) => {
            let values = array.as_map().value(i);
            let value_field = match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => fields[1].as_ref().clone(),
                other => Field::new("value", other.clone(), true),
            };
            to.push('{');
            for n in 0..values.len() {
                if n > 0 {
                    to.push(',');
                }
                to.push_str(&quote(&text(values.column(0), n)?));
                to.push(':');
                write_json(values.column(1).as_ref(), &value_field, n, to)?;
            }
            to.push('}');
        }
        _ => to.push_str(&quote(&text(&array.slice(i, 1), 0)?)),
    }
    Ok(())
}

/// Names of struct fields, by the column name: the catalogue lowers them, so that one name has one source name.
static SOURCE_NAMES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for table in &catalogue().tables {
        for column in &table.columns {
            collect(&column.data_type, &mut names);
        }
    }
    names
});

fn collect(column_type: &ColumnType, names: &mut HashMap<&'static str, &'static str>) {
    match column_type {
        ColumnType::Struct(fields) => {
            for Column { name, source_field, data_type, .. } in fields {
                names.entry(*name).or_insert(*source_field);
                collect(data_type, names);
            }
        }
        ColumnType::Array(element) => collect(element, names),
        _ => {}
    }
}
