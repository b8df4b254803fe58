//! Functions as rows of a table: a name, what arguments they take, what they return, how they are computed.

use super::fields::nullable;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, LargeStringArray, StringArray, StringViewArray};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What a function takes: the types it is called with, coerced or refused.
pub(super) type Coerce = fn(&str, &[DataType]) -> Result<Vec<DataType>>;
type Returns = fn(&ReturnFieldArgs) -> Result<FieldRef>;
type Invoke = fn(&ScalarFunctionArgs) -> Result<ArrayRef>;

#[derive(Debug, Clone)]
pub(super) struct Udf {
    name: &'static str,
    signature: Signature,
    coerce: Coerce,
    returns: Returns,
    invoke: Invoke,
}

impl Udf {
    pub(super) fn function(name: &'static str, coerce: Coerce, returns: Returns, invoke: Invoke) -> ScalarUDF {
        let signature = Signature::user_defined(Volatility::Immutable);
        ScalarUDF::new_from_impl(Self { name, signature, coerce, returns, invoke })
    }
}

/// Names are unique in the registry.
impl PartialEq for Udf {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Udf {}

impl Hash for Udf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Udf {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        (self.coerce)(self.name.trim_start_matches(PREFIX), arg_types)
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        plan_err!("`{}` needs the fields of its arguments", self.name)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        (self.returns)(&args)
    }

    /// A call with constants only gives a constant, so that it is computed once, when the query is planned.
    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_))) {
            args.number_rows = 1;
            let array = (self.invoke)(&args)?;
            // `try_from_array` would rebuild a list and lose what its field says of the elements.
            return Ok(ColumnarValue::Scalar(match array.as_list_opt::<i32>() {
                Some(list) => ScalarValue::List(Arc::new(list.clone())),
                None => ScalarValue::try_from_array(&array, 0)?,
            }));
        }
        (self.invoke)(&args).map(ColumnarValue::Array)
    }
}

/// Names of functions that only the rewriter writes; a query cannot, because the guard does not list them.
pub(super) const PREFIX: &str = "trino_";

/// Text of any Arrow encoding, in an array or as one constant.
pub(super) enum Texts<'a> {
    Utf8(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
    Constant(Option<&'a str>),
}

impl<'a> Texts<'a> {
    pub(super) fn of(value: &'a ColumnarValue) -> Result<Self> {
        match value {
            ColumnarValue::Scalar(ScalarValue::Null) => Ok(Self::Constant(None)),
            ColumnarValue::Scalar(scalar) => match scalar.try_as_str() {
                Some(text) => Ok(Self::Constant(text)),
                None => exec_err!("expected varchar, found {}", scalar.data_type()),
            },
            ColumnarValue::Array(array) => Self::of_array(array.as_ref()),
        }
    }

    pub(super) fn of_array(array: &'a dyn Array) -> Result<Self> {
        match array.data_type() {
            DataType::Utf8 => Ok(Self::Utf8(array.as_string())),
            DataType::LargeUtf8 => Ok(Self::Large(array.as_string())),
            DataType::Utf8View => Ok(Self::View(array.as_string_view())),
            DataType::Null => Ok(Self::Constant(None)),
            other => exec_err!("expected varchar, found {other}"),
        }
    }

    #[inline]
    pub(super) fn get(&self, i: usize) -> Option<&'a str> {
        match self {
            Self::Utf8(array) => array.is_valid(i).then(|| array.value(i)),
            Self::Large(array) => array.is_valid(i).then(|| array.value(i)),
            Self::View(array) => array.is_valid(i).then(|| array.value(i)),
            Self::Constant(text) => *text,
        }
    }

    /// The constant, where the argument is one.
    pub(super) fn constant(&self) -> Option<Option<&'a str>> {
        match self {
            Self::Constant(text) => Some(*text),
            _ => None,
        }
    }
}

/// Whole numbers in an array or as one constant; the argument must have been coerced to bigint.
pub(super) fn bigint_at(value: &ColumnarValue, i: usize) -> Option<i64> {
    use datafusion::arrow::datatypes::Int64Type;
    match value {
        ColumnarValue::Scalar(ScalarValue::Int64(n)) => *n,
        ColumnarValue::Scalar(_) => None,
        ColumnarValue::Array(array) => {
            array.as_primitive_opt::<Int64Type>().and_then(|array| array.is_valid(i).then(|| array.value(i)))
        }
    }
}

pub(super) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null)
}

/// As many varchars as were written.
pub(super) fn texts_only(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types.iter().find(|data_type| !is_text(data_type)) {
        Some(other) => plan_err!("function `{name}` expects varchar, found {other}"),
        None => Ok(types.to_vec()),
    }
}

/// Any number of arguments of any type, as they are.
pub(super) fn anything(_name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    Ok(types.to_vec())
}

/// Varchars followed by whole numbers.
pub(super) fn texts_then_bigints(name: &str, types: &[DataType], n_texts: usize) -> Result<Vec<DataType>> {
    types
        .iter()
        .enumerate()
        .map(|(i, data_type)| {
            if i < n_texts {
                texts_only(name, std::slice::from_ref(data_type)).map(|_| data_type.clone())
            } else if data_type.is_integer() || data_type.is_null() {
                Ok(DataType::Int64)
            } else {
                plan_err!("function `{name}` expects a whole number, found {data_type}")
            }
        })
        .collect()
}

pub(super) fn check_count(name: &str, types: &[DataType], allowed: std::ops::RangeInclusive<usize>) -> Result<()> {
    if allowed.contains(&types.len()) {
        Ok(())
    } else {
        plan_err!("function `{name}` cannot be called with {} arguments", types.len())
    }
}

pub(super) fn returns_text(_: &ReturnFieldArgs) -> Result<FieldRef> {
    Ok(nullable(DataType::Utf8))
}

pub(super) fn returns_bigint(_: &ReturnFieldArgs) -> Result<FieldRef> {
    Ok(nullable(DataType::Int64))
}

pub(super) fn returns_double(_: &ReturnFieldArgs) -> Result<FieldRef> {
    Ok(nullable(DataType::Float64))
}

pub(super) fn returns_boolean(_: &ReturnFieldArgs) -> Result<FieldRef> {
    Ok(nullable(DataType::Boolean))
}
