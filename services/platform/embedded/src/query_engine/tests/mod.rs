//! The engine as its callers see it: Trino SQL in, Trino text out.

mod functions;
mod lake_files;
mod port;
mod relations;

use super::{DataFusionEngine, QueryError};
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray, StructArray, TimestampMillisecondArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use std::collections::HashMap;
use std::sync::Arc;

/// 2026-01-01 00:00:00.
pub(super) const NEW_YEAR: i64 = 1_767_225_600_000;

/// Three CloudTrail events, the last with nothing in it.
pub(super) fn engine() -> DataFusionEngine {
    let batches = HashMap::from([("cloudtrail_logs".to_owned(), vec![cloudtrail_batch()])]);
    DataFusionEngine::with_batches(&batches).unwrap()
}

fn cloudtrail_batch() -> RecordBatch {
    let identity =
        Fields::from(vec![Field::new("type", DataType::Utf8, true), Field::new("username", DataType::Utf8, true)]);
    let identities = StructArray::new(
        identity,
        vec![
            Arc::new(StringArray::from(vec![Some("Root"), Some("IAMUser"), None])) as ArrayRef,
            Arc::new(StringArray::from(vec![None, Some("ana"), None])),
        ],
        Some(vec![true, true, false].into()),
    );
    let mut batch: Vec<(&str, ArrayRef)> = vec![
        ("event_id", Arc::new(StringArray::from(vec!["a", "b", "c"]))),
        (
            "event_time",
            Arc::new(TimestampMillisecondArray::from(vec![NEW_YEAR, NEW_YEAR + 60_000, NEW_YEAR + 86_400_000])),
        ),
        ("eventname", Arc::new(StringArray::from(vec![Some("DeleteTrail"), Some("ConsoleLogin"), None]))),
        (
            "requestparameters",
            Arc::new(StringArray::from(vec![
                Some(r#"{"name":"t","tags":["x","y"],"n":5,"ok":true,"none":null,"deep":{"a b":[{"c":"d"}]}}"#),
                Some(r#"{"tags":["z"],"bucket":{"acl":"public"}}"#),
                None,
            ])),
        ),
    ];
    batch.push(("sourceipaddress", Arc::new(StringArray::from(vec!["10.1.2.3", "2001:db8::1", "ec2.amazonaws.com"]))));
    let mut columns: Vec<(Arc<Field>, ArrayRef)> = batch
        .into_iter()
        .map(|(name, column)| (Arc::new(Field::new(name, column.data_type().clone(), true)), column))
        .collect();
    let identities: ArrayRef = Arc::new(identities);
    columns.push((Arc::new(Field::new("useridentity", identities.data_type().clone(), true)), identities));
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(datafusion::arrow::datatypes::Schema::new(fields)), arrays).unwrap()
}

/// The rows of a query, `NULL` written out, columns joined by `|`.
pub(super) async fn rows(engine: &DataFusionEngine, sql: &str) -> Vec<String> {
    let (_, rows, _) = engine.collect(sql).await.unwrap_or_else(|error| panic!("{sql}\n{error}"));
    rows.into_iter()
        .map(|row| {
            row.into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned())).collect::<Vec<_>>().join("|")
        })
        .collect()
}

/// The one value of a query without a table.
pub(super) async fn value(engine: &DataFusionEngine, expr: &str) -> String {
    rows(engine, &format!("SELECT {expr}")).await.join("\n")
}

pub(super) async fn error(engine: &DataFusionEngine, sql: &str) -> QueryError {
    match engine.collect(sql).await {
        Ok(result) => panic!("{sql} gave {result:?}"),
        Err(error) => error,
    }
}
