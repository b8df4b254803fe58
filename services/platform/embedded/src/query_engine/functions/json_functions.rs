//! `json_extract` and its family, with Trino's results.

use super::fields::json_field;
use super::json_path::JsonPath;
use super::json_scan::{compact, elements, entries, find, is_valid, scalar_text};
use super::udf::{
    Texts, Udf, bigint_at, check_count, returns_bigint, returns_boolean, returns_text, texts_only, texts_then_bigints,
};
use datafusion::arrow::array::{Array, ArrayRef, BooleanBuilder, Int64Array, Int64Builder, StringBuilder};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use std::borrow::Cow;
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        Udf::function("json_extract", two_texts, returns_json, json_extract),
        Udf::function("json_extract_scalar", two_texts, returns_text, json_extract_scalar),
        Udf::function("json_format", one_text, returns_text, |args| {
            map_texts(args, |text| Ok(Some(Cow::Borrowed(text))))
        }),
        Udf::function("json_parse", one_text, returns_json, |args| map_texts(args, parse_strictly)),
        Udf::function("json_array_length", one_text, returns_bigint, json_array_length),
        Udf::function("json_array_get", text_and_bigint, returns_json, json_array_get),
        Udf::function("json_array_contains", text_and_anything, returns_boolean, json_array_contains),
        Udf::function("json_size", two_texts, returns_bigint, json_size),
    ]
}

fn returns_json(_: &ReturnFieldArgs) -> Result<FieldRef> {
    Ok(Arc::new(json_field("")))
}

fn one_text(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 1..=1)?;
    texts_only(name, types)
}

fn two_texts(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 2..=2)?;
    texts_only(name, types)
}

fn text_and_bigint(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 2..=2)?;
    texts_then_bigints(name, types, 1)
}

fn text_and_anything(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 2..=2)?;
    texts_only(name, &types[..1])?;
    match &types[1] {
        data_type if super::udf::is_text(data_type) => Ok(types.to_vec()),
        DataType::Boolean => Ok(types.to_vec()),
        data_type if data_type.is_numeric() => Ok(vec![types[0].clone(), DataType::Float64]),
        other => plan_err!("function `{name}` cannot look for {other}"),
    }
}

fn json_extract(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let json = Texts::of(&args.args[0])?;
    let paths = Paths::new(&args.args[1])?;
    let mut values = StringBuilder::new();
    for i in 0..args.number_rows {
        let found = match (json.get(i), paths.get(i)?) {
            (Some(json), Some(path)) => find(json, path.as_ref()),
            _ => None,
        };
        values.append_option(found.map(compact));
    }
    Ok(Arc::new(values.finish()))
}

fn json_extract_scalar(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let json = Texts::of(&args.args[0])?;
    let paths = Paths::new(&args.args[1])?;
    let mut values = StringBuilder::new();
    for i in 0..args.number_rows {
        let found = match (json.get(i), paths.get(i)?) {
            (Some(json), Some(path)) => find(json, path.as_ref()).and_then(scalar_text),
            _ => None,
        };
        values.append_option(found);
    }
    Ok(Arc::new(values.finish()))
}

fn json_array_length(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let json = Texts::of(&args.args[0])?;
    let lengths = (0..args.number_rows).map(|i| json.get(i).and_then(elements).map(|found| found.len() as i64));
    Ok(Arc::new(lengths.collect::<Int64Array>()))
}

/// A text comes without its quotes, as Trino gives it: what follows cannot read it as JSON.
fn json_array_get(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let json = Texts::of(&args.args[0])?;
    let mut values = StringBuilder::new();
    for i in 0..args.number_rows {
        let element = json.get(i).and_then(elements).and_then(|found| {
            let at = bigint_at(&args.args[1], i)?;
            let at = if at < 0 { at + found.len() as i64 } else { at };
            usize::try_from(at).ok().and_then(|at| found.get(at).copied())
        });
        values.append_option(element.filter(|element| *element != "null").map(
            |element| match element.starts_with('"') {
                true => serde_json::from_str(element).map_or_else(|_| Cow::Borrowed(element), Cow::Owned),
                false => compact(element),
            },
        ));
    }
    Ok(Arc::new(values.finish()))
}

fn json_array_contains(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let json = Texts::of(&args.args[0])?;
    let mut values = BooleanBuilder::new();
    for i in 0..args.number_rows {
        values.append_option(match json.get(i).and_then(elements) {
            Some(found) => contains(&found, &args.args[1], i)?,
            None => None,
        });
    }
    Ok(Arc::new(values.finish()))
}

fn contains(found: &[&str], wanted: &ColumnarValue, i: usize) -> Result<Option<bool>> {
    use datafusion::arrow::array::AsArray;
    use datafusion::arrow::datatypes::Float64Type;
    let array = wanted.clone().into_array(i + 1)?;
    if array.is_null(i) {
        return Ok(None);
    }
    Ok(Some(match array.data_type() {
        DataType::Boolean => {
            let wanted = if array.as_boolean().value(i) { "true" } else { "false" };
            found.contains(&wanted)
        }
        DataType::Float64 => {
            let wanted = array.as_primitive::<Float64Type>().value(i);
            found.iter().any(|element| element.parse::<f64>().is_ok_and(|number| number == wanted))
        }
        _ => {
            let wanted = Texts::of_array(array.as_ref())?.get(i).unwrap_or_default();
            found.iter().any(|element| element.starts_with('"') && scalar_text(element).as_deref() == Some(wanted))
        }
    }))
}

/// The number of members of an object or an array; 0 for a scalar.
fn json_size(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let json = Texts::of(&args.args[0])?;
    let paths = Paths::new(&args.args[1])?;
    let mut sizes = Int64Builder::new();
    for i in 0..args.number_rows {
        let found = match (json.get(i), paths.get(i)?) {
            (Some(json), Some(path)) => find(json, path.as_ref()),
            _ => None,
        };
        sizes.append_option(found.map(|value| match value.as_bytes().first() {
            Some(b'[') => elements(value).map_or(0, |found| found.len() as i64),
            Some(b'{') => entries(value).map_or(0, |found| found.len() as i64),
            _ => 0,
        }));
    }
    Ok(Arc::new(sizes.finish()))
}

/// Trino sorts the keys of what `json_parse` reads.
fn parse_strictly(text: &str) -> Result<Option<Cow<'_, str>>> {
    if !is_valid(text) {
        return exec_err!("json_parse: cannot convert '{}' to JSON", text.chars().take(80).collect::<String>());
    }
    Ok(Some(sorted(text.trim())))
}

fn sorted(value: &str) -> Cow<'_, str> {
    match value.as_bytes().first() {
        Some(b'{') => {
            let mut members = entries(value).unwrap_or_default();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            let printed: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{}:{}", super::json_scan::quote(key), sorted(value)))
                .collect();
            Cow::Owned(format!("{{{}}}", printed.join(",")))
        }
        Some(b'[') => {
            let printed: Vec<_> = elements(value).unwrap_or_default().into_iter().map(sorted).collect();
            Cow::Owned(format!("[{}]", printed.join(",")))
        }
        _ => compact(value),
    }
}

fn map_texts(args: &ScalarFunctionArgs, convert: impl Fn(&str) -> Result<Option<Cow<'_, str>>>) -> Result<ArrayRef> {
    let texts = Texts::of(&args.args[0])?;
    let mut values = StringBuilder::new();
    for i in 0..args.number_rows {
        values.append_option(texts.get(i).map(&convert).transpose()?.flatten());
    }
    Ok(Arc::new(values.finish()))
}

/// The path argument: parsed once where it is a constant, which it nearly always is.
enum Paths<'a> {
    Constant(Box<Option<JsonPath>>),
    Each(Box<Texts<'a>>),
}

impl<'a> Paths<'a> {
    fn new(value: &'a ColumnarValue) -> Result<Self> {
        let texts = Texts::of(value)?;
        match texts.constant() {
            Some(path) => Ok(Self::Constant(Box::new(path.map(parse_path).transpose()?))),
            None => Ok(Self::Each(Box::new(texts))),
        }
    }

    fn get(&self, i: usize) -> Result<Option<Cow<'_, JsonPath>>> {
        match self {
            Self::Constant(path) => Ok(path.as_ref().as_ref().map(Cow::Borrowed)),
            Self::Each(texts) => Ok(texts.get(i).map(parse_path).transpose()?.map(Cow::Owned)),
        }
    }
}

fn parse_path(path: &str) -> Result<JsonPath> {
    JsonPath::parse(path).map_err(DataFusionError::Plan)
}
