//! VPC flow records as text (with a header, or in the default order of version 2) and as JSON objects.

use super::event_times::{in_range, parse_iso};
use super::frame::Place;
use super::json_record::JsonRecord;
use super::part::{PartBuilder, Record};
use crate::build_batch::Value;
use crate::catalogue::{LogSource, catalogue};
use crate::json_text::Names;

/// The order of a flow log that was made without a format.
const DEFAULT_ORDER: [&str; 14] = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
];

#[derive(Default)]
pub(crate) struct VpcFlowParser {
    /// Position of each field of a line, from the last header; `None` for a field the table does not have.
    order: Option<Vec<Option<usize>>>,
    has_header: bool,
}

impl VpcFlowParser {
    pub(crate) fn parse(&mut self, text: &str, place: Place, part: &mut PartBuilder<'_>) -> Result<(), String> {
        if text.starts_with('{') {
            return parse_json(text, place, part);
        }
        if self.read_header(text, part) {
            return Ok(());
        }
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let order =
            self.order.get_or_insert_with(|| DEFAULT_ORDER.iter().map(|field| part.batch.position_of(field)).collect());
        // An export from CloudWatch Logs puts its own time before each record.
        let fields = match fields.split_first() {
            Some((first, rest)) if rest.len() == order.len() && parse_iso(first).is_some() => rest,
            _ => &fields[..],
        };
        if fields.len() != order.len() {
            let of = if self.has_header { "the header has" } else { "without a header, version 2 has" };
            return Err(format!("line has {} fields, {of} {}", fields.len(), order.len()));
        }
        let mut values = vec![Value::Null; part.batch.n_own_columns()];
        for (position, field) in order.iter().zip(fields) {
            if let Some(position) = position {
                values[*position] = value_of(field);
            }
        }
        add(&values, text, place, part);
        Ok(())
    }

    /// Takes the order of fields from a header; `false` when the line is none.
    pub(crate) fn read_header(&mut self, text: &str, part: &PartBuilder<'_>) -> bool {
        // A record's first field is a number or, in an export, a time.
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            return false;
        }
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let is_header = is_header(&fields);
        if is_header {
            self.has_header = true;
            self.order = Some(fields.iter().map(|field| part.batch.position_of(field)).collect());
        }
        is_header
    }
}

/// A header names fields of the format, and nothing but names.
pub(crate) fn is_header(fields: &[&str]) -> bool {
    let known = |field: &&str| {
        catalogue().table_of(LogSource::VpcFlow).is_some_and(|table| {
            table.columns.iter().any(|column| column.source_field == *field || column.name == *field)
        })
    };
    let n_known = fields.iter().filter(|field| known(field)).count();
    n_known >= 2
        && n_known * 2 > fields.len()
        && fields.iter().all(|field| !field.starts_with(|c: char| c.is_ascii_digit()))
}

/// `-` stands for a field that does not apply.
pub(crate) fn value_of(field: &str) -> Value<'_> {
    if field == "-" { Value::Null } else { Value::Text(field) }
}

pub(crate) fn add(values: &[Value<'_>], raw: &str, place: Place, part: &mut PartBuilder<'_>) {
    let seconds = |field: &str| match values[part.batch.position_of(field)?] {
        Value::Null => None,
        Value::Text(text) | Value::Json(text) => text.trim_matches('"').parse::<i64>().ok()?.checked_mul(1000),
    };
    let event_time_ms = seconds("start").or_else(|| seconds("end")).and_then(in_range);
    part.add(&Record { values, event_id: None, event_time_ms, raw, names: Names::AsDelivered }, place);
}

fn parse_json(text: &str, place: Place, part: &mut PartBuilder<'_>) -> Result<(), String> {
    let mut record = JsonRecord::read(text, part).map_err(|e| e.to_string())?;
    if record.text("interface-id", part).is_none() && record.text("srcaddr", part).is_none() {
        return Err("not a flow record: no `interface_id` or `srcaddr`".to_owned());
    }
    for value in &mut record.values {
        if *value == Value::Json("\"-\"") {
            *value = Value::Null;
        }
    }
    add(&record.values, text, place, part);
    Ok(())
}
