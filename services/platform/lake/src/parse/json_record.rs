//! A JSON object's members, put where the table has them.

use super::frame::Place;
use super::part::PartBuilder;
use crate::build_batch::Value;
use crate::json_text::{self, JsonError, Names};
use std::borrow::Cow;

pub(crate) struct JsonRecord<'a> {
    /// By position of the table's own columns.
    pub(crate) values: Vec<Value<'a>>,
    /// EventBridge's envelope around a record.
    detail: Option<&'a str>,
    /// An array of records.
    items: Option<&'a str>,
    pub(crate) names: Names,
}

impl<'a> JsonRecord<'a> {
    pub(crate) fn read(text: &'a str, part: &PartBuilder<'_>) -> Result<Self, JsonError> {
        let mut record = Self {
            values: vec![Value::Null; part.batch.n_own_columns()],
            detail: None,
            items: None,
            names: Names::AsDelivered,
        };
        json_text::members(text, |name, value| match part.batch.position_of(name) {
            Some(position) => {
                record.values[position] = Value::Json(value);
                if name.starts_with(|first: char| first.is_ascii_uppercase()) {
                    record.names = Names::CamelCase;
                }
            }
            None if name == "detail" && value.starts_with('{') => record.detail = Some(value),
            None if matches!(name, "Records" | "Findings") && value.starts_with('[') => record.items = Some(value),
            None => {}
        })?;
        Ok(record)
    }

    /// The text of a field; `None` where it is missing, null or empty.
    pub(crate) fn text(&self, field: &str, part: &PartBuilder<'_>) -> Option<Cow<'a, str>> {
        match self.values[part.batch.position_of(field)?] {
            Value::Null | Value::Json("null" | "\"\"") | Value::Text("") => None,
            Value::Json(json) => Some(json_text::unquote(json)),
            Value::Text(text) => Some(Cow::Borrowed(text)),
        }
    }

    /// Parses what this object is only a wrapper of; `false` when it is none.
    pub(crate) fn unwrap_with(
        &self,
        place: Place,
        part: &mut PartBuilder<'_>,
        parse: fn(&str, Place, &mut PartBuilder<'_>) -> Result<(), String>,
    ) -> bool {
        let mut parse_or_quarantine = |text: &str| {
            if let Err(reason) = parse(text, place, part) {
                part.quarantine(text.as_bytes(), text.len() as u64, place, reason);
            }
        };
        if let Some(detail) = self.detail {
            parse_or_quarantine(detail);
        } else if let Some(items) = self.items {
            // Checked with the whole: cannot fail.
            let _ = json_text::elements(items, &mut parse_or_quarantine);
        }
        self.detail.is_some() || self.items.is_some()
    }
}
