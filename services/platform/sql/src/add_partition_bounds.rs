//! Every read of a table is confined to a span of event dates: as the query says, or as the policy does.

use crate::error::GuardError;
use crate::find_bounds::{FoundBound, find_bound};
use crate::guard::PartitionPolicy;
use chrono::NaiveDate;
use mantissa_contracts::time::TimeWindow;
use mantissa_lake::catalogue::Catalogue;
use sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, Query, Select, SetExpr, Spanned, TableAlias, TableFactor,
    TableWithJoins, VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

/// Adds bounds in place, and returns the tables to which the policy's own span was added.
pub(crate) fn add_partition_bounds(
    query: &mut Query,
    catalogue: &Catalogue,
    policy: &PartitionPolicy,
) -> Result<Vec<String>, GuardError> {
    let mut bounder = Bounder { catalogue, policy, bounded: Vec::new() };
    match query.visit(&mut bounder) {
        ControlFlow::Continue(()) => {
            bounder.bounded.sort();
            bounder.bounded.dedup();
            Ok(bounder.bounded)
        }
        ControlFlow::Break(error) => Err(error),
    }
}

/// The condition on `year`, `month`, `day` that holds for the dates from one to another, both included.
pub(crate) fn partition_condition(from: NaiveDate, to: Option<NaiveDate>) -> String {
    let [y, m, d] = date_parts(from);
    let lower = format!("(year > '{y}' OR (year = '{y}' AND (month > '{m}' OR (month = '{m}' AND day >= '{d}'))))");
    let Some(to) = to else {
        return format!("year >= '{y}' AND {lower}");
    };
    let [y2, m2, d2] = date_parts(to);
    if y == y2 && m == m2 {
        return format!("year = '{y}' AND month = '{m}' AND day BETWEEN '{d}' AND '{d2}'");
    }
    let upper =
        format!("(year < '{y2}' OR (year = '{y2}' AND (month < '{m2}' OR (month = '{m2}' AND day <= '{d2}'))))");
    format!("year BETWEEN '{y}' AND '{y2}' AND {lower} AND {upper}")
}

struct Bounder<'a> {
    catalogue: &'a Catalogue,
    policy: &'a PartitionPolicy,
    bounded: Vec<String>,
}

impl VisitorMut for Bounder<'_> {
    type Break = GuardError;

    /// After its children, so that the subqueries put in are not looked at again.
    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<GuardError> {
        let mut conditions: Vec<Expr> = select.selection.iter().cloned().collect();
        select.from.iter().for_each(|table| collect_inner_join_conditions(table, &mut conditions));
        for table in &mut select.from {
            self.bound_tables(table, &conditions)?;
        }
        ControlFlow::Continue(())
    }
}

impl Bounder<'_> {
    fn bound_tables(&mut self, table: &mut TableWithJoins, conditions: &[Expr]) -> ControlFlow<GuardError> {
        self.bound_factor(&mut table.relation, conditions)?;
        for join in &mut table.joins {
            self.bound_factor(&mut join.relation, conditions)?;
        }
        ControlFlow::Continue(())
    }

    fn bound_factor(&mut self, factor: &mut TableFactor, conditions: &[Expr]) -> ControlFlow<GuardError> {
        if let TableFactor::NestedJoin { table_with_joins, .. } = factor {
            return self.bound_tables(table_with_joins, conditions);
        }
        let at = factor.span().into();
        let TableFactor::Table { name, alias, .. } = factor else {
            return ControlFlow::Continue(());
        };
        let Some(table) = name.0.first().and_then(|part| part.as_ident()).map(|ident| ident.value.to_lowercase())
        else {
            return ControlFlow::Continue(());
        };
        let Some(has_partitions) = self.has_partitions(&table) else {
            return ControlFlow::Continue(());
        };
        let known_as = alias.as_ref().map_or_else(|| table.clone(), |alias| alias.name.value.clone());
        let found = find_bound(&known_as, &conditions.iter().collect::<Vec<_>>());
        let condition = match (found, self.policy) {
            (FoundBound::Partition, _) | (FoundBound::Missing, PartitionPolicy::Unbounded) => {
                return ControlFlow::Continue(());
            }
            (FoundBound::EventTime { from, to }, _) if has_partitions => partition_condition(from, to),
            (FoundBound::EventTime { .. }, _) => return ControlFlow::Continue(()),
            (FoundBound::Missing, PartitionPolicy::Required) => {
                return ControlFlow::Break(GuardError::Unbounded { table, at });
            }
            (FoundBound::Missing, PartitionPolicy::Default(span)) => {
                self.bounded.push(table.clone());
                span_condition(span, has_partitions)
            }
        };
        match bounded_subquery(&table, &condition) {
            Some(subquery) => {
                let alias = alias.clone().unwrap_or_else(|| TableAlias {
                    explicit: true,
                    name: Ident::new(table),
                    columns: Vec::new(),
                    at: None,
                });
                *factor = TableFactor::Derived {
                    lateral: false,
                    subquery: Box::new(subquery),
                    alias: Some(alias),
                    sample: None,
                };
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(GuardError::Unbounded { table, at }),
        }
    }

    /// `None` for what is not in the catalogue: a `WITH` query.
    fn has_partitions(&self, name: &str) -> Option<bool> {
        if self.catalogue.table(name).is_some() {
            return Some(true);
        }
        self.catalogue.view(name).map(|view| view.columns.iter().any(|column| column.name == "year"))
    }
}

fn span_condition(span: &TimeWindow, has_partitions: bool) -> String {
    let text = |instant: chrono::DateTime<chrono::Utc>| instant.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
    let times = format!("event_time >= TIMESTAMP '{}' AND event_time < TIMESTAMP '{}'", text(span.from), text(span.to));
    if has_partitions {
        format!("{} AND {times}", partition_condition(span.from.date_naive(), Some(span.to.date_naive())))
    } else {
        times
    }
}

/// Built through the parser: the only text put in is a catalogue name and digits.
fn bounded_subquery(table: &str, condition: &str) -> Option<Query> {
    let query = crate::parse(&format!("SELECT * FROM {table} WHERE {condition}")).ok()?;
    debug_assert!(matches!(*query.body, SetExpr::Select(_)));
    Some(query)
}

fn collect_inner_join_conditions(table: &TableWithJoins, found: &mut Vec<Expr>) {
    for Join { join_operator, .. } in &table.joins {
        if let JoinOperator::Join(JoinConstraint::On(on)) | JoinOperator::Inner(JoinConstraint::On(on)) = join_operator
        {
            found.push(on.clone());
        }
    }
}

fn date_parts(date: NaiveDate) -> [String; 3] {
    ["%Y", "%m", "%d"].map(|part| date.format(part).to_string())
}
