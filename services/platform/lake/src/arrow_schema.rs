//! The catalogue's types as Arrow types.

use crate::catalogue::{Column, ColumnType, Table};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use std::sync::Arc;

/// The schema of a table's files: every column, without the partition columns.
pub fn arrow_schema(table: &Table) -> SchemaRef {
    Arc::new(Schema::new(table.columns.iter().map(arrow_field).collect::<Vec<_>>()))
}

pub fn arrow_field(column: &Column) -> Field {
    Field::new(column.name, arrow_type(&column.data_type), true)
}

pub fn arrow_type(column_type: &ColumnType) -> DataType {
    match column_type {
        ColumnType::Varchar | ColumnType::Json => DataType::Utf8,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Integer => DataType::Int32,
        ColumnType::Bigint => DataType::Int64,
        ColumnType::Double => DataType::Float64,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, None),
        ColumnType::Struct(fields) => DataType::Struct(struct_fields(fields)),
        ColumnType::Array(item) => DataType::List(list_item(item)),
    }
}

pub(crate) fn struct_fields(columns: &[Column]) -> Fields {
    columns.iter().map(arrow_field).collect()
}

/// Parquet's own name for the items of a list, so that every reader finds them.
pub(crate) fn list_item(item: &ColumnType) -> Arc<Field> {
    Arc::new(Field::new("element", arrow_type(item), true))
}
