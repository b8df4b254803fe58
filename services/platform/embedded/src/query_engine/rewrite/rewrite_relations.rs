//! Views become the queries they stand for; `UNNEST` moves to where its planner finds it.

use super::super::error::QueryError;
use super::super::plan_unnest::is_unnest_join;
use mantissa_lake::catalogue::Catalogue;
use sqlparser::ast::{Ident, Join, JoinConstraint, JoinOperator, TableAlias, TableFactor, TableWithJoins};
use std::mem;

/// Makes each `UNNEST` the last join of a nested join, so that it sees all that stands before it.
pub(super) fn nest_unnests(from: &mut Vec<TableWithJoins>) {
    let mut nested: Vec<TableWithJoins> = Vec::with_capacity(from.len());
    for mut table in from.drain(..) {
        // A comma before UNNEST is a CROSS JOIN.
        if let (TableFactor::UNNEST { .. }, Some(previous)) = (&table.relation, nested.last_mut()) {
            let relation = table.relation;
            let cross = JoinOperator::CrossJoin(JoinConstraint::None);
            previous.joins.push(Join { relation, global: false, join_operator: cross });
            previous.joins.append(&mut table.joins);
        } else {
            nested.push(table);
        }
    }
    nested.iter_mut().for_each(nest);
    *from = nested;
}

/// Replaces a view by its query, and puts the joins in parentheses in order.
pub(super) fn rewrite_factor(factor: &mut TableFactor, catalogue: &Catalogue) -> Result<(), QueryError> {
    match factor {
        TableFactor::NestedJoin { table_with_joins, .. } => {
            let joins = &table_with_joins.joins;
            let in_order = joins.iter().rev().skip(1).all(|join| !is_unnest_join(join));
            if !in_order {
                nest(table_with_joins);
            }
            Ok(())
        }
        TableFactor::Table { name, alias, args: None, .. } => {
            let [part] = name.0.as_slice() else {
                return Ok(());
            };
            let Some(view) = part.as_ident().and_then(|ident| catalogue.view(&ident.value)) else {
                return Ok(());
            };
            let subquery = Box::new(mantissa_sql::parse(&view.sql)?);
            let alias = alias.take().unwrap_or_else(|| TableAlias {
                explicit: true,
                name: Ident::new(view.name),
                columns: Vec::new(),
                at: None,
            });
            *factor = TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None };
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Names of tables are compared without regard to case.
pub(super) fn lower_alias(factor: &mut TableFactor) {
    let (TableFactor::Table { alias: Some(alias), .. }
    | TableFactor::Derived { alias: Some(alias), .. }
    | TableFactor::UNNEST { alias: Some(alias), .. }
    | TableFactor::NestedJoin { alias: Some(alias), .. }) = factor
    else {
        return;
    };
    super::lower_ident(&mut alias.name);
    alias.columns.iter_mut().for_each(|column| super::lower_ident(&mut column.name));
}

fn nest(table: &mut TableWithJoins) {
    for join in mem::take(&mut table.joins) {
        let is_unnest = is_unnest_join(&join);
        table.joins.push(join);
        if is_unnest {
            let inner = mem::replace(table, TableWithJoins { relation: placeholder(), joins: Vec::new() });
            table.relation = TableFactor::NestedJoin { table_with_joins: Box::new(inner), alias: None };
        }
    }
}

/// Stands in for a moment while a tree is taken apart.
fn placeholder() -> TableFactor {
    TableFactor::UNNEST {
        alias: None,
        array_exprs: Vec::new(),
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: false,
    }
}
