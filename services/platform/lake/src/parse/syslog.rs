//! Syslog lines: RFC 5424, RFC 3164, and 3164 with an ISO time as newer daemons write it.

use super::event_times::{in_range, parse_iso};
use crate::build_batch::Value;
use chrono::{DateTime, Datelike, NaiveDate};

pub(crate) struct SyslogLine<'a> {
    pub(crate) event_time_ms: Option<i64>,
    /// A JSON object of the structured data's elements; empty when there are none.
    pub(crate) structured_data: String,
    format: &'static str,
    priority: Option<u8>,
    host: &'a str,
    program: &'a str,
    pid: &'a str,
    msgid: &'a str,
    message: &'a str,
}

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl<'a> SyslogLine<'a> {
    /// `None` when the line is not syslog. `received_ms` says in which year an RFC 3164 time lies.
    pub(crate) fn parse(line: &'a str, received_ms: i64) -> Option<Self> {
        let (priority, rest) = split_priority(line);
        if priority.is_some()
            && let Some(rest) = rest.strip_prefix("1 ")
        {
            return Self::parse_5424(priority, rest);
        }
        Self::parse_3164(priority, rest, received_ms)
    }

    fn parse_5424(priority: Option<u8>, rest: &'a str) -> Option<Self> {
        let mut words = rest.splitn(6, ' ');
        let (time, host, program) = (words.next()?, words.next()?, words.next()?);
        let (pid, msgid, rest) = (words.next()?, words.next()?, words.next()?);
        let event_time_ms = if time == "-" { None } else { Some(parse_iso(time)?) };
        let (structured_data, message) = split_structured_data(rest)?;
        let message = message.strip_prefix('\u{feff}').unwrap_or(message);
        Some(Self {
            event_time_ms,
            structured_data,
            format: "syslog5424",
            priority,
            host,
            program,
            pid,
            msgid,
            message,
        })
    }

    fn parse_3164(priority: Option<u8>, rest: &'a str, received_ms: i64) -> Option<Self> {
        let (event_time_ms, rest) = split_time(rest, received_ms)?;
        let (host, rest) = rest.split_once(' ')?;
        let (tag, message) = match rest.split_once(": ") {
            Some((tag, message)) if !tag.contains(' ') => (tag, message),
            _ => match rest.strip_suffix(':') {
                Some(tag) if !tag.contains(' ') => (tag, ""),
                _ => ("", rest),
            },
        };
        let (program, pid) = match tag.split_once('[') {
            Some((program, pid)) => (program, pid.trim_end_matches(']')),
            None => (tag, ""),
        };
        Some(Self {
            event_time_ms: Some(event_time_ms),
            structured_data: String::new(),
            format: "syslog3164",
            priority,
            host,
            program,
            pid,
            msgid: "",
            message,
        })
    }

    pub(crate) fn columns(&self) -> Vec<(&'static str, Value<'a>)> {
        let value = |text: &'a str| if text.is_empty() || text == "-" { Value::Null } else { Value::Text(text) };
        let facility = self.priority.and_then(|priority| FACILITIES.get(usize::from(priority / 8)));
        let severity = self.priority.map(|priority| SEVERITIES[usize::from(priority % 8)]);
        vec![
            ("format", Value::Text(self.format)),
            ("facility", facility.map_or(Value::Null, |text| Value::Text(text))),
            ("severity", severity.map_or(Value::Null, Value::Text)),
            ("host", value(self.host)),
            ("program", value(self.program)),
            // A process id that is a name stays in raw.
            ("pid", self.pid.parse::<i64>().map_or(Value::Null, |_| Value::Text(self.pid))),
            ("msgid", value(self.msgid)),
            ("message", Value::Text(self.message)),
        ]
    }
}

/// `<34>`
fn split_priority(line: &str) -> (Option<u8>, &str) {
    let split = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match split.and_then(|(number, rest)| Some((number.parse::<u8>().ok().filter(|n| *n < 192)?, rest))) {
        Some((priority, rest)) => (Some(priority), rest),
        None => (None, line),
    }
}

fn split_time(text: &str, received_ms: i64) -> Option<(i64, &str)> {
    if let Some((first, rest)) = text.split_once(' ')
        && let Some(ms) = parse_iso(first)
    {
        return Some((ms, rest));
    }
    let (time, rest) = (text.get(..15)?, text.get(15..)?.strip_prefix(' ')?);
    let month = MONTHS.iter().position(|month| time.starts_with(month))? as u32 + 1;
    let day: u32 = time.get(4..6)?.trim().parse().ok()?;
    let mut clock = time.get(7..)?.split(':').map(|number| number.parse::<u32>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    // The time has no year: the nearest past one. A day's grace, for clocks and zones that differ.
    let received = DateTime::from_timestamp_millis(received_ms)?.naive_utc();
    let latest = received + chrono::TimeDelta::days(1);
    // Eight years back finds a 29 February across 2100.
    let at = (0..=8).find_map(|years| {
        let time =
            NaiveDate::from_ymd_opt(latest.year() - years, month, day)?.and_hms_opt(hour, minute, second.min(59))?;
        (time <= latest).then_some(time)
    })?;
    Some((in_range(at.and_utc().timestamp_millis())?, rest))
}

/// `[id name="value" …][…] message` → a JSON object, and the message.
fn split_structured_data(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some((String::new(), rest.strip_prefix(' ').unwrap_or(rest)));
    }
    let mut elements = serde_json::Map::new();
    let mut rest = text;
    while let Some(element) = rest.strip_prefix('[') {
        let id_to = element.find([' ', ']'])?;
        let mut parameters = serde_json::Map::new();
        let id = &element[..id_to];
        rest = &element[id_to..];
        while let Some(parameter) = rest.strip_prefix(' ') {
            let (name, value) = parameter.split_once("=\"")?;
            let (value, after) = split_value(value)?;
            parameters.insert(name.to_owned(), value.into());
            rest = after;
        }
        rest = rest.strip_prefix(']')?;
        elements.insert(id.to_owned(), parameters.into());
    }
    if elements.is_empty() {
        return None;
    }
    Some((serde_json::Value::Object(elements).to_string(), rest.strip_prefix(' ').unwrap_or(rest)))
}

/// Up to the closing quote, with `\"`, `\\` and `\]` unescaped.
fn split_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\' | ']')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn columns(line: &SyslogLine<'static>) -> HashMap<&'static str, Value<'static>> {
        line.columns().into_iter().collect()
    }

    fn ms(text: &str) -> i64 {
        parse_iso(text).unwrap()
    }

    #[test]
    fn rfc_3164_takes_the_nearest_past_year() {
        let line = "<34>Oct 11 22:14:15 mymachine su[42]: 'su root' failed for lonvick";
        for (received, expected) in [
            ("2026-10-12T00:00:00Z", "2026-10-11T22:14:15Z"),
            ("2026-10-11T10:00:00Z", "2026-10-11T22:14:15Z"),
            ("2026-03-01T00:00:00Z", "2025-10-11T22:14:15Z"),
        ] {
            let parsed = SyslogLine::parse(line, ms(received)).unwrap();
            assert_eq!(parsed.event_time_ms, Some(ms(expected)), "{received}");
        }
        let leap = SyslogLine::parse("Feb 29 01:02:03 host kernel: x", ms("2027-06-01T00:00:00Z")).unwrap();
        assert_eq!(leap.event_time_ms, Some(ms("2024-02-29T01:02:03Z")));
    }

    #[test]
    fn rfc_3164_parts_are_read_with_and_without_priority_and_pid() {
        let parsed =
            SyslogLine::parse("<34>Oct  1 22:14:15 mymachine su[42]: a: b", ms("2026-10-12T00:00:00Z")).unwrap();
        let parts = columns(&parsed);
        for (column, expected) in [
            ("facility", "auth"),
            ("severity", "crit"),
            ("host", "mymachine"),
            ("program", "su"),
            ("pid", "42"),
            ("message", "a: b"),
        ] {
            assert_eq!(parts[column], Value::Text(expected), "{column}");
        }
        let parsed = SyslogLine::parse("2026-03-01T01:02:03.5+01:00 h cron: x", 0).unwrap();
        assert_eq!(parsed.event_time_ms, Some(ms("2026-03-01T00:02:03.5Z")));
        assert_eq!(columns(&parsed)["pid"], Value::Null);
        assert_eq!(columns(&parsed)["severity"], Value::Null);
    }

    #[test]
    fn rfc_5424_structured_data_becomes_json() {
        let line = r#"<165>1 2026-10-11T22:14:15.003Z host evntslog - ID47 [ex@1 a="1" b="q\"]"][x y="z"] An event"#;
        let parsed = SyslogLine::parse(line, 0).unwrap();
        assert_eq!(parsed.structured_data, r#"{"ex@1":{"a":"1","b":"q\"]"},"x":{"y":"z"}}"#);
        let parts = columns(&parsed);
        assert_eq!(parts["message"], Value::Text("An event"));
        assert_eq!(parts["msgid"], Value::Text("ID47"));
        assert_eq!(parts["facility"], Value::Text("local4"));
        assert_eq!(parts["severity"], Value::Text("notice"));
    }

    #[test]
    fn other_lines_are_not_syslog() {
        for line in ["", "hello", "Oct 11", "<999>x", "Oct 99 22:14:15 h p: m", "<34>1 - - - - -", "é23456789012345 x"]
        {
            assert!(SyslogLine::parse(line, 0).is_none(), "{line}");
        }
    }
}
