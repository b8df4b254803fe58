//! The catalogue's tables as DataFusion sees them: folders of Parquet files, or batches held in memory.

use super::error::QueryError;
use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, StringBuilder};
use datafusion::arrow::compute::CastOptions;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimestampMillisecondType};
use datafusion::catalog::TableProvider;
use datafusion::common::nested_struct::cast_column;
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::{DataFusionError, Result};
use mantissa_lake::arrow_schema::arrow_schema;
use mantissa_lake::catalogue::{PARTITION_COLUMNS, Table};
use std::path::Path;
use std::sync::Arc;

/// The Parquet files below `<lake_dir>/<table>/year=YYYY/month=MM/day=DD/`. A folder that does not exist has no rows.
pub(super) fn lake_table(lake_dir: &Path, table: &Table) -> Result<Arc<dyn TableProvider>, QueryError> {
    let open = || -> Result<Arc<dyn TableProvider>> {
        let folder = std::path::absolute(lake_dir.join(table.name))?;
        let url = datafusion_url(&folder)?;
        let partitions = PARTITION_COLUMNS.iter().map(|name| ((*name).to_owned(), DataType::Utf8)).collect();
        let options = ListingOptions::new(Arc::new(ParquetFormat::default()))
            .with_file_extension(".parquet")
            .with_table_partition_cols(partitions);
        let config =
            ListingTableConfig::new(url).with_listing_options(options).with_schema(with_views(&arrow_schema(table)));
        Ok(Arc::new(ListingTable::try_new(config)?))
    };
    open().map_err(|error| QueryError::Open(Box::new(error)))
}

/// Batches in place of a table's files. Columns may be missing (they are null) and in any order; the partition columns
/// follow from `event_time`.
pub(super) fn memory_table(table: &Table, batches: &[RecordBatch]) -> Result<Arc<dyn TableProvider>, QueryError> {
    let open = || -> Result<Arc<dyn TableProvider>> {
        let mut fields: Vec<Arc<Field>> = arrow_schema(table).fields().iter().cloned().collect();
        fields.extend(PARTITION_COLUMNS.iter().map(|name| Arc::new(Field::new(*name, DataType::Utf8, true))));
        let schema = Arc::new(Schema::new(fields));
        let rows = batches.iter().map(|batch| complete(batch, &schema)).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(MemTable::try_new(schema, vec![rows])?))
    };
    open().map_err(|error| QueryError::Open(Box::new(error)))
}

fn complete(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            // Structs are matched by the names of their fields.
            Some(column) => cast_column(column, field.data_type(), &CastOptions::default()),
            None => match PARTITION_COLUMNS.iter().position(|name| name == field.name()) {
                Some(part) => partition_column(batch, part),
                None => Ok(datafusion::arrow::array::new_null_array(field.data_type(), batch.num_rows())),
            },
        })
        .collect::<Result<Vec<ArrayRef>>>()?;
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

fn partition_column(batch: &RecordBatch, part: usize) -> Result<ArrayRef> {
    let times = batch
        .column_by_name("event_time")
        .and_then(|column| column.as_primitive_opt::<TimestampMillisecondType>())
        .ok_or_else(|| {
            DataFusionError::Plan("a batch in place of a table has no `event_time` in milliseconds".into())
        })?;
    let format = ["%Y", "%m", "%d"][part];
    let mut values = StringBuilder::new();
    for millis in times {
        let time = millis.and_then(chrono::DateTime::from_timestamp_millis);
        values.append_option(time.map(|time| time.format(format).to_string()));
    }
    Ok(Arc::new(values.finish()))
}

/// Text is read as views into the decoded pages: no copy, and comparisons look at four bytes first.
fn with_views(schema: &Schema) -> SchemaRef {
    Arc::new(Schema::new(views_in(schema.fields())))
}

fn views_in(fields: &Fields) -> Fields {
    fields.iter().map(|field| field.as_ref().clone().with_data_type(view_type(field.data_type()))).collect()
}

fn view_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Struct(fields) => DataType::Struct(views_in(fields)),
        DataType::List(field) => {
            DataType::List(Arc::new(field.as_ref().clone().with_data_type(view_type(field.data_type()))))
        }
        other => other.clone(),
    }
}

fn datafusion_url(folder: &Path) -> Result<ListingTableUrl> {
    let text = folder
        .to_str()
        .ok_or_else(|| DataFusionError::Plan(format!("the lake's path {} is not valid UTF-8", folder.display())))?;
    // The closing slash says that it is a folder, also while it does not exist.
    ListingTableUrl::parse(format!("{text}/"))
}
