//! `try(x)`: NULL for the rows where `x` fails.

use datafusion::arrow::array::{Array, ArrayRef, new_null_array};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaParametersProgress, ValueOrLambda, Volatility,
};
use std::sync::Arc;

/// The rewriter hands the argument over as a lambda whose parameter is not used, so that it is not evaluated before.
pub(super) fn udf() -> HigherOrderUDF {
    let signature = HigherOrderSignature::exact(vec![ValueOrLambda::Lambda(())], Volatility::Immutable);
    HigherOrderUDF::new_from_impl(Try { signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Try {
    signature: HigherOrderSignature,
}

impl HigherOrderUDFImpl for Try {
    fn name(&self) -> &str {
        "trino_try"
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        _fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        Ok(LambdaParametersProgress::Complete(vec![vec![Arc::new(Field::new("unused", DataType::Null, true))]]))
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        match args.arg_fields {
            [ValueOrLambda::Lambda(body)] => Ok(Arc::new(body.as_ref().clone().with_name("").with_nullable(true))),
            _ => plan_err!("try expects one argument"),
        }
    }

    /// Or a part of the body that stands twice in a query is evaluated once, before and outside of here.
    fn short_circuits(&self) -> bool {
        true
    }

    /// All rows at once; only if that fails, one by one.
    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let [ValueOrLambda::Lambda(body)] = args.args.as_slice() else {
            return exec_err!("try expects one argument");
        };
        let evaluate = |from: usize, n_rows: usize| {
            let unused = || -> Result<ArrayRef> { Ok(new_null_array(&DataType::Null, n_rows)) };
            body.evaluate(&[&unused], |captures| Ok(captures.iter().map(|column| column.slice(from, n_rows)).collect()))
        };
        if let Ok(value) = evaluate(0, args.number_rows) {
            return Ok(value);
        }
        let null = new_null_array(args.return_type(), 1);
        let rows: Vec<ArrayRef> = (0..args.number_rows)
            .map(|i| evaluate(i, 1).and_then(|value| value.into_array(1)).unwrap_or_else(|_| Arc::clone(&null)))
            .collect();
        if rows.is_empty() {
            return Ok(ColumnarValue::Array(new_null_array(args.return_type(), 0)));
        }
        let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&rows)?))
    }
}
