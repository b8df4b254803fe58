//! What the deployment on AWS is made from, beside the topology: functions, tables and the lake.

use crate::documents::{check_generated, pretty};
use mantissa_aws::dynamodb::schema::TABLES;
use mantissa_hosts_aws::functions::FUNCTIONS;
use mantissa_lake::catalogue::{Column, EVENT_YEARS, PARTITION_COLUMNS, catalogue};
use serde_json::{Value, json};

#[test]
fn functions_are_what_their_table_says() {
    check_generated("pulumi/generated/functions.json", &pretty(&json!(FUNCTIONS)));
}

#[test]
fn tables_are_what_the_schema_says() {
    check_generated("pulumi/generated/tables.json", &pretty(&json!(TABLES)));
}

#[test]
fn lake_is_what_the_catalogue_says() {
    let catalogue = catalogue();
    let tables: Vec<Value> = catalogue
        .tables
        .iter()
        .map(|table| json!({ "name": table.name, "log_source": table.log_source.as_str(), "doc": table.doc, "columns": columns(&table.columns) }))
        .collect();
    let views: Vec<Value> = catalogue
        .views
        .iter()
        .map(|view| json!({ "name": view.name, "doc": view.doc, "sql": view.sql, "columns": columns(&view.columns) }))
        .collect();
    let lake = json!({ "event_years": [*EVENT_YEARS.start(), *EVENT_YEARS.end()], "partition_columns": PARTITION_COLUMNS, "tables": tables, "views": views });
    check_generated("pulumi/generated/lake.json", &pretty(&lake));
}

fn columns(columns: &[Column]) -> Vec<Value> {
    let describe = |column: &Column| {
        json!({
            "name": column.name, "hive_type": column.data_type.hive_name(), "trino_type": column.data_type.trino_name(),
            "doc": column.doc,
        })
    };
    columns.iter().map(describe).collect()
}
