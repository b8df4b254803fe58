//! VPC flow records as Parquet, columns by name. `raw` is the row as a JSON object: Parquet has no text of its own.

use super::frame::{Framer, Place};
use super::part::{Part, PartBuilder};
use super::vpc_flow;
use crate::build_batch::Value;
use crate::catalogue::LogSource;
use crate::error::LakeError;
use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::io::Read;

/// Parquet is read from its end, so it is held in memory; AWS closes files long before this size.
const MAX_FILE_BYTES: usize = 512 * 1024 * 1024;
const ROWS_AT_ONCE: usize = 8_192;

pub(crate) fn is_parquet(sample: &[u8]) -> bool {
    sample.starts_with(b"PAR1")
}

/// Reads a whole Parquet file. What cannot be read of it is quarantined.
pub(crate) fn read<R: Read, E: From<LakeError>>(
    framer: &mut Framer<R>,
    part: &mut PartBuilder<'_>,
    sink: &mut dyn FnMut(Part) -> Result<(), E>,
) -> Result<(), E> {
    let mut row_number = 0;
    if part.log_source() != LogSource::VpcFlow {
        let reason = format!("a Parquet file cannot be read into `{}`", part.table.name);
        part.quarantine(&[], 0, place(0), reason);
        return Ok(());
    }
    let opened = framer.read_all(MAX_FILE_BYTES).and_then(|content| {
        let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(content)).map_err(|e| e.to_string())?;
        builder.with_batch_size(ROWS_AT_ONCE).build().map_err(|e| e.to_string())
    });
    let reader = match opened {
        Ok(reader) => reader,
        Err(reason) => {
            part.quarantine(&[], framer.bytes_read(), place(0), format!("not a readable Parquet file: {reason}"));
            return Ok(());
        }
    };
    for batch in reader {
        let added = batch.map_err(|e| e.to_string()).and_then(|batch| add_rows(&batch, &mut row_number, part));
        if let Err(reason) = added {
            part.quarantine(&[], 0, place(row_number), format!("rows after {row_number} cannot be read: {reason}"));
            break;
        }
        if part.is_full() {
            sink(part.finish(framer.bytes_read())?)?;
        }
    }
    Ok(())
}

/// A row stands for a line.
fn place(row_number: u64) -> Place {
    Place { offset: 0, line: row_number + 1 }
}

fn add_rows(batch: &RecordBatch, row_number: &mut u64, part: &mut PartBuilder<'_>) -> Result<(), String> {
    let options = FormatOptions::default();
    let schema = batch.schema();
    let positions: Vec<_> = schema.fields().iter().map(|field| part.batch.position_of(field.name())).collect();
    if positions.iter().flatten().count() < 2 {
        return Err("its columns are not those of flow records".to_owned());
    }
    let formatters: Result<Vec<_>, _> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options)).collect();
    let formatters = formatters.map_err(|e| e.to_string())?;
    for row in 0..batch.num_rows() {
        let texts: Vec<Option<String>> = batch
            .columns()
            .iter()
            .zip(&formatters)
            .map(|(column, formatter)| (!column.is_null(row)).then(|| formatter.value(row).to_string()))
            .collect();
        let mut values = vec![Value::Null; part.batch.n_own_columns()];
        for (position, text) in positions.iter().zip(&texts) {
            if let (Some(position), Some(text)) = (position, text) {
                values[*position] = vpc_flow::value_of(text);
            }
        }
        let raw = row_as_json(batch, &texts);
        vpc_flow::add(&values, &raw, place(*row_number), part);
        *row_number += 1;
    }
    Ok(())
}

fn row_as_json(batch: &RecordBatch, texts: &[Option<String>]) -> String {
    let members = batch
        .schema()
        .fields()
        .iter()
        .zip(texts)
        .map(|(field, text)| {
            let value = match text {
                None => serde_json::Value::Null,
                Some(text) if is_number(field.data_type()) => {
                    text.parse::<i64>().map_or_else(|_| text.clone().into(), Into::into)
                }
                Some(text) => text.clone().into(),
            };
            (field.name().clone(), value)
        })
        .collect();
    serde_json::Value::Object(members).to_string()
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_integer()
}
