//! The outer row limit: one row more than allowed, so that a cut result is seen to be cut.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Expr, GroupByExpr, Ident, LimitClause, Query, Select, SelectFlavor, SelectItem, SetExpr, TableAlias, TableFactor,
    TableWithJoins, Value, WildcardAdditionalOptions,
};

/// Limits the whole query to `max_rows + 1` rows, keeping a smaller limit of its own.
///
/// The limit goes onto the outermost query itself, because Trino drops the `ORDER BY` of a subquery; only what cannot
/// carry one more limit (`FETCH FIRST`, a computed limit) is wrapped.
pub(crate) fn limit_rows(mut query: Query, max_rows: u64) -> Query {
    let bound = max_rows.saturating_add(1);
    if query.fetch.is_some() {
        return with_limit(wrapped(query), bound);
    }
    match &mut query.limit_clause {
        None => with_limit(query, bound),
        Some(LimitClause::LimitOffset { limit, .. }) => match limit.as_ref().map(literal) {
            None => {
                *limit = Some(number(bound));
                query
            }
            Some(Some(own)) if own <= bound => query,
            Some(Some(_)) => {
                *limit = Some(number(bound));
                query
            }
            Some(None) => with_limit(wrapped(query), bound),
        },
        Some(LimitClause::OffsetCommaLimit { .. }) => with_limit(wrapped(query), bound),
    }
}

fn with_limit(mut query: Query, bound: u64) -> Query {
    query.limit_clause =
        Some(LimitClause::LimitOffset { limit: Some(number(bound)), offset: None, limit_by: Vec::new() });
    query
}

fn literal(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn number(n: u64) -> Expr {
    Expr::value(Value::Number(n.to_string(), false))
}

/// `SELECT * FROM (query) AS limited`.
fn wrapped(query: Query) -> Query {
    let alias = TableAlias { explicit: true, name: Ident::new("limited"), columns: Vec::new(), at: None };
    let relation = TableFactor::Derived { lateral: false, subquery: Box::new(query), alias: Some(alias), sample: None };
    let select = Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())],
        exclude: None,
        into: None,
        from: vec![TableWithJoins { relation, joins: Vec::new() }],
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    };
    Query {
        with: None,
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}
