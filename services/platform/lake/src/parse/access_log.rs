//! Apache's and nginx's common and combined access log.

use crate::build_batch::Value;
use chrono::DateTime;

pub(crate) struct AccessLine<'a> {
    pub(crate) event_time_ms: i64,
    /// The request line, as the client sent it.
    pub(crate) request: &'a str,
    remote_addr: &'a str,
    remote_user: &'a str,
    method: &'a str,
    path: &'a str,
    query: &'a str,
    protocol: &'a str,
    status: &'a str,
    bytes_sent: &'a str,
    referer: &'a str,
    user_agent: &'a str,
}

impl<'a> AccessLine<'a> {
    /// `addr ident user [day/Mon/year:h:m:s zone] "request" status bytes ["referer" "agent"] …`; `None` when it is not one.
    pub(crate) fn parse(line: &'a str) -> Option<Self> {
        let (before_time, rest) = line.split_once(" [")?;
        let (time, rest) = rest.split_once("] \"")?;
        let event_time_ms = parse_clf_time(time)?;
        let mut before = before_time.splitn(3, ' ');
        let (remote_addr, _ident, remote_user) = (before.next()?, before.next()?, before.next()?);
        let (request, rest) = split_quoted(rest)?;
        let mut numbers = rest.trim_start().splitn(3, ' ');
        let status = numbers.next()?;
        status.parse::<u16>().ok()?;
        let bytes_sent = numbers.next().unwrap_or("-");
        let quoted = numbers.next().unwrap_or_default();
        let (referer, rest) = next_quoted(quoted).unwrap_or_default();
        let (user_agent, _) = next_quoted(rest).unwrap_or_default();
        let mut words = request.splitn(2, ' ');
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        let (target, protocol) = target.rsplit_once(' ').unwrap_or((target, ""));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Some(Self {
            event_time_ms,
            request,
            remote_addr,
            remote_user,
            method,
            path,
            query,
            protocol,
            status,
            bytes_sent,
            referer,
            user_agent,
        })
    }

    pub(crate) fn columns(&self) -> Vec<(&'static str, Value<'a>)> {
        let value = |text: &'a str| if text.is_empty() || text == "-" { Value::Null } else { Value::Text(text) };
        let number = |text: &'a str| text.parse::<i64>().map_or(Value::Null, |_| Value::Text(text));
        vec![
            ("remote_addr", value(self.remote_addr)),
            ("remote_user", value(self.remote_user)),
            ("method", value(self.method)),
            ("path", value(self.path)),
            ("query", value(self.query)),
            ("protocol", value(self.protocol)),
            ("status", number(self.status)),
            ("bytes_sent", number(self.bytes_sent)),
            ("referer", value(self.referer)),
            ("user_agent", value(self.user_agent)),
        ]
    }
}

/// `17/May/2015:10:05:03 +0000`
pub(crate) fn parse_clf_time(text: &str) -> Option<i64> {
    let time = DateTime::parse_from_str(text, "%d/%b/%Y:%H:%M:%S %z").ok()?;
    super::event_times::in_range(time.timestamp_millis())
}

/// The text up to the closing quote; a quote after a backslash does not close.
fn split_quoted(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return Some((&text[..at], &text[at + 1..])),
            _ => at += 1,
        }
    }
    None
}

fn next_quoted(text: &str) -> Option<(&str, &str)> {
    split_quoted(text.trim_start().strip_prefix('"')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combined_line_is_taken_apart() {
        let line = r#"83.149.9.216 - frank [17/May/2015:10:05:03 +0200] "GET /a/b.png?x=1&y=\"2\" HTTP/1.1" 200 203023 "http://ref/" "Mozilla/5.0 (X)""#;
        let access = AccessLine::parse(line).unwrap();
        let columns: std::collections::HashMap<_, _> = access.columns().into_iter().collect();
        for (column, expected) in [
            ("remote_addr", "83.149.9.216"),
            ("remote_user", "frank"),
            ("method", "GET"),
            ("path", "/a/b.png"),
            ("query", r#"x=1&y=\"2\""#),
            ("protocol", "HTTP/1.1"),
            ("status", "200"),
            ("bytes_sent", "203023"),
            ("referer", "http://ref/"),
            ("user_agent", "Mozilla/5.0 (X)"),
        ] {
            assert_eq!(columns[column], Value::Text(expected), "{column}");
        }
        assert_eq!(access.event_time_ms, 1_431_849_903_000);
    }

    #[test]
    fn common_line_bad_request_and_missing_bytes_are_read() {
        let access = AccessLine::parse(r#"::1 - - [17/May/2015:10:05:03 +0000] "\x16\x03" 400 -"#).unwrap();
        let columns: std::collections::HashMap<_, _> = access.columns().into_iter().collect();
        assert_eq!(columns["method"], Value::Text(r"\x16\x03"));
        assert_eq!(columns["bytes_sent"], Value::Null);
        assert_eq!(columns["user_agent"], Value::Null);
        assert!(AccessLine::parse("an [ordinary] \"line\" 200").is_none());
    }
}
