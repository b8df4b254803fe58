//! `element_at`, `contains`, `cardinality`: over arrays, maps and, for `contains`, networks.

use super::cast_functions::ip_bytes;
use super::fields::nullable;
use super::udf::{Texts, Udf, anything, check_count, returns_bigint, returns_boolean};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Int64Array, Int64Builder, ListArray, ListBuilder, UInt64Array,
};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use std::net::IpAddr;
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        Udf::function("trino_cardinality", array_or_map, returns_bigint, cardinality),
        Udf::function("trino_element_at", array_or_map_and_key, returns_element, element_at),
        Udf::function("trino_contains", container_and_value, returns_boolean, contains),
        ordinals_udf(),
        Udf::function("trino_typeof", anything, super::udf::returns_text, type_of),
    ]
}

/// 1, 2, 3 … as far as the longest of some arrays: what `WITH ORDINALITY` adds.
pub(crate) fn ordinals(arrays: Vec<Expr>) -> Expr {
    ordinals_udf().call(arrays)
}

fn ordinals_udf() -> ScalarUDF {
    Udf::function("trino_ordinals", anything, |_| Ok(nullable(DataType::new_list(DataType::Int64, true))), count_up)
}

fn array_or_map(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 1..=1)?;
    match &types[0] {
        DataType::List(_) | DataType::Map(..) => Ok(types.to_vec()),
        DataType::LargeList(field) | DataType::FixedSizeList(field, _) => Ok(vec![DataType::List(Arc::clone(field))]),
        other => plan_err!("function `{name}` expects an array or a map, found {other}"),
    }
}

fn array_or_map_and_key(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 2..=2)?;
    let container = array_or_map(name, &types[..1])?.remove(0);
    let key = match &container {
        DataType::List(_) if types[1].is_integer() => DataType::Int64,
        DataType::List(_) => return plan_err!("function `{name}` expects a position, found {}", types[1]),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => fields[0].data_type().clone(),
            other => return plan_err!("function `{name}` found a map of {other}"),
        },
        other => other.clone(),
    };
    Ok(vec![container, key])
}

fn container_and_value(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 2..=2)?;
    match &types[0] {
        network if super::udf::is_text(network) => match &types[1] {
            DataType::FixedSizeBinary(16) | DataType::Null => Ok(vec![network.clone(), DataType::FixedSizeBinary(16)]),
            other => plan_err!("function `{name}` expects an ipaddress after a network, found {other}"),
        },
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Ok(vec![DataType::List(Arc::clone(field)), field.data_type().clone()])
        }
        other => plan_err!("function `{name}` expects an array or a network, found {other}"),
    }
}

fn returns_element(args: &ReturnFieldArgs) -> Result<FieldRef> {
    let element: &Field = match args.arg_fields[0].data_type() {
        DataType::List(field) => field,
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => &fields[1],
            other => return plan_err!("element_at of a map of {other}"),
        },
        other => return plan_err!("element_at of {other}"),
    };
    Ok(Arc::new(element.clone().with_name("").with_nullable(true)))
}

fn argument(args: &ScalarFunctionArgs, i: usize) -> Result<ArrayRef> {
    args.args[i].clone().into_array(args.number_rows)
}

fn cardinality(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let array = argument(args, 0)?;
    let length = |i: usize| match array.data_type() {
        DataType::Map(..) => array.as_map().value_length(i),
        _ => array.as_list::<i32>().value_length(i),
    };
    let lengths = (0..array.len()).map(|i| array.is_valid(i).then(|| i64::from(length(i))));
    Ok(Arc::new(lengths.collect::<Int64Array>()))
}

/// Counts from 1, or from the end where negative; NULL beyond the ends.
fn element_at(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (array, keys) = (argument(args, 0)?, argument(args, 1)?);
    let (values, positions): (ArrayRef, UInt64Array) = match array.data_type() {
        DataType::Map(..) => {
            let map = array.as_map();
            let known = cast(map.keys(), &DataType::Utf8)?;
            let wanted = cast(&keys, &DataType::Utf8)?;
            let (known, wanted) = (known.as_string::<i32>(), wanted.as_string::<i32>());
            let positions = (0..map.len()).map(|i| {
                let range = map.value_offsets()[i] as usize..map.value_offsets()[i + 1] as usize;
                let found = |at: &usize| known.value(*at) == wanted.value(i);
                let valid = map.is_valid(i) && wanted.is_valid(i);
                valid.then(|| range.into_iter().find(found)).flatten().map(|at| at as u64)
            });
            (Arc::clone(map.values()), positions.collect())
        }
        _ => {
            let list = array.as_list::<i32>();
            let wanted = keys.as_primitive::<Int64Type>();
            let positions = (0..list.len()).map(|i| {
                let (start, length) = (i64::from(list.value_offsets()[i]), i64::from(list.value_length(i)));
                let at = wanted.value(i);
                let at = if at < 0 { length + at } else { at - 1 };
                (list.is_valid(i) && wanted.is_valid(i) && (0..length).contains(&at)).then_some((start + at) as u64)
            });
            (Arc::clone(list.values()), positions.collect())
        }
    };
    Ok(take(&values, &positions, None)?)
}

fn contains(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    if matches!(args.arg_fields[0].data_type(), DataType::List(_)) {
        array_contains(argument(args, 0)?.as_list::<i32>(), &argument(args, 1)?)
    } else {
        network_contains(args)
    }
}

/// NULL where the value is not found and the array holds a NULL.
fn array_contains(list: &ListArray, wanted: &ArrayRef) -> Result<ArrayRef> {
    let offsets = list.value_offsets();
    let (first, last) = (offsets[0] as usize, offsets[list.len()] as usize);
    let mut rows: Vec<u64> = Vec::with_capacity(last - first);
    for i in 0..list.len() {
        rows.resize(rows.len() + list.value_length(i) as usize, i as u64);
    }
    let repeated = take(wanted, &UInt64Array::from(rows), None)?;
    let values = list.values().slice(first, last - first);
    let equal = datafusion::arrow::compute::kernels::cmp::eq(&values, &repeated)?;
    let mut found = BooleanBuilder::with_capacity(list.len());
    for i in 0..list.len() {
        if list.is_null(i) || wanted.is_null(i) {
            found.append_null();
            continue;
        }
        let range = offsets[i] as usize - first..offsets[i + 1] as usize - first;
        let (mut any, mut null) = (false, false);
        for at in range {
            any |= equal.is_valid(at) && equal.value(at);
            null |= equal.is_null(at);
        }
        found.append_option(if any || !null { Some(any) } else { None });
    }
    Ok(Arc::new(found.finish()))
}

fn network_contains(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let networks = Texts::of(&args.args[0])?;
    let constant = networks.constant().flatten().map(Network::parse).transpose()?;
    let addresses = argument(args, 1)?;
    let addresses = addresses.as_fixed_size_binary();
    let mut found = BooleanBuilder::with_capacity(addresses.len());
    for i in 0..addresses.len() {
        let network = match (constant, networks.get(i)) {
            (Some(network), _) => Some(network),
            (None, Some(text)) => Some(Network::parse(text)?),
            (None, None) => None,
        };
        found.append_option(match network {
            Some(network) if addresses.is_valid(i) => Some(network.contains(addresses.value(i))),
            _ => None,
        });
    }
    Ok(Arc::new(found.finish()))
}

/// A range of addresses, IPv4 ones as mapped into IPv6.
#[derive(Clone, Copy)]
struct Network {
    base: u128,
    prefix: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Self> {
        let parsed = || -> Option<Self> {
            let (address, prefix) = text.split_once('/')?;
            let (address, prefix): (IpAddr, u32) = (address.parse().ok()?, prefix.parse().ok()?);
            let (limit, offset) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
            (prefix <= limit).then(|| Self { base: u128::from_be_bytes(ip_bytes(address)), prefix: prefix + offset })
        };
        match parsed() {
            Some(network) => Ok(network),
            None => exec_err!("contains: `{text}` is not a network such as 10.0.0.0/8"),
        }
    }

    fn contains(self, address: &[u8]) -> bool {
        let Ok(bytes) = <[u8; 16]>::try_from(address) else {
            return false;
        };
        let shift = 128 - self.prefix;
        shift == 128 || (u128::from_be_bytes(bytes) ^ self.base) >> shift == 0
    }
}

fn count_up(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let arrays = (0..args.args.len()).map(|i| argument(args, i)).collect::<Result<Vec<_>>>()?;
    let mut lists = ListBuilder::new(Int64Builder::new());
    for i in 0..args.number_rows {
        let length = |array: &ArrayRef| {
            if array.is_null(i) { 0 } else { array.as_list_opt::<i32>().map_or(0, |list| list.value_length(i)) }
        };
        let longest = arrays.iter().map(length).max().unwrap_or_default();
        (1..=i64::from(longest)).for_each(|n| lists.values().append_value(n));
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn type_of(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let name = crate::query_engine::render_value::type_name(&args.arg_fields[0]);
    ColumnarValue::from(datafusion::common::ScalarValue::from(name)).into_array(args.number_rows)
}
