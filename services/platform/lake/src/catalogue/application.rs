//! `application_logs`: JSON lines, access logs, syslog, and any other line of text.

use super::columns::{bigint, integer, json, text};
use super::{Column, LogSource, Table, common_columns};

pub(super) fn table() -> Table {
    let mut columns = own_columns();
    columns.extend(common_columns());
    Table {
        name: "application_logs",
        log_source: LogSource::Application,
        columns,
        doc: "logs of applications and hosts, one event a line, whatever its format",
    }
}

fn own_columns() -> Vec<Column> {
    vec![
        text("format", "format", "how the line was read: `json`, `combined`, `syslog3164`, `syslog5424` or `text`"),
        text("host", "host", "machine that wrote the line"),
        text("program", "program", "program that wrote the line"),
        bigint("pid", "pid", "its process id"),
        text("facility", "facility", "syslog facility: `auth`, `daemon` …"),
        text(
            "severity",
            "severity",
            "syslog severity: `emerg`, `alert`, `crit`, `err`, `warning`, `notice`, `info` or `debug`",
        ),
        text("level", "level", "level as a JSON line names it"),
        text("message", "message", "what the line says; all of it for plain text"),
        text("msgid", "msgid", "type of the message (RFC 5424)"),
        text("remote_addr", "remote_addr", "client of an access log's request"),
        text("remote_user", "remote_user", "its authenticated user"),
        text("method", "method", "HTTP method"),
        text("path", "path", "path of the request, without the query"),
        text("query", "query", "query of the request, without `?`"),
        text("protocol", "protocol", "`HTTP/1.1` …"),
        integer("status", "status", "HTTP status"),
        bigint("bytes_sent", "bytes_sent", "size of the answer"),
        text("referer", "referer", "page the request came from"),
        text("user_agent", "user_agent", "agent of the client"),
        json("fields", "fields", "everything a JSON line holds, and the structured data of RFC 5424, JSON text"),
    ]
}
