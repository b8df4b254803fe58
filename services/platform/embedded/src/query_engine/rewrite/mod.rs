//! Trino's syntax tree to one that DataFusion plans with the same meaning.
//!
//! Names that DataFusion gives another meaning are replaced here; the functions they are replaced with are in
//! [`super::functions`]. A function that is not on the list is refused by name, never passed through.

mod build;
mod rewrite_casts;
mod rewrite_folded;
mod rewrite_functions;
mod rewrite_like;
mod rewrite_relations;
mod rewrite_times;

use super::error::QueryError;
use build::{call, lowered};
use mantissa_lake::catalogue::Catalogue;
use mantissa_sql::position_of;
use sqlparser::ast::{
    CeilFloorKind, Cte, Expr, Ident, ObjectName, Query, Select, SelectItem, TableFactor, VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

/// Rewrites a parsed Trino query.
pub(super) fn rewrite(mut query: Query, catalogue: &Catalogue) -> Result<Query, QueryError> {
    match query.visit(&mut Rewriter { catalogue }) {
        ControlFlow::Continue(()) => Ok(query),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Rewriter<'a> {
    catalogue: &'a Catalogue,
}

impl VisitorMut for Rewriter<'_> {
    type Break = QueryError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<QueryError> {
        for Cte { alias, .. } in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            lower_ident(&mut alias.name);
            alias.columns.iter_mut().for_each(|column| lower_ident(&mut column.name));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<QueryError> {
        for (i, item) in select.projection.iter_mut().enumerate() {
            name_item(i, item);
        }
        rewrite_relations::nest_unnests(&mut select.from);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<QueryError> {
        rewrite_relations::lower_alias(factor);
        flow(rewrite_relations::rewrite_factor(factor, self.catalogue))
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<QueryError> {
        *relation = lowered(relation);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        flow(rewrite_expr(expr))
    }
}

/// As Trino names what has no name, so that the same expression may stand twice in a list.
fn name_item(i: usize, item: &mut SelectItem) {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => lower_ident(alias),
        SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => {}
        SelectItem::UnnamedExpr(expr) => {
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::new(format!("_col{i}")) };
        }
        _ => {}
    }
}

/// One expression whose parts have been rewritten.
fn rewrite_expr(expr: &mut Expr) -> Result<(), QueryError> {
    let at = position_of(expr);
    let replaced = match expr {
        Expr::Identifier(ident) => {
            lower_ident(ident);
            return Ok(());
        }
        Expr::CompoundIdentifier(parts) => {
            parts.iter_mut().for_each(lower_ident);
            return Ok(());
        }
        Expr::Function(function) => rewrite_functions::rewrite_function(function)?,
        Expr::Cast { .. } => rewrite_casts::rewrite_cast(expr, at)?,
        Expr::TypedString(typed) => rewrite_times::rewrite_typed_string(typed, at)?,
        Expr::Like { .. } | Expr::ILike { .. } => rewrite_like::rewrite_like(expr, at)?,
        Expr::Extract { field, expr, .. } => rewrite_times::date_part(&field.to_string(), (**expr).clone(), at)?,
        Expr::AtTimeZone { timestamp, time_zone } => rewrite_times::at_time_zone((**timestamp).clone(), time_zone, at)?,
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let from = substring_from.as_ref().map_or_else(|| build::number(1), |from| (**from).clone());
            let mut arguments = vec![(**expr).clone(), from];
            arguments.extend(substring_for.as_ref().map(|n| (**n).clone()));
            call("trino_substr", arguments)
        }
        Expr::Position { expr, r#in } => build::bigint(call("strpos", vec![(**r#in).clone(), (**expr).clone()])),
        Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(_) } => call("trino_ceil", vec![(**expr).clone()]),
        Expr::Floor { expr, field: CeilFloorKind::DateTimeField(_) } => call("trino_floor", vec![(**expr).clone()]),
        _ => match rewrite_folded::rewrite_folded(expr) {
            Some(replaced) => replaced,
            None => return Ok(()),
        },
    };
    *expr = replaced;
    Ok(())
}

/// Trino compares all names without regard to case, also quoted ones.
fn lower_ident(ident: &mut Ident) {
    ident.value = ident.value.to_lowercase();
}

fn flow(result: Result<(), QueryError>) -> ControlFlow<QueryError> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}
