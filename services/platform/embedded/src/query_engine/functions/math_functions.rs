//! Arithmetic on doubles; whole numbers stay whole where Trino keeps them so.

use super::fields::nullable;
use super::udf::{Coerce, Udf, check_count, returns_double};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, FieldRef, Float64Type, Int64Type};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    let doubles: Coerce = |name, types| {
        check_count(name, types, 1..=2)?;
        numbers(name, types).map(|types| vec![DataType::Float64; types.len()])
    };
    vec![
        Udf::function("trino_sqrt", doubles, returns_double, |args| on_doubles(args, f64::sqrt)),
        Udf::function("trino_ln", doubles, returns_double, |args| on_doubles(args, f64::ln)),
        Udf::function("trino_log2", doubles, returns_double, |args| on_doubles(args, f64::log2)),
        Udf::function("trino_log10", doubles, returns_double, |args| on_doubles(args, f64::log10)),
        Udf::function("trino_exp", doubles, returns_double, |args| on_doubles(args, f64::exp)),
        Udf::function("trino_power", doubles, returns_double, power),
        Udf::function("trino_abs", whole_or_double, returns_same, |args| keep_whole(args, i64::wrapping_abs, f64::abs)),
        Udf::function("trino_ceil", whole_or_double, returns_same, |args| keep_whole(args, |n| n, f64::ceil)),
        Udf::function("trino_floor", whole_or_double, returns_same, |args| keep_whole(args, |n| n, f64::floor)),
        Udf::function("trino_sign", whole_or_double, returns_same, |args| keep_whole(args, i64::signum, sign)),
        Udf::function("trino_round", number_and_digits, returns_same, round),
    ]
}

fn sign(value: f64) -> f64 {
    if value == 0.0 || value.is_nan() { value } else { value.signum() }
}

fn numbers(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types.iter().find(|data_type| !data_type.is_numeric() && !data_type.is_null()) {
        Some(other) => plan_err!("function `{name}` expects a number, found {other}"),
        None => Ok(types.to_vec()),
    }
}

fn whole_or_double(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 1..=1)?;
    numbers(name, types)?;
    Ok(vec![if types[0].is_integer() { DataType::Int64 } else { DataType::Float64 }])
}

fn number_and_digits(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 1..=2)?;
    let mut coerced = whole_or_double(name, &types[..1])?;
    coerced.extend(types.get(1).map(|_| DataType::Int64));
    Ok(coerced)
}

fn returns_same(args: &ReturnFieldArgs) -> Result<FieldRef> {
    Ok(nullable(args.arg_fields[0].data_type().clone()))
}

fn argument(args: &ScalarFunctionArgs, i: usize) -> Result<ArrayRef> {
    args.args[i].clone().into_array(args.number_rows)
}

fn on_doubles(args: &ScalarFunctionArgs, f: fn(f64) -> f64) -> Result<ArrayRef> {
    Ok(Arc::new(argument(args, 0)?.as_primitive::<Float64Type>().unary::<_, Float64Type>(f)))
}

fn keep_whole(args: &ScalarFunctionArgs, whole: fn(i64) -> i64, double: fn(f64) -> f64) -> Result<ArrayRef> {
    let array = argument(args, 0)?;
    if *array.data_type() == DataType::Int64 {
        return Ok(Arc::new(array.as_primitive::<Int64Type>().unary::<_, Int64Type>(whole)));
    }
    Ok(Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(double)))
}

fn power(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    if args.args.len() != 2 {
        return plan_err!("function `power` expects two arguments");
    }
    let (base, exponent) = (argument(args, 0)?, argument(args, 1)?);
    let (base, exponent) = (base.as_primitive::<Float64Type>(), exponent.as_primitive::<Float64Type>());
    Ok(Arc::new(base.iter().zip(exponent).map(|(b, e)| Some(b?.powf(e?))).collect::<Float64Array>()))
}

/// Half away from zero, to a number of digits after the point.
fn round(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let array = argument(args, 0)?;
    if *array.data_type() == DataType::Int64 {
        return Ok(array);
    }
    let digits = args.args.get(1).map(|digits| digits.clone().into_array(args.number_rows)).transpose()?;
    let at = |i: usize| digits.as_ref().map_or(0, |digits| digits.as_primitive::<Int64Type>().value(i));
    let values = array.as_primitive::<Float64Type>();
    let rounded = (0..values.len()).map(|i| {
        values.is_valid(i).then(|| {
            let factor = 10f64.powi(i32::try_from(at(i)).unwrap_or(0));
            (values.value(i) * factor).round() / factor
        })
    });
    Ok(Arc::new(rounded.collect::<Float64Array>()))
}
