//! Casts that differ between Trino and DataFusion: to and from JSON, to varchar, to IPADDRESS.
//!
//! The rewriter writes them; their last argument, where there is one, says whether a value that cannot be converted is
//! NULL (`TRY_CAST`) or an error (`CAST`).

use super::fields::{is_json, json_field, json_list_type, nullable};
use super::json_scan::{compact, elements, scalar_text};
use super::udf::{Texts, Udf, anything, is_text, returns_text, texts_only};
use super::write_json::write_json;
use crate::query_engine::render_value::{java_double, scientific, text};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryBuilder, ListBuilder, StringArray, StringBuilder,
};
use datafusion::arrow::datatypes::{DataType, FieldRef, Float32Type, Float64Type};
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use std::net::IpAddr;
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        Udf::function("trino_to_varchar", anything, returns_text, to_varchar),
        Udf::function("trino_unjson", anything, returns_unjson, unjson),
        Udf::function("trino_for_integer", anything, returns_for_integer, for_integer),
        Udf::function("trino_to_json", anything, |_| Ok(Arc::new(json_field(""))), to_json),
        Udf::function("trino_to_ip", anything, |_| Ok(nullable(DataType::FixedSizeBinary(16))), to_ip),
        Udf::function("trino_json_list", one_text_and_flag, |_| Ok(nullable(json_list_type())), json_list),
        Udf::function("trino_text_list", one_text_and_flag, returns_text_list, text_list),
    ]
}

fn one_text_and_flag(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    texts_only(name, &types[..1])?;
    Ok(types.to_vec())
}

fn returns_text_list(_: &ReturnFieldArgs) -> Result<FieldRef> {
    Ok(nullable(DataType::new_list(DataType::Utf8, true)))
}

/// JSON becomes the text of its scalar; everything else stays as it is.
fn returns_unjson(args: &ReturnFieldArgs) -> Result<FieldRef> {
    let field = &args.arg_fields[0];
    Ok(nullable(if is_json(field) { DataType::Utf8 } else { field.data_type().clone() }))
}

fn returns_for_integer(args: &ReturnFieldArgs) -> Result<FieldRef> {
    let field = &args.arg_fields[0];
    let is_float = field.data_type().is_floating();
    Ok(nullable(if is_json(field) || is_float { DataType::Float64 } else { field.data_type().clone() }))
}

fn is_try(args: &ScalarFunctionArgs) -> bool {
    matches!(args.args.get(1), Some(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true)))))
}

fn input(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    args.args[0].clone().into_array(args.number_rows)
}

fn to_varchar(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let array = input(args)?;
    if is_json(&args.arg_fields[0]) {
        return json_scalars(&array, is_try(args), "varchar");
    }
    match array.data_type() {
        DataType::Utf8 => return Ok(array),
        data_type if is_text(data_type) => return Ok(datafusion::arrow::compute::cast(&array, &DataType::Utf8)?),
        _ => {}
    }
    let mut texts = StringBuilder::new();
    for i in 0..array.len() {
        if array.is_null(i) {
            texts.append_null();
            continue;
        }
        texts.append_value(match array.data_type() {
            DataType::Float64 => double_text(array.as_primitive::<Float64Type>().value(i)),
            DataType::Float32 => double_text(f64::from(array.as_primitive::<Float32Type>().value(i))),
            _ => text(&array, i)?,
        });
    }
    Ok(Arc::new(texts.finish()))
}

fn double_text(value: f64) -> String {
    if value.is_finite() { scientific(value) } else { java_double(value) }
}

fn unjson(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let array = input(args)?;
    if is_json(&args.arg_fields[0]) { json_scalars(&array, is_try(args), "this type") } else { Ok(array) }
}

/// Trino rounds where it casts to an integer; DataFusion cuts.
fn for_integer(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let array = input(args)?;
    let array = if is_json(&args.arg_fields[0]) {
        let texts = json_scalars(&array, is_try(args), "an integer")?;
        let booleans = |text: &str| match text {
            "true" => "1".to_owned(),
            "false" => "0".to_owned(),
            other => other.to_owned(),
        };
        let numbers: StringArray = texts.as_string::<i32>().iter().map(|text| text.map(booleans)).collect();
        let options = datafusion::arrow::compute::CastOptions { safe: is_try(args), ..Default::default() };
        datafusion::arrow::compute::cast_with_options(&numbers, &DataType::Float64, &options)?
    } else if array.data_type().is_floating() {
        datafusion::arrow::compute::cast(&array, &DataType::Float64)?
    } else {
        return Ok(array);
    };
    Ok(Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::round)))
}

fn json_scalars(array: &ArrayRef, is_try: bool, target: &str) -> Result<ArrayRef> {
    let texts = Texts::of_array(array.as_ref())?;
    let mut values = StringBuilder::new();
    for i in 0..array.len() {
        match texts.get(i) {
            Some(json) if !is_try && json.starts_with(['{', '[']) => {
                return exec_err!("cannot cast JSON to {target}: {}", json.chars().take(80).collect::<String>());
            }
            json => values.append_option(json.and_then(scalar_text)),
        }
    }
    Ok(Arc::new(values.finish()))
}

fn to_json(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let array = input(args)?;
    if is_json(&args.arg_fields[0]) {
        return Ok(datafusion::arrow::compute::cast(&array, &DataType::Utf8)?);
    }
    let mut values = StringBuilder::new();
    let mut buffer = String::new();
    for i in 0..array.len() {
        if array.is_null(i) {
            values.append_null();
        } else {
            buffer.clear();
            write_json(array.as_ref(), &args.arg_fields[0], i, &mut buffer)?;
            values.append_value(&buffer);
        }
    }
    Ok(Arc::new(values.finish()))
}

fn to_ip(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let array = input(args)?;
    if *array.data_type() == DataType::FixedSizeBinary(16) {
        return Ok(array);
    }
    let unjsoned = if is_json(&args.arg_fields[0]) { json_scalars(&array, is_try(args), "ipaddress")? } else { array };
    let texts = Texts::of_array(unjsoned.as_ref())?;
    let mut values = FixedSizeBinaryBuilder::with_capacity(args.number_rows, 16);
    for i in 0..unjsoned.len() {
        match texts.get(i).map(|text| (text, text.parse::<IpAddr>())) {
            Some((_, Ok(address))) => values.append_value(ip_bytes(address))?,
            Some((text, Err(_))) if !is_try(args) => {
                return exec_err!("cannot cast value to IPADDRESS: {}", text.chars().take(80).collect::<String>());
            }
            _ => values.append_null(),
        }
    }
    Ok(Arc::new(values.finish()))
}

/// IPv4 addresses are held as `::ffff:a.b.c.d`, as Trino holds them.
pub(super) fn ip_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn json_list(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let field = json_field(datafusion::arrow::datatypes::Field::LIST_FIELD_DEFAULT_NAME);
    split_arrays(args, ListBuilder::new(StringBuilder::new()).with_field(field), |values, element| {
        values.append_value(compact(element));
    })
}

fn text_list(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    split_arrays(args, ListBuilder::new(StringBuilder::new()), |values, element| {
        values.append_option(scalar_text(element));
    })
}

fn split_arrays(
    args: &ScalarFunctionArgs,
    mut lists: ListBuilder<StringBuilder>,
    append: impl Fn(&mut StringBuilder, &str),
) -> Result<ArrayRef> {
    let json = Texts::of(&args.args[0])?;
    for i in 0..args.number_rows {
        match json.get(i).map(|json| (json, elements(json))) {
            Some((_, Some(found))) => {
                found.into_iter().for_each(|element| append(lists.values(), element));
                lists.append(true);
            }
            Some((json, None)) if json.trim() != "null" && !is_try(args) => {
                return exec_err!("cannot cast JSON to an array: {}", json.chars().take(80).collect::<String>());
            }
            _ => lists.append(false),
        }
    }
    Ok(Arc::new(lists.finish()))
}
