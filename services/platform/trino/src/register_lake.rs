//! Makes the lake's tables and views known to a cluster.

use crate::engine::TrinoQueryEngine;
use crate::error::TrinoError;
use crate::lake_statements::{
    add_column, columns_of, create_schema, create_table, create_view, drop_table, show_create, table_location,
};
use mantissa_lake::catalogue::{Catalogue, Column, PARTITION_COLUMNS, Table};
use serde::Serialize;

#[derive(Debug, Clone)]
pub struct LakeRegistration {
    /// The folder of the lake as the cluster sees it: `s3://bucket/lake`, `local:///lake`.
    pub location: String,
    /// Makes tables anew that differ in more than columns they lack. Their files stay; queries that run meanwhile fail.
    pub replace: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Registered {
    pub name: &'static str,
    #[serde(flatten)]
    pub registered_as: RegisteredAs,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "registered", rename_all = "snake_case")]
pub enum RegisteredAs {
    Created,
    Unchanged,
    ColumnsAdded { columns: Vec<&'static str> },
    Replaced,
    View,
}

impl TrinoQueryEngine {
    /// Does what is still to be done: it may be run again, after an interruption or a new version.
    pub async fn register_lake(
        &self,
        catalogue: &Catalogue,
        registration: &LakeRegistration,
    ) -> Result<Vec<Registered>, TrinoError> {
        if !registration.location.contains("://") {
            let told =
                format!("the lake's location `{}` has no scheme, as in `s3://bucket/lake`", registration.location);
            return Err(TrinoError::Config(told));
        }
        run(self, &create_schema(&self.client.config.schema)).await?;
        let mut registered = Vec::new();
        for table in &catalogue.tables {
            let registered_as = register_table(self, table, registration).await?;
            registered.push(Registered { name: table.name, registered_as });
        }
        for view in &catalogue.views {
            run(self, &create_view(view)).await?;
            registered.push(Registered { name: view.name, registered_as: RegisteredAs::View });
        }
        Ok(registered)
    }
}

async fn register_table(
    engine: &TrinoQueryEngine,
    table: &Table,
    registration: &LakeRegistration,
) -> Result<RegisteredAs, TrinoError> {
    let found = run(engine, &columns_of(&engine.client.config.schema, table)).await?;
    if found.is_empty() {
        run(engine, &create_table(table, &registration.location)).await?;
        return Ok(RegisteredAs::Created);
    }
    let location = table_location(table, &registration.location);
    let created_as = run(engine, &show_create(table)).await?.into_iter().flatten().next().unwrap_or_default();
    let difference = match created_as.contains(&format!("external_location = '{location}'")) {
        true => compare(table, &found),
        false => Err(format!("it is not at `{location}`")),
    };
    match difference {
        Ok(missing) if missing.is_empty() => Ok(RegisteredAs::Unchanged),
        Ok(missing) => {
            for column in &missing {
                run(engine, &add_column(table, column)).await?;
            }
            Ok(RegisteredAs::ColumnsAdded { columns: missing.iter().map(|column| column.name).collect() })
        }
        Err(_) if registration.replace => {
            run(engine, &drop_table(table)).await?;
            run(engine, &create_table(table, &registration.location)).await?;
            Ok(RegisteredAs::Replaced)
        }
        Err(difference) => Err(TrinoError::Differs { table: table.name, difference }),
    }
}

/// The columns that are missing there, or what cannot be mended by adding some.
fn compare<'a>(table: &'a Table, found: &[Vec<String>]) -> Result<Vec<&'a Column>, String> {
    let mut missing = Vec::new();
    for column in &table.columns {
        let there = found.iter().find(|row| row.first().is_some_and(|name| name.eq_ignore_ascii_case(column.name)));
        let (ours, theirs) = (column.data_type.trino_name(), there.and_then(|row| row.get(1)));
        match theirs {
            None => missing.push(column),
            Some(theirs) if without_spaces(theirs) == without_spaces(&ours) => {}
            Some(theirs) => return Err(format!("its column `{}` is `{theirs}` and not `{ours}`", column.name)),
        }
    }
    let is_ours = |name: &str| table.column(name).is_some() || PARTITION_COLUMNS.contains(&name);
    match found.iter().filter_map(|row| row.first()).find(|name| !is_ours(name)) {
        Some(other) => Err(format!("it has a column `{other}`")),
        None => Ok(missing),
    }
}

/// The cluster writes `row(a varchar, b bigint)`, with a blank after the comma.
fn without_spaces(type_name: &str) -> String {
    type_name.replace(", ", ",").replace('"', "")
}

/// Every value of the result, NULLs as empty text.
async fn run(engine: &TrinoQueryEngine, statement: &str) -> Result<Vec<Vec<String>>, TrinoError> {
    let output = engine.collect(statement).await.map_err(|error| explain(error, statement))?;
    Ok(output.rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect())
}

/// Adds what to do where the cluster does not say it.
fn explain(error: TrinoError, statement: &str) -> TrinoError {
    match error {
        TrinoError::Statement(mut told) if told.message.contains("artition projection") => {
            told.message
                .push_str("; the catalogue's file on the cluster needs `hive.partition-projection-enabled=true`");
            TrinoError::Statement(told)
        }
        TrinoError::Statement(mut told) => {
            let began: String = statement.chars().take(60).collect();
            told.message.push_str(&format!(" (`{began}…`)"));
            TrinoError::Statement(told)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantissa_lake::catalogue::catalogue;

    #[test]
    fn added_columns_are_told_from_changed_ones() {
        let table = catalogue().table("application_logs").unwrap();
        let as_registered: Vec<Vec<String>> = table
            .columns
            .iter()
            .map(|column| vec![column.name.to_owned(), column.data_type.trino_name().replace(',', ", ")])
            .chain(PARTITION_COLUMNS.map(|name| vec![name.to_owned(), "varchar".to_owned()]))
            .collect();
        assert_eq!(compare(table, &as_registered), Ok(vec![]));
        let missing = compare(table, &as_registered[1..]).unwrap();
        assert_eq!(missing, [&table.columns[0]]);
        let mut changed = as_registered.clone();
        changed[0][1] = "bigint".to_owned();
        assert!(compare(table, &changed).unwrap_err().contains(table.columns[0].name));
        let other = vec!["somebody_elses".to_owned(), "varchar".to_owned()];
        assert!(compare(table, &[as_registered, vec![other]].concat()).unwrap_err().contains("somebody_elses"));
    }
}
