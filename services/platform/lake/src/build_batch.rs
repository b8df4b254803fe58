//! Records → Arrow, one builder a column, driven by the catalogue.
//!
//! A row is checked whole before anything of it is appended, so a refused record leaves no trace.

use crate::arrow_schema::{arrow_schema, list_item, struct_fields};
use crate::catalogue::{Column, ColumnType, Table};
use crate::error::LakeError;
use crate::json_text::{self, Names};
use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, ListArray, NullBufferBuilder, RecordBatch,
    StringArray, StringBuilder, StructArray, TimestampMillisecondBuilder,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::Schema;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::Arc;

/// What a parser says about one column of one record.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Value<'a> {
    #[default]
    Null,
    /// The text of a checked JSON value.
    Json(&'a str),
    Text(&'a str),
}

/// One record on its way into the batch. `values` are by position of the table's own columns.
pub(crate) struct Row<'a> {
    pub(crate) values: &'a [Value<'a>],
    pub(crate) event_id: &'a str,
    pub(crate) event_time_ms: i64,
    pub(crate) raw: &'a str,
    pub(crate) names: Names,
}

pub(crate) struct BatchBuilder {
    table: &'static Table,
    positions: HashMap<&'static str, usize, FixedState>,
    columns: Vec<ColumnBuilder>,
    event_id: StringBuilder,
    event_time: TimestampMillisecondBuilder,
    raw: StringBuilder,
    n_rows: usize,
}

/// Common columns: event_id, event_time, ingested_at, source_object, raw.
const N_COMMON: usize = 5;

impl BatchBuilder {
    pub(crate) fn new(table: &'static Table) -> Self {
        let own = Self::own_columns(table);
        let mut positions = HashMap::default();
        for (position, column) in own.iter().enumerate() {
            positions.insert(column.source_field, position);
            positions.entry(column.name).or_insert(position);
        }
        Self {
            table,
            positions,
            columns: own.iter().map(|column| ColumnBuilder::new(&column.data_type)).collect(),
            event_id: StringBuilder::new(),
            event_time: TimestampMillisecondBuilder::new(),
            raw: StringBuilder::new(),
            n_rows: 0,
        }
    }

    fn own_columns(table: &'static Table) -> &'static [Column] {
        &table.columns[..table.columns.len() - N_COMMON]
    }

    pub(crate) fn n_own_columns(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Where a field of the source belongs.
    pub(crate) fn position_of(&self, field: &str) -> Option<usize> {
        self.positions.get(field).copied().or_else(|| {
            Self::own_columns(self.table).iter().position(|column| column.source_field.eq_ignore_ascii_case(field))
        })
    }

    /// Appends the record, or says why it does not fit and changes nothing.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<(), String> {
        for (column, value) in Self::own_columns(self.table).iter().zip(row.values) {
            check(column, *value)?;
        }
        for (builder, value) in self.columns.iter_mut().zip(row.values) {
            builder.append(*value, row.names);
        }
        self.event_id.append_value(row.event_id);
        self.event_time.append_value(row.event_time_ms);
        self.raw.append_value(row.raw);
        self.n_rows += 1;
        Ok(())
    }

    /// The batch of everything pushed since the last call, with every column but `ingested_at`.
    pub(crate) fn finish(&mut self, source_object: &str) -> Result<RecordBatch, LakeError> {
        let mut arrays: Vec<ArrayRef> = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        arrays.push(Arc::new(self.event_id.finish()));
        arrays.push(Arc::new(self.event_time.finish()));
        arrays.push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(source_object, self.n_rows))));
        arrays.push(Arc::new(self.raw.finish()));
        self.n_rows = 0;
        let full = arrow_schema(self.table);
        let fields: Vec<_> =
            full.fields().iter().filter(|field| field.name() != crate::write_parquet::INGESTED_AT).cloned().collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .map_err(|source| LakeError::BuildBatch { table: self.table.name, source })
    }
}

fn check(column: &Column, value: Value<'_>) -> Result<(), String> {
    let wrong = |expected: &str, json: &str| {
        Err(format!("`{}` is {}, expected {expected}", column.source_field, kind_of(json)))
    };
    match (&column.data_type, value) {
        (_, Value::Null | Value::Json("null")) => Ok(()),
        (ColumnType::Struct(_), Value::Json(json)) if !json.starts_with('{') => wrong("an object", json),
        (ColumnType::Struct(fields), Value::Json(json)) => {
            let mut checked = Ok(());
            let scanned = json_text::members(json, |name, member| {
                if checked.is_ok()
                    && let Some(field) = find_field(fields, name)
                    && matches!(field.data_type, ColumnType::Struct(_) | ColumnType::Array(_))
                {
                    checked = check(field, Value::Json(member));
                }
            });
            scanned.map_err(|e| e.to_string()).and(checked)
        }
        (ColumnType::Array(_), Value::Json(json)) if !json.starts_with('[') => wrong("an array", json),
        (ColumnType::Array(_), Value::Json(json)) => {
            let mut checked = Ok(());
            let scanned = json_text::elements(json, |item| {
                if checked.is_ok() && !item.starts_with('{') && item != "null" {
                    checked = wrong("an array of objects", item);
                }
            });
            scanned.map_err(|e| e.to_string()).and(checked)
        }
        (ColumnType::Integer, _) => {
            check_number(column, value, |text| integer(text).and_then(|n| i32::try_from(n).ok()))
        }
        (ColumnType::Bigint, _) => check_number(column, value, integer),
        (ColumnType::Double, _) => check_number(column, value, |text| text.parse::<f64>().ok()),
        _ => Ok(()),
    }
}

fn check_number<T>(column: &Column, value: Value<'_>, parse: impl Fn(&str) -> Option<T>) -> Result<(), String> {
    let text = text_of(value);
    if text.is_empty() || parse(text).is_some() {
        return Ok(());
    }
    let shown: String = text.chars().take(60).collect();
    Err(format!("`{}` is `{shown}`, expected a number", column.source_field))
}

/// `40`, `"40"`, and `40.0` as some producers write it.
fn integer(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| text.strip_suffix(".0")?.parse().ok())
}

fn text_of(value: Value<'_>) -> &str {
    match value {
        Value::Null | Value::Json("null") => "",
        Value::Json(json) => json.trim_matches('"').trim(),
        Value::Text(text) => text,
    }
}

fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

fn find_field<'a>(fields: &'a [Column], name: &str) -> Option<&'a Column> {
    find_position(fields, name).map(|position| &fields[position])
}

fn find_position(fields: &[Column], name: &str) -> Option<usize> {
    let exact = fields.iter().position(|field| field.source_field == name);
    exact.or_else(|| fields.iter().position(|field| field.source_field.eq_ignore_ascii_case(name)))
}

enum ColumnBuilder {
    Text(StringBuilder),
    /// With room in which JSON is compacted.
    Json(StringBuilder, String),
    Boolean(BooleanBuilder),
    Integer(Int32Builder),
    Bigint(Int64Builder),
    Double(Float64Builder),
    Struct {
        columns: &'static [Column],
        fields: Vec<ColumnBuilder>,
        present: NullBufferBuilder,
    },
    Array {
        item_type: &'static ColumnType,
        items: Box<ColumnBuilder>,
        lengths: Vec<usize>,
        present: NullBufferBuilder,
    },
}

impl ColumnBuilder {
    fn new(column_type: &'static ColumnType) -> Self {
        match column_type {
            ColumnType::Varchar => Self::Text(StringBuilder::new()),
            ColumnType::Json => Self::Json(StringBuilder::new(), String::new()),
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnType::Integer => Self::Integer(Int32Builder::new()),
            // No source has timestamps of its own: they are text as delivered, and event_time.
            ColumnType::Bigint | ColumnType::Timestamp => Self::Bigint(Int64Builder::new()),
            ColumnType::Double => Self::Double(Float64Builder::new()),
            ColumnType::Struct(columns) => Self::Struct {
                columns,
                fields: columns.iter().map(|column| Self::new(&column.data_type)).collect(),
                present: NullBufferBuilder::new(0),
            },
            ColumnType::Array(item) => Self::Array {
                item_type: item,
                items: Box::new(Self::new(item)),
                lengths: Vec::new(),
                present: NullBufferBuilder::new(0),
            },
        }
    }

    fn append(&mut self, value: Value<'_>, names: Names) {
        let value = if value == Value::Json("null") { Value::Null } else { value };
        match self {
            Self::Text(builder) => match value {
                Value::Null => builder.append_null(),
                Value::Text(text) => builder.append_value(text),
                Value::Json(json) => builder.append_value(json_text::unquote(json)),
            },
            Self::Json(builder, room) => match value {
                Value::Null => builder.append_null(),
                Value::Text(text) => builder.append_value(text),
                Value::Json(json) => {
                    room.clear();
                    json_text::compact(json, names, room);
                    builder.append_value(&*room);
                }
            },
            Self::Boolean(builder) => builder.append_option(text_of(value).parse().ok()),
            Self::Integer(builder) => {
                builder.append_option(integer(text_of(value)).and_then(|n| i32::try_from(n).ok()))
            }
            Self::Bigint(builder) => builder.append_option(integer(text_of(value))),
            Self::Double(builder) => builder.append_option(text_of(value).parse().ok()),
            Self::Struct { columns, fields, present } => {
                let mut values = vec![Value::Null; columns.len()];
                if let Value::Json(json) = value {
                    // Checked before: cannot fail.
                    let _ = json_text::members(json, |name, member| {
                        if let Some(position) = find_position(columns, name) {
                            values[position] = Value::Json(member);
                        }
                    });
                }
                for (field, value) in fields.iter_mut().zip(values) {
                    field.append(value, names);
                }
                present.append(value != Value::Null);
            }
            Self::Array { items, lengths, present, .. } => {
                let mut n_items = 0;
                if let Value::Json(json) = value {
                    let _ = json_text::elements(json, |item| {
                        items.append(Value::Json(item), names);
                        n_items += 1;
                    });
                }
                lengths.push(n_items);
                present.append(value != Value::Null);
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) | Self::Json(builder, _) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Bigint(builder) => Arc::new(builder.finish()),
            Self::Double(builder) => Arc::new(builder.finish()),
            Self::Struct { columns, fields, present } => {
                let arrays = fields.iter_mut().map(Self::finish).collect();
                Arc::new(StructArray::new(struct_fields(columns), arrays, present.finish()))
            }
            Self::Array { item_type, items, lengths, present } => {
                let offsets = OffsetBuffer::from_lengths(std::mem::take(lengths));
                Arc::new(ListArray::new(list_item(item_type), offsets, items.finish(), present.finish()))
            }
        }
    }
}
