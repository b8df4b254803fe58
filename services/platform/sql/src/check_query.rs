//! The walk over the whole tree: every relation, function and piece of syntax is on a list, or the query is refused.

use crate::error::{GuardError, Position};
use crate::functions::{CLOCK_FUNCTIONS, is_allowed_function};
use mantissa_lake::catalogue::Catalogue;
use sqlparser::ast::{
    BinaryOperator, CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
    GroupByExpr, Ident, JoinOperator, LimitClause, ObjectName, OrderByKind, Query, Select, SelectFlavor, SelectItem,
    SetExpr, SetOperator, SetQuantifier, Spanned, TableFactor, UnaryOperator, Value, ValueWithSpan, Visit, Visitor,
    WildcardAdditionalOptions,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// The tables and views the query reads, by their catalogue names.
pub(crate) fn check_query(
    query: &Query,
    catalogue: &Catalogue,
    may_read_clock: bool,
) -> Result<BTreeSet<&'static str>, GuardError> {
    let mut checker = Checker { catalogue, may_read_clock, ctes: Vec::new(), relations: BTreeSet::new(), n_reads: 0 };
    match query.visit(&mut checker) {
        ControlFlow::Continue(()) => Ok(checker.relations),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Checker<'a> {
    catalogue: &'a Catalogue,
    may_read_clock: bool,
    /// Names of the `WITH` queries of each enclosing query, innermost last.
    ctes: Vec<Vec<String>>,
    relations: BTreeSet<&'static str>,
    /// How often a relation is named, tables and `WITH` queries alike.
    n_reads: usize,
}

/// A plan takes long to find that has more, and nobody's question needs them.
const MAX_READS: usize = 64;

type Flow = ControlFlow<GuardError>;
const GO_ON: Flow = ControlFlow::Continue(());

impl Visitor for Checker<'_> {
    type Break = GuardError;

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        let mut names: Vec<String> = Vec::new();
        if let Some(with) = &query.with {
            if with.recursive {
                return refuse("WITH RECURSIVE", with.span());
            }
            for cte in &with.cte_tables {
                let name = cte.alias.name.value.to_lowercase();
                let at = cte.alias.name.span.into();
                if self.catalogue_name(&name).is_some() {
                    return ControlFlow::Break(GuardError::ShadowedTable { name, at });
                }
                if names.contains(&name) {
                    return ControlFlow::Break(GuardError::DuplicateCte { name, at });
                }
                if cte.from.is_some() || cte.materialized.is_some() {
                    return refuse("a WITH query with options", cte.alias.name.span);
                }
                names.push(name);
            }
        }
        self.ctes.push(names);
        let refused = [
            (!query.locks.is_empty(), "FOR UPDATE"),
            (query.for_clause.is_some(), "FOR XML or FOR JSON"),
            (query.settings.is_some(), "SETTINGS"),
            (query.format_clause.is_some(), "FORMAT"),
            (!query.pipe_operators.is_empty(), "the pipe operator"),
            (matches!(query.limit_clause, Some(LimitClause::OffsetCommaLimit { .. })), "LIMIT with two numbers"),
            (
                matches!(&query.limit_clause, Some(LimitClause::LimitOffset { limit_by, .. }) if !limit_by.is_empty()),
                "LIMIT BY",
            ),
            (query.order_by.as_ref().is_some_and(|o| matches!(o.kind, OrderByKind::All(_))), "ORDER BY ALL"),
            (query.order_by.as_ref().is_some_and(|o| o.interpolate.is_some()), "INTERPOLATE"),
        ];
        first_refused(&refused, query.span())?;
        Self::check_body(&query.body)
    }

    fn post_visit_query(&mut self, _query: &Query) -> Flow {
        self.ctes.pop();
        GO_ON
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        let refused = [
            (select.into.is_some(), "SELECT ... INTO"),
            (select.flavor != SelectFlavor::Standard, "a query that begins with FROM"),
            (select.projection.is_empty(), "a SELECT without columns"),
            (matches!(select.distinct, Some(sqlparser::ast::Distinct::On(_))), "DISTINCT ON"),
            (select.top.is_some(), "TOP"),
            (!select.optimizer_hints.is_empty() || select.select_modifiers.is_some(), "an optimizer hint"),
            (select.exclude.is_some(), "EXCLUDE"),
            (!select.lateral_views.is_empty(), "LATERAL VIEW"),
            (select.prewhere.is_some(), "PREWHERE"),
            (!select.connect_by.is_empty(), "CONNECT BY"),
            (
                !select.cluster_by.is_empty() || !select.distribute_by.is_empty() || !select.sort_by.is_empty(),
                "CLUSTER BY, DISTRIBUTE BY or SORT BY",
            ),
            (select.qualify.is_some(), "QUALIFY"),
            (select.value_table_mode.is_some(), "SELECT AS"),
            (
                match &select.group_by {
                    GroupByExpr::All(_) => true,
                    GroupByExpr::Expressions(_, modifiers) => !modifiers.is_empty(),
                },
                "GROUP BY ALL or with a modifier",
            ),
        ];
        first_refused(&refused, select.span())?;
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(_) => {}
                SelectItem::ExprWithAlias { alias, .. } if alias.quote_style != Some('\'') => {}
                SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) if is_plain(options) => {}
                _ => return refuse("this form of a selected column", item.span()),
            }
        }
        for join in select.from.iter().flat_map(|table| &table.joins) {
            check_join(&join.join_operator, join.global, join.relation.span())?;
        }
        GO_ON
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        match factor {
            TableFactor::Table {
                name,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
                ..
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => self.check_relation(name),
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
                refuse(format!("the table function `{name}`"), factor.span())
            }
            TableFactor::Derived { lateral: false, sample: None, .. } => GO_ON,
            TableFactor::UNNEST { with_offset: false, with_offset_alias: None, .. } => GO_ON,
            TableFactor::NestedJoin { table_with_joins, .. } => {
                for join in &table_with_joins.joins {
                    check_join(&join.join_operator, join.global, join.relation.span())?;
                }
                GO_ON
            }
            TableFactor::Derived { lateral: true, .. } => refuse("LATERAL with a subquery", factor.span()),
            _ => refuse("this kind of table expression", factor.span()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Flow {
        match expr {
            Expr::Function(function) => self.check_function(function),
            Expr::BinaryOp { op, .. } if !is_trino_operator(op) => refuse(format!("the operator `{op}`"), expr.span()),
            Expr::UnaryOp { op, .. }
                if !matches!(op, UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not) =>
            {
                refuse(format!("the operator `{op}`"), expr.span())
            }
            Expr::Cast { kind: CastKind::Cast | CastKind::TryCast, array: false, format: None, .. } => GO_ON,
            Expr::Like { any: false, .. } => GO_ON,
            Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::CompoundFieldAccess { .. }
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::InList { .. }
            | Expr::InSubquery { .. }
            | Expr::Between { .. }
            | Expr::BinaryOp { .. }
            | Expr::AnyOp { .. }
            | Expr::AllOp { .. }
            | Expr::UnaryOp { .. }
            | Expr::AtTimeZone { .. }
            | Expr::Extract { .. }
            | Expr::Ceil { .. }
            | Expr::Floor { .. }
            | Expr::Position { .. }
            | Expr::Substring { .. }
            | Expr::Trim { .. }
            | Expr::Nested(_)
            | Expr::Value(_)
            | Expr::TypedString(_)
            | Expr::Case { .. }
            | Expr::Exists { .. }
            | Expr::Subquery(_)
            | Expr::GroupingSets(_)
            | Expr::Cube(_)
            | Expr::Rollup(_)
            | Expr::Tuple(_)
            | Expr::Array(_)
            | Expr::Interval(_)
            | Expr::Lambda(_) => GO_ON,
            other => refuse(format!("the expression `{}`", shortened(&other.to_string())), expr.span()),
        }
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> Flow {
        match &value.value {
            Value::Number(_, false)
            | Value::SingleQuotedString(_)
            | Value::Boolean(_)
            | Value::Null
            | Value::HexStringLiteral(_) => GO_ON,
            other => refuse(format!("the literal {}", shortened(&other.to_string())), value.span),
        }
    }
}

impl Checker<'_> {
    fn check_body(body: &SetExpr) -> Flow {
        match body {
            SetExpr::Select(_) | SetExpr::Query(_) => GO_ON,
            SetExpr::Values(values) if !values.explicit_row && !values.value_keyword => GO_ON,
            SetExpr::SetOperation { left, right, op, set_quantifier } => {
                let by_name = matches!(
                    set_quantifier,
                    SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName
                );
                if by_name || *op == SetOperator::Minus {
                    return refuse("this set operation", body.span());
                }
                Self::check_body(left)?;
                Self::check_body(right)
            }
            _ => refuse(format!("`{}`", first_word(body)), body.span()),
        }
    }

    fn check_relation(&mut self, name: &ObjectName) -> Flow {
        let at: Position = name.span().into();
        self.n_reads += 1;
        if self.n_reads > MAX_READS {
            return ControlFlow::Break(GuardError::TooManyTables { max: MAX_READS, at });
        }
        let [part] = name.0.as_slice() else {
            return ControlFlow::Break(GuardError::OtherDatabase { name: name.to_string(), at });
        };
        let Some(Ident { value, .. }) = part.as_ident() else {
            return refuse("a computed table name", name.span());
        };
        let lowered = value.to_lowercase();
        if self.ctes.iter().any(|names| names.contains(&lowered)) {
            return GO_ON;
        }
        match self.catalogue_name(&lowered) {
            Some(known) => {
                self.relations.insert(known);
                GO_ON
            }
            None => ControlFlow::Break(GuardError::UnknownTable { nearest: self.nearest(&lowered), name: lowered, at }),
        }
    }

    fn check_function(&self, function: &Function) -> Flow {
        let at: Position = function.name.span().into();
        let name = function.name.to_string().replace('"', "").to_lowercase();
        if function.name.0.len() != 1 || !is_allowed_function(&name) {
            return ControlFlow::Break(GuardError::Function { name, at });
        }
        if !self.may_read_clock && CLOCK_FUNCTIONS.contains(&name.as_str()) {
            return ControlFlow::Break(GuardError::Clock { name, at });
        }
        let span = function.name.span();
        if function.uses_odbc_syntax || !matches!(function.parameters, FunctionArguments::None) {
            return refuse(format!("this way to call `{name}`"), span);
        }
        let FunctionArguments::List(list) = &function.args else {
            return match function.args {
                FunctionArguments::None => GO_ON,
                _ => refuse(format!("a query as the argument of `{name}`"), span),
            };
        };
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(_)) => {}
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if name == "count" => {}
                _ => return refuse(format!("this argument of `{name}`"), span),
            }
        }
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(_)
                | FunctionArgumentClause::IgnoreOrRespectNulls(_)
                | FunctionArgumentClause::OnOverflow(_) => {}
                _ => return refuse(format!("this clause in `{name}`"), span),
            }
        }
        GO_ON
    }

    fn catalogue_name(&self, name: &str) -> Option<&'static str> {
        let table = self.catalogue.table(name).map(|table| table.name);
        table.or_else(|| self.catalogue.view(name).map(|view| view.name))
    }

    /// The known name that shares the longest beginning with a wrong one.
    fn nearest(&self, name: &str) -> Option<String> {
        let known = self.catalogue.tables.iter().map(|table| table.name);
        known
            .chain(self.catalogue.views.iter().map(|view| view.name))
            .map(|known| (known.chars().zip(name.chars()).take_while(|(a, b)| a == b).count(), known))
            .filter(|(n_shared, _)| *n_shared >= 3)
            .max()
            .map(|(_, known)| known.to_owned())
    }
}

fn check_join(operator: &JoinOperator, global: bool, span: sqlparser::tokenizer::Span) -> Flow {
    match operator {
        JoinOperator::Join(_)
        | JoinOperator::Inner(_)
        | JoinOperator::Left(_)
        | JoinOperator::LeftOuter(_)
        | JoinOperator::Right(_)
        | JoinOperator::RightOuter(_)
        | JoinOperator::FullOuter(_)
        | JoinOperator::CrossJoin(_)
            if !global =>
        {
            GO_ON
        }
        _ => refuse("this kind of join", span),
    }
}

fn is_trino_operator(operator: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(
        operator,
        Op::Plus
            | Op::Minus
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::StringConcat
            | Op::Gt
            | Op::Lt
            | Op::GtEq
            | Op::LtEq
            | Op::Eq
            | Op::NotEq
            | Op::And
            | Op::Or
    )
}

fn is_plain(options: &WildcardAdditionalOptions) -> bool {
    options.opt_ilike.is_none()
        && options.opt_exclude.is_none()
        && options.opt_except.is_none()
        && options.opt_replace.is_none()
        && options.opt_rename.is_none()
        && options.opt_alias.is_none()
}

fn first_refused(refused: &[(bool, &str)], span: sqlparser::tokenizer::Span) -> Flow {
    match refused.iter().find(|(present, _)| *present) {
        Some((_, what)) => refuse(*what, span),
        None => GO_ON,
    }
}

fn refuse(what: impl Into<String>, span: sqlparser::tokenizer::Span) -> Flow {
    ControlFlow::Break(GuardError::Syntax { what: what.into(), at: span.into() })
}

fn first_word(body: &SetExpr) -> String {
    body.to_string().split_whitespace().next().unwrap_or_default().to_owned()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
