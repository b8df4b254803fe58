//! What the coordinator answers, as far as we read it.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt;

/// One page of a statement's way: of its result, its error, or neither yet.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    #[serde(rename = "id")]
    pub(crate) query_id: String,
    /// Where the next page is; `None` on the last.
    pub(crate) next_uri: Option<String>,
    pub(crate) columns: Option<Vec<AnswerColumn>>,
    /// The values as the cluster wrote them, so that its numbers keep its form.
    #[serde(default)]
    pub(crate) data: Vec<Vec<Box<RawValue>>>,
    pub(crate) stats: AnswerStats,
    pub(crate) error: Option<AnswerError>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnswerColumn {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    pub(crate) type_signature: TypeSignature,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TypeSignature {
    /// Without its arguments: `array`, `row`, `varchar`.
    pub(crate) raw_type: String,
    #[serde(default)]
    pub(crate) arguments: Vec<TypeArgument>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TypeArgument {
    Type(TypeSignature),
    NamedType(NamedType),
    /// A length or a precision.
    Long(#[expect(dead_code, reason = "no value is printed by it, and yet it must be read")] i64),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NamedType {
    /// A row's fields need no names.
    pub(crate) field_name: Option<FieldName>,
    pub(crate) type_signature: TypeSignature,
}

#[derive(Debug, Deserialize)]
pub(crate) struct FieldName {
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnswerStats {
    pub(crate) state: String,
    /// Read from files; of other things than files nothing is counted.
    #[serde(default)]
    pub(crate) physical_input_bytes: u64,
    #[serde(default)]
    pub(crate) elapsed_time_millis: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerError {
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) error_name: String,
    #[serde(default)]
    pub(crate) error_type: String,
    pub(crate) error_location: Option<ErrorLocation>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorLocation {
    pub(crate) line_number: u32,
    pub(crate) column_number: u32,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_name, self.message)?;
        match &self.error_location {
            // Messages of the parser and the analyser begin with their place.
            Some(location) if !self.message.starts_with("line ") => {
                write!(f, ", at line {} column {}", location.line_number, location.column_number)
            }
            _ => Ok(()),
        }
    }
}
