//! Short forms for writing tables down.

use super::{Column, ColumnType};

pub(super) fn column(
    name: &'static str,
    source_field: &'static str,
    data_type: ColumnType,
    doc: &'static str,
) -> Column {
    Column { name, source_field, data_type, doc }
}

pub(super) fn text(name: &'static str, source_field: &'static str, doc: &'static str) -> Column {
    column(name, source_field, ColumnType::Varchar, doc)
}

pub(super) fn json(name: &'static str, source_field: &'static str, doc: &'static str) -> Column {
    column(name, source_field, ColumnType::Json, doc)
}

pub(super) fn integer(name: &'static str, source_field: &'static str, doc: &'static str) -> Column {
    column(name, source_field, ColumnType::Integer, doc)
}

pub(super) fn bigint(name: &'static str, source_field: &'static str, doc: &'static str) -> Column {
    column(name, source_field, ColumnType::Bigint, doc)
}

pub(super) fn record(name: &'static str, source_field: &'static str, fields: Vec<Column>, doc: &'static str) -> Column {
    column(name, source_field, ColumnType::Struct(fields), doc)
}

/// An array of structs.
pub(super) fn array(name: &'static str, source_field: &'static str, fields: Vec<Column>, doc: &'static str) -> Column {
    column(name, source_field, ColumnType::Array(Box::new(ColumnType::Struct(fields))), doc)
}
