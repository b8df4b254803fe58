//! A rule whose detection is a Trino SELECT of its author.
//!
//! Invariants: the bounds of a run are put under the query by rewriting its syntax tree, at every place a table of the
//! lake is read, so the author can neither forget nor widen them; the text itself is never edited. What the query may
//! contain beyond that is the guard's business.

use crate::sql_text::all_of;
use mantissa_lake::catalogue::{Catalogue, catalogue};
use mantissa_sql::{GuardPolicy, guard, parse};
use sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Query, SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins,
    VisitMut, VisitorMut,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

#[derive(Debug, Clone)]
pub struct SqlRule {
    text: String,
    query: Query,
    /// Names of the result's columns, in lower case.
    columns: BTreeSet<String>,
}

impl SqlRule {
    /// Reads the query; an error is a message about it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let query = parse(text).map_err(|error| error.to_string())?;
        let guarded = guard(text, catalogue(), &GuardPolicy::for_rules(1)).map_err(|error| error.to_string())?;
        if guarded.tables.is_empty() {
            return Err("reads no table of the lake".to_owned());
        }
        let columns = output_columns(&query, catalogue()).ok_or(
            "the columns of the result cannot be told: name each one instead of selecting everything".to_owned(),
        )?;
        for required in ["event_id", "event_time"] {
            if !columns.contains(required) {
                return Err(format!("does not return the column `{required}`, which every match is known by"));
            }
        }
        Ok(Self { text: text.trim().trim_end_matches(';').to_owned(), query, columns })
    }

    /// As its author wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What of it one engine answers otherwise than another.
    pub(crate) fn engine_differences(&self) -> Vec<String> {
        let told = mantissa_sql::engine_differences(&self.query);
        told.into_iter().map(|(cause, at)| format!("{cause} (at {at} of the query)")).collect()
    }

    pub(crate) fn returns(&self, column: &str) -> bool {
        self.columns.contains(&column.to_ascii_lowercase())
    }

    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// The query over bounded tables: `of_table` holds for the rule's own table, `others` for every other one.
    pub(crate) fn bounded(&self, table: &str, others: &[String], of_table: &[String]) -> String {
        let mut query = self.query.clone();
        let _flow: ControlFlow<()> = query.visit(&mut Bounder { table, others, of_table });
        query.to_string()
    }
}

struct Bounder<'a> {
    table: &'a str,
    others: &'a [String],
    of_table: &'a [String],
}

impl VisitorMut for Bounder<'_> {
    type Break = ();

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name: relation, alias, .. } = factor else { return ControlFlow::Continue(()) };
        let named = relation_name(relation).filter(|name| is_of_lake(name));
        let Some(name) = named else { return ControlFlow::Continue(()) };
        let terms = if name == self.table { self.of_table } else { self.others };
        if terms.is_empty() {
            return ControlFlow::Continue(());
        }
        match parse(&format!("SELECT * FROM {name} WHERE {}", all_of(terms))) {
            Ok(subquery) => {
                let alias = alias.take().unwrap_or_else(|| TableAlias {
                    explicit: true,
                    name: Ident::new(name),
                    columns: Vec::new(),
                    at: None,
                });
                let subquery = Box::new(subquery);
                *factor = TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None };
            }
            // Bounds and exceptions are our own SQL. Should they not be read back, the table must not be read without
            // them: the guard knows none of this name.
            Err(_) => *relation = ObjectName::from(vec![Ident::new(format!("{name} without its bounds"))]),
        }
        ControlFlow::Continue(())
    }
}

fn is_of_lake(name: &str) -> bool {
    catalogue().table(name).is_some() || catalogue().view(name).is_some()
}

/// The name in lower case; `None` for one with a schema.
fn relation_name(name: &ObjectName) -> Option<String> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(ident)] => Some(ident.value.to_ascii_lowercase()),
        _ => None,
    }
}

fn output_columns(query: &Query, catalogue: &Catalogue) -> Option<BTreeSet<String>> {
    columns_of_query(query, &[], catalogue, 0)
}

/// WITH queries in sight: name and columns.
type Scope = Vec<(String, BTreeSet<String>)>;

const MAX_DEPTH: usize = 50;

fn columns_of_query(
    query: &Query,
    outer: &[(String, BTreeSet<String>)],
    catalogue: &Catalogue,
    depth: usize,
) -> Option<BTreeSet<String>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut scope: Scope = outer.to_vec();
    for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
        let columns = if cte.alias.columns.is_empty() {
            columns_of_query(&cte.query, &scope, catalogue, depth + 1)?
        } else {
            cte.alias.columns.iter().map(|column| column.name.value.to_ascii_lowercase()).collect()
        };
        scope.push((cte.alias.name.value.to_ascii_lowercase(), columns));
    }
    columns_of_body(&query.body, &scope, catalogue, depth)
}

fn columns_of_body(body: &SetExpr, scope: &Scope, catalogue: &Catalogue, depth: usize) -> Option<BTreeSet<String>> {
    match body {
        SetExpr::Query(query) => columns_of_query(query, scope, catalogue, depth + 1),
        // The first branch names the columns of a union.
        SetExpr::SetOperation { left, .. } => columns_of_body(left, scope, catalogue, depth + 1),
        SetExpr::Select(select) => {
            let mut columns = BTreeSet::new();
            for item in &select.projection {
                match item {
                    SelectItem::ExprWithAlias { alias, .. } => {
                        columns.insert(alias.value.to_ascii_lowercase());
                    }
                    SelectItem::UnnamedExpr(Expr::Identifier(name)) => {
                        columns.insert(name.value.to_ascii_lowercase());
                    }
                    SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => {
                        columns.extend(names.last().map(|name| name.value.to_ascii_lowercase()));
                    }
                    SelectItem::UnnamedExpr(_) => {}
                    SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                        // `t.*` is taken for `*`: what is missing is found when the query is planned.
                        for table in &select.from {
                            columns.extend(columns_of_relation(table, scope, catalogue, depth + 1)?);
                        }
                    }
                    SelectItem::ExprWithAliases { .. } => return None,
                }
            }
            Some(columns)
        }
        _ => None,
    }
}

fn columns_of_relation(
    table: &TableWithJoins,
    scope: &Scope,
    catalogue: &Catalogue,
    depth: usize,
) -> Option<BTreeSet<String>> {
    let mut columns = BTreeSet::new();
    for factor in std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation)) {
        match factor {
            TableFactor::Table { name, .. } => {
                let name = relation_name(name)?;
                if let Some((_, found)) = scope.iter().rev().find(|(known, _)| *known == name) {
                    columns.extend(found.iter().cloned());
                } else {
                    let table = catalogue.table(&name).map(|table| &table.columns);
                    let known = table.or_else(|| catalogue.view(&name).map(|view| &view.columns))?;
                    columns.extend(known.iter().map(|column| column.name.to_owned()));
                    columns.extend(["year", "month", "day"].map(str::to_owned));
                }
            }
            TableFactor::Derived { subquery, alias, .. } => match alias {
                Some(alias) if !alias.columns.is_empty() => {
                    columns.extend(alias.columns.iter().map(|column| column.name.value.to_ascii_lowercase()));
                }
                _ => columns.extend(columns_of_query(subquery, scope, catalogue, depth)?),
            },
            TableFactor::NestedJoin { table_with_joins, .. } => {
                columns.extend(columns_of_relation(table_with_joins, scope, catalogue, depth + 1)?);
            }
            // Its columns are in its alias; none of them is one we need.
            TableFactor::UNNEST { .. } => {}
            _ => return None,
        }
    }
    Some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(sql: &str) -> String {
        SqlRule::read(sql).unwrap_err()
    }

    #[test]
    fn every_reference_to_a_table_is_bounded_and_literals_are_left_alone() {
        let sql = "WITH a AS (SELECT event_id, event_time FROM cloudtrail_logs WHERE eventname = 'cloudtrail_logs') \
                   SELECT a.event_id, a.event_time FROM a JOIN cloudtrail_logs AS l ON l.event_id = a.event_id \
                   WHERE EXISTS (SELECT 1 FROM vpc_flow_logs)";
        let rule = SqlRule::read(sql).unwrap();
        let terms = ["year = '2026'".to_owned()];
        let own = ["year = '2026'".to_owned(), "eventname <> 'x'".to_owned()];
        let bounded = rule.bounded("cloudtrail_logs", &terms, &own);
        assert_eq!(
            bounded.matches("(SELECT * FROM cloudtrail_logs WHERE (year = '2026' AND eventname <> 'x'))").count(),
            2
        );
        assert_eq!(bounded.matches("(SELECT * FROM vpc_flow_logs WHERE year = '2026')").count(), 1);
        assert_eq!(bounded.matches("'cloudtrail_logs'").count(), 1);
        assert!(bounded.contains(") AS l ON") && bounded.contains(") AS cloudtrail_logs"), "{bounded}");
        assert_eq!(rule.bounded("cloudtrail_logs", &[], &[]), rule.query.to_string());
    }

    #[test]
    fn bounds_are_put_under_a_table_however_many_there_are_or_the_query_is_refused() {
        let rule = SqlRule::read("SELECT event_id, event_time FROM cloudtrail_logs").unwrap();
        let many: Vec<String> = (0..1_000).map(|n| format!("NOT COALESCE(eventname = 'e{n}', FALSE)")).collect();
        let bounded = rule.bounded("cloudtrail_logs", &[], &many);
        assert!(bounded.contains("'e0'") && bounded.contains("'e999'"));
        assert!(guard(&bounded, catalogue(), &GuardPolicy::for_rules(1)).is_ok());
        let unreadable = rule.bounded("cloudtrail_logs", &[], &["eventname =".to_owned()]);
        assert!(guard(&unreadable, catalogue(), &GuardPolicy::for_rules(1)).is_err(), "{unreadable}");
    }

    #[test]
    fn what_is_no_select_is_refused() {
        assert!(error("DELETE FROM cloudtrail_logs").contains("only SELECT"));
        assert!(error("SELECT 1; SELECT 2").contains("more than one statement"));
        assert!(error("SELEC event_id").contains("only SELECT"));
    }

    #[test]
    fn a_result_without_event_id_or_event_time_is_refused() {
        assert!(error("SELECT event_time FROM cloudtrail_logs").contains("`event_id`"));
        assert!(error("SELECT event_id, count(*) AS n FROM cloudtrail_logs GROUP BY 1").contains("`event_time`"));
        let all = SqlRule::read("SELECT * FROM (SELECT * FROM cloudtrail_logs) AS t").unwrap();
        assert!(all.returns("event_id") && all.returns("eventName") && !all.returns("srcaddr"));
        let renamed = SqlRule::read(
            "SELECT min(event_id) AS event_id, max(l.event_time) AS event_time FROM normalized_network l",
        );
        assert!(renamed.is_ok(), "{renamed:?}");
    }

    #[test]
    fn other_tables_and_hidden_ones_are_refused() {
        assert!(error("SELECT event_id, event_time FROM information_schema.tables").contains("information_schema"));
        assert!(error("SELECT 'a' AS event_id, 1 AS event_time").contains("reads no table"));
        let hidden =
            "WITH cloudtrail_logs AS (SELECT * FROM vpc_flow_logs) SELECT event_id, event_time FROM cloudtrail_logs";
        assert!(error(hidden).contains("hides"));
    }
}
