//! `UNNEST` in a `FROM` clause, which in Trino may name the columns of what stands before it.
//!
//! The rewriter makes each `... CROSS JOIN UNNEST(x)` the last join of a nested join; here it becomes a projection of
//! the left side plus the arrays, and DataFusion's unnest of them. Qualified names stay valid on both sides.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, NullHandling, TableReference, UnnestOptions, not_impl_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::{get_field, map_keys, map_values};
use sqlparser::ast::{Join, JoinConstraint, JoinOperator, TableAlias, TableFactor, TableWithJoins, Value};

/// Whether a join can be planned here: rows of the left side are kept or dropped, never made up.
pub(super) fn is_unnest_join(join: &Join) -> bool {
    matches!(join.relation, TableFactor::UNNEST { .. })
}

#[derive(Debug)]
pub(super) struct UnnestPlanner;

impl RelationPlanner for UnnestPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let plan = match relation {
            TableFactor::NestedJoin { mut table_with_joins, alias: None }
                if table_with_joins.joins.last().is_some_and(is_unnest_join) =>
            {
                let Some(join) = table_with_joins.joins.pop() else {
                    return plan_err!("UNNEST without a join");
                };
                let outer = keeps_left_rows(&join.join_operator)?;
                let left = context.plan(without_needless_nesting(*table_with_joins))?;
                plan_unnest(left, join.relation, outer, context)?
            }
            relation @ TableFactor::UNNEST { .. } => {
                plan_unnest(LogicalPlanBuilder::empty(true).build()?, relation, false, context)?
            }
            other => return Ok(RelationPlanning::Original(Box::new(other))),
        };
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))))
    }
}

fn without_needless_nesting(table: TableWithJoins) -> TableFactor {
    if table.joins.is_empty() {
        table.relation
    } else {
        TableFactor::NestedJoin { table_with_joins: Box::new(table), alias: None }
    }
}

fn keeps_left_rows(operator: &JoinOperator) -> Result<bool> {
    let is_true = |constraint: &JoinConstraint| match constraint {
        JoinConstraint::None => true,
        JoinConstraint::On(sqlparser::ast::Expr::Value(value)) => value.value == Value::Boolean(true),
        _ => false,
    };
    match operator {
        JoinOperator::CrossJoin(_) => Ok(false),
        JoinOperator::Inner(constraint) | JoinOperator::Join(constraint) if is_true(constraint) => Ok(false),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) if is_true(constraint) => Ok(true),
        other => not_impl_err!("a join with UNNEST other than CROSS JOIN, or LEFT or INNER JOIN ON TRUE: {other:?}"),
    }
}

fn plan_unnest(
    left: LogicalPlan,
    relation: TableFactor,
    outer: bool,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } = relation else {
        return plan_err!("not an UNNEST");
    };
    let arrays = plan_arrays(&left, array_exprs, context)?;
    let (qualifier, names) = read_alias(alias, context);
    let kept: Vec<Expr> = left.schema().columns().into_iter().map(Expr::Column).collect();

    let mut projected = kept.clone();
    let mut unnested = Vec::new();
    for (i, array) in arrays.iter().enumerate() {
        let name = format!("__unnest_{i}");
        projected.push(array.clone().alias(&name));
        unnested.push(Column::from_name(name));
    }
    let ordinal = Column::from_name("__unnest_ordinality");
    if with_ordinality {
        let ordinals = super::functions::array_functions::ordinals(arrays);
        projected.push(ordinals.alias(ordinal.name.clone()));
        unnested.push(ordinal.clone());
    }
    let handling = if outer { NullHandling::PreserveAndExpandEmpty } else { NullHandling::Drop };
    let plan = LogicalPlanBuilder::from(left)
        .project(projected)?
        .unnest_columns_with_options(unnested.clone(), UnnestOptions::new().with_null_handling(handling))?
        .build()?;

    // Rows within an array become one column a field, as in Trino.
    let mut values = Vec::new();
    for column in &unnested {
        let expr = Expr::Column(column.clone());
        match expr.get_type(plan.schema())? {
            DataType::Struct(fields) => {
                values.extend(fields.iter().map(|f| (get_field(expr.clone(), f.name().clone()), f.name().clone())));
            }
            _ => values.push((expr, if *column == ordinal { "ordinality".into() } else { column.name.clone() })),
        }
    }
    if !names.is_empty() && names.len() != values.len() {
        return plan_err!("UNNEST gives {} columns and its alias names {}", values.len(), names.len());
    }
    let named = values.into_iter().enumerate().map(|(i, (expr, default))| {
        let name = names.get(i).cloned().unwrap_or(default);
        match &qualifier {
            Some(table) => expr.alias_qualified(Some(TableReference::bare(table.clone())), name),
            None => expr.alias(name),
        }
    });
    LogicalPlanBuilder::from(plan).project(kept.into_iter().chain(named))?.build()
}

/// A map unnests into its keys and its values.
fn plan_arrays(
    left: &LogicalPlan,
    exprs: Vec<sqlparser::ast::Expr>,
    context: &mut dyn RelationPlannerContext,
) -> Result<Vec<Expr>> {
    let schema: &DFSchema = left.schema();
    let mut arrays = Vec::new();
    for expr in exprs {
        let expr = context.sql_to_expr(expr, schema)?;
        match expr.get_type(schema)? {
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => arrays.push(expr),
            DataType::Map(..) => arrays.extend([map_keys(expr.clone()), map_values(expr)]),
            other => return plan_err!("UNNEST expects an array or a map, found {other}"),
        }
    }
    Ok(arrays)
}

fn read_alias(alias: Option<TableAlias>, context: &dyn RelationPlannerContext) -> (Option<String>, Vec<String>) {
    match alias {
        None => (None, Vec::new()),
        Some(alias) => {
            let names = alias.columns.into_iter().map(|column| context.normalize_ident(column.name)).collect();
            (Some(context.normalize_ident(alias.name)), names)
        }
    }
}
