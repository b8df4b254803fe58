//! Lines of applications: JSON, access logs, syslog, and whatever else there is, as text.
//!
//! A line of text is always a record. A line that begins like an object, in a file that began with one, and is not JSON
//! is quarantined: it was cut or mixed with another.

use super::access_log::AccessLine;
use super::event_times::{parse_iso, parse_unix};
use super::frame::Place;
use super::part::{PartBuilder, Record};
use super::syslog::SyslogLine;
use crate::build_batch::Value;
use crate::json_text::{self, Names};
use std::borrow::Cow;

#[derive(Default)]
pub(crate) struct ApplicationParser {
    /// Whether the file's first record was JSON.
    is_json: Option<bool>,
}

/// Names that loggers give what a column holds; the first one found counts.
const JSON_NAMES: [(&str, &[&str]); 14] = [
    ("host", &["host", "hostname", "host.name", "host_name"]),
    ("program", &["program", "app", "application", "app_name", "appname", "service", "service.name", "logger"]),
    ("pid", &["pid", "process.pid"]),
    ("level", &["level", "severity", "log.level", "loglevel", "lvl"]),
    ("message", &["message", "msg", "log", "event", "text"]),
    ("remote_addr", &["remote_addr", "client_ip", "remote_ip", "clientip", "source_ip", "ip"]),
    ("remote_user", &["remote_user", "user", "username", "user_name"]),
    ("method", &["method", "request_method", "http_method"]),
    ("path", &["path", "uri", "url", "request_uri"]),
    ("protocol", &["protocol", "server_protocol"]),
    ("status", &["status", "status_code", "http_status"]),
    ("bytes_sent", &["bytes_sent", "body_bytes_sent", "bytes"]),
    ("referer", &["referer", "http_referer", "referrer"]),
    ("user_agent", &["user_agent", "http_user_agent", "useragent"]),
];

const JSON_TIMES: [&str; 12] = [
    "@timestamp",
    "timestamp",
    "time",
    "ts",
    "event_time",
    "eventTime",
    "datetime",
    "date",
    "query_timestamp",
    "created_at",
    "asctime",
    "t",
];

impl ApplicationParser {
    pub(crate) fn parse(&mut self, text: &str, place: Place, part: &mut PartBuilder<'_>) -> Result<(), String> {
        let trimmed = text.trim();
        if trimmed.starts_with('{') {
            match read_object(trimmed) {
                Ok(members) => {
                    self.is_json.get_or_insert(true);
                    add_json(trimmed, &members, place, part);
                    return Ok(());
                }
                Err(reason) if self.is_json == Some(true) => return Err(reason),
                Err(_) => {}
            }
        }
        self.is_json.get_or_insert(false);
        add_line(text, place, part);
        Ok(())
    }
}

fn read_object(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut members = Vec::with_capacity(16);
    json_text::members(text, |name, value| members.push((name, value))).map_err(|e| e.to_string())?;
    Ok(members)
}

fn add_json(text: &str, members: &[(&str, &str)], place: Place, part: &mut PartBuilder<'_>) {
    let member = |name: &str| members.iter().rfind(|(n, _)| *n == name).map(|(_, value)| *value);
    // The rest of the record is in `fields` whole, so only plain values are lifted into columns.
    let plain =
        |names: &[&str]| names.iter().find_map(|name| member(name).filter(|value| !value.starts_with(['{', '[', 'n'])));
    let mut columns = vec![("format", Value::Text("json")), ("fields", Value::Json(text))];
    for (column, names) in JSON_NAMES {
        let value = plain(names).filter(|value| is_storable(column, value));
        columns.extend(value.map(|value| (column, Value::Json(value))));
    }
    let values = in_order(&columns, part);
    let event_time_ms = JSON_TIMES.iter().find_map(|name| parse_json_time(&json_text::unquote(member(name)?)));
    let record = Record { values: &values, event_id: None, event_time_ms, raw: text, names: Names::AsDelivered };
    part.add(&record, place);
}

/// A number's column takes numbers only; everybody names fields as they like.
fn is_storable(column: &str, value: &str) -> bool {
    let text = value.trim_matches('"');
    match column {
        "pid" | "bytes_sent" => text.parse::<i64>().is_ok(),
        "status" => text.parse::<i32>().is_ok(),
        _ => true,
    }
}

fn parse_json_time(text: &str) -> Option<i64> {
    parse_iso(text).or_else(|| parse_unix(text.parse().ok()?)).or_else(|| super::access_log::parse_clf_time(text))
}

fn add_line(text: &str, place: Place, part: &mut PartBuilder<'_>) {
    let line = text.trim_end();
    let mut columns: Vec<(&str, Value<'_>)> = Vec::with_capacity(12);
    let mut structured_data = Cow::Borrowed("");
    let event_time_ms;
    if let Some(access) = AccessLine::parse(line) {
        columns.push(("format", Value::Text("combined")));
        columns.push(("message", Value::Text(access.request)));
        columns.extend(access.columns());
        event_time_ms = Some(access.event_time_ms);
    } else if let Some(syslog) = SyslogLine::parse(line, part.received_ms()) {
        event_time_ms = syslog.event_time_ms;
        structured_data = Cow::Owned(syslog.structured_data.clone());
        columns.extend(syslog.columns());
    } else {
        columns.push(("format", Value::Text("text")));
        columns.push(("message", Value::Text(line)));
        event_time_ms = leading_time(line);
    }
    if !structured_data.is_empty() {
        columns.push(("fields", Value::Json(&structured_data)));
    }
    let values = in_order(&columns, part);
    let record = Record { values: &values, event_id: None, event_time_ms, raw: text, names: Names::AsDelivered };
    part.add(&record, place);
}

/// Named values by position of the table's columns.
fn in_order<'a>(columns: &[(&str, Value<'a>)], part: &PartBuilder<'_>) -> Vec<Value<'a>> {
    let mut values = vec![Value::Null; part.batch.n_own_columns()];
    for (column, value) in columns {
        if let Some(position) = part.batch.position_of(column) {
            values[position] = *value;
        }
    }
    values
}

/// `2026-03-01T12:00:00Z …`, `[2026-03-01 12:00:00] …`
fn leading_time(line: &str) -> Option<i64> {
    let line = line.trim_start_matches('[');
    let first = line.split([' ', ']']).next()?;
    let first_two = line.match_indices([' ', ']']).nth(1).map_or(line, |(at, _)| &line[..at]);
    parse_iso(first).or_else(|| parse_iso(first_two))
}
