//! What a field says about its values beyond its Arrow type.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use std::sync::Arc;

const TYPE_KEY: &str = "mantissa.type";
const JSON: &str = "json";

/// A nullable field that holds JSON text: Trino's type `json`, as opposed to a varchar that happens to hold some.
pub(crate) fn json_field(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true).with_metadata([(TYPE_KEY.to_owned(), JSON.to_owned())].into())
}

pub(crate) fn is_json(field: &Field) -> bool {
    field.metadata().get(TYPE_KEY).is_some_and(|name| name == JSON)
}

pub(crate) fn json_list_type() -> DataType {
    DataType::List(Arc::new(json_field(Field::LIST_FIELD_DEFAULT_NAME)))
}

pub(crate) fn nullable(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("", data_type, true))
}
