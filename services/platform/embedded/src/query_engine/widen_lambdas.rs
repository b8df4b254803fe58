//! Keeps a lambda's argument apart from the columns of the batch it is evaluated on.
//!
//! The physical plan numbers a lambda's arguments after the columns of the filter's input, and an evaluation takes every
//! number within its batch for a column. When the optimizer moves the filter below a projection, to an input with more
//! columns, it renumbers columns but not arguments: an argument's number then names a column, and the query fails with
//! "Field of physical LambdaVariable doesn't match". Here arguments get numbers that no batch has, before anything moves.

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::LambdaVariable;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use std::sync::Arc;

/// More columns than any table has.
const BEYOND_COLUMNS: usize = 1 << 20;

/// Must run before every other rule.
#[derive(Debug)]
pub(super) struct WidenLambdas;

impl PhysicalOptimizerRule for WidenLambdas {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let Some(filter) = node.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(node)) };
            let widened = widen(Arc::clone(filter.predicate()))?;
            if !widened.transformed {
                return Ok(Transformed::no(node));
            }
            let filter = FilterExecBuilder::from(filter).with_predicate(widened.data).build()?;
            Ok(Transformed::yes(Arc::new(filter) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "widen_lambdas"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The order of the numbers stays, which is what lambdas within lambdas rely on.
fn widen(predicate: Arc<dyn PhysicalExpr>) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
    predicate.transform_up(|part| {
        let Some(argument) = part.downcast_ref::<LambdaVariable>() else { return Ok(Transformed::no(part)) };
        let widened = LambdaVariable::new(argument.index() + BEYOND_COLUMNS, Arc::clone(argument.field()));
        Ok(Transformed::yes(Arc::new(widened) as Arc<dyn PhysicalExpr>))
    })
}
