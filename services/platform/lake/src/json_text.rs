//! JSON as text: taking documents apart without building values.
//!
//! Invariant: what [`members`] and [`elements`] hand out was checked whole, so taking apart a value they handed out
//! cannot fail.

use std::borrow::Cow;

/// Deeper nesting is refused, as every JSON library does.
const MAX_DEPTH: usize = 128;

/// Where a text stops being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JsonError {
    /// Byte offset in the text.
    pub at: usize,
    pub what: &'static str,
}

impl std::fmt::Display for JsonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not valid JSON: {} at byte {} of the record", self.what, self.at)
    }
}

/// Hands out the members of an object: the name's text between its quotes, and the value's text.
pub(crate) fn members<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str)) -> Result<(), JsonError> {
    let bytes = text.as_bytes();
    let mut at = expect(bytes, skip_space(bytes, 0), b'{', "expected an object")?;
    at = skip_space(bytes, at);
    if bytes.get(at) == Some(&b'}') {
        return expect_end(bytes, at + 1);
    }
    loop {
        let name_from = expect(bytes, skip_space(bytes, at), b'"', "expected a member's name")?;
        let name_to = skip_string(bytes, name_from)?;
        let value_from = expect(bytes, skip_space(bytes, name_to), b':', "expected `:`")?;
        let value_from = skip_space(bytes, value_from);
        let value_to = skip_value(bytes, value_from, 1)?;
        each(&text[name_from..name_to - 1], &text[value_from..value_to]);
        at = skip_space(bytes, value_to);
        match bytes.get(at) {
            Some(b',') => at += 1,
            Some(b'}') => return expect_end(bytes, at + 1),
            _ => return Err(error(bytes, at, "expected `,` or `}`")),
        }
    }
}

/// Hands out the texts of an array's items.
pub(crate) fn elements<'a>(text: &'a str, mut each: impl FnMut(&'a str)) -> Result<(), JsonError> {
    let bytes = text.as_bytes();
    let mut at = expect(bytes, skip_space(bytes, 0), b'[', "expected an array")?;
    at = skip_space(bytes, at);
    if bytes.get(at) == Some(&b']') {
        return expect_end(bytes, at + 1);
    }
    loop {
        let from = skip_space(bytes, at);
        let to = skip_value(bytes, from, 1)?;
        each(&text[from..to]);
        at = skip_space(bytes, to);
        match bytes.get(at) {
            Some(b',') => at += 1,
            Some(b']') => return expect_end(bytes, at + 1),
            _ => return Err(error(bytes, at, "expected `,` or `]`")),
        }
    }
}

/// The text of a string value (with its quotes); other values are given as they are.
pub(crate) fn unquote(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(value);
    };
    unescape(inner)
}

/// A string's text without its quotes. A lone surrogate is no text: then the escapes stay as they are.
pub(crate) fn unescape(inner: &str) -> Cow<'_, str> {
    if !has_escape(inner) {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str::<String>(&format!("\"{inner}\"")).map_or(Cow::Borrowed(inner), Cow::Owned)
}

fn has_escape(inner: &str) -> bool {
    memchr::memchr(b'\\', inner.as_bytes()).is_some()
}

/// How names are written by [`compact`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    AsDelivered,
    /// `AccountId` becomes `accountId`.
    CamelCase,
}

/// Appends a checked value without spaces, members in their order, strings with no more escapes than JSON asks for.
pub(crate) fn compact(value: &str, names: Names, out: &mut String) {
    let bytes = value.as_bytes();
    let mut at = 0;
    let mut plain_from = 0;
    while at < bytes.len() {
        match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' => {
                out.push_str(&value[plain_from..at]);
                at += 1;
                plain_from = at;
            }
            b'"' => {
                let Ok(end) = skip_string(bytes, at + 1) else { break };
                let inner = &value[at + 1..end - 1];
                let is_name = names == Names::CamelCase && bytes.get(skip_space(bytes, end)) == Some(&b':');
                if is_name || has_escape(inner) {
                    out.push_str(&value[plain_from..at]);
                    push_string(inner, is_name, out);
                    plain_from = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    out.push_str(&value[plain_from..]);
}

fn push_string(inner: &str, lower_first: bool, out: &mut String) {
    let text = unescape(inner);
    let text = if lower_first { lower_first_letter(&text) } else { text };
    match serde_json::to_string(&text) {
        // Escapes that could not be read stay as delivered.
        Ok(_) if matches!(&text, Cow::Borrowed(same) if same.contains('\\')) => {
            out.push('"');
            out.push_str(inner);
            out.push('"');
        }
        Ok(quoted) => out.push_str(&quoted),
        Err(_) => {}
    }
}

fn lower_first_letter<'a>(text: &Cow<'a, str>) -> Cow<'a, str> {
    match text.chars().next() {
        Some(first) if first.is_ascii_uppercase() => {
            Cow::Owned(format!("{}{}", first.to_ascii_lowercase(), &text[first.len_utf8()..]))
        }
        _ => text.clone(),
    }
}

pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

fn expect(bytes: &[u8], at: usize, wanted: u8, what: &'static str) -> Result<usize, JsonError> {
    if bytes.get(at) == Some(&wanted) { Ok(at + 1) } else { Err(error(bytes, at, what)) }
}

fn expect_end(bytes: &[u8], at: usize) -> Result<(), JsonError> {
    let end = skip_space(bytes, at);
    if end == bytes.len() { Ok(()) } else { Err(error(bytes, end, "unexpected text after the value")) }
}

fn error(bytes: &[u8], at: usize, what: &'static str) -> JsonError {
    JsonError { at, what: if at >= bytes.len() { "ends too early" } else { what } }
}

/// From the first byte of a value to the first after it.
pub(crate) fn skip_value(bytes: &[u8], at: usize, depth: usize) -> Result<usize, JsonError> {
    match bytes.get(at) {
        Some(b'"') => skip_string(bytes, at + 1),
        Some(b'{') => skip_list(bytes, at + 1, depth, b'}'),
        Some(b'[') => skip_list(bytes, at + 1, depth, b']'),
        Some(b't') => skip_word(bytes, at, b"true"),
        Some(b'f') => skip_word(bytes, at, b"false"),
        Some(b'n') => skip_word(bytes, at, b"null"),
        Some(b'-' | b'0'..=b'9') => skip_number(bytes, at),
        _ => Err(error(bytes, at, "expected a value")),
    }
}

fn skip_list(bytes: &[u8], at: usize, depth: usize, close: u8) -> Result<usize, JsonError> {
    if depth >= MAX_DEPTH {
        return Err(error(bytes, at, "nested too deeply"));
    }
    let mut at = skip_space(bytes, at);
    if bytes.get(at) == Some(&close) {
        return Ok(at + 1);
    }
    loop {
        at = skip_space(bytes, at);
        if close == b'}' {
            at = expect(bytes, at, b'"', "expected a member's name")?;
            at = skip_space(bytes, skip_string(bytes, at)?);
            at = skip_space(bytes, expect(bytes, at, b':', "expected `:`")?);
        }
        at = skip_space(bytes, skip_value(bytes, at, depth + 1)?);
        match bytes.get(at) {
            Some(b',') => at += 1,
            Some(byte) if *byte == close => return Ok(at + 1),
            _ => return Err(error(bytes, at, "expected `,` or the closing bracket")),
        }
    }
}

/// From after the opening quote to after the closing one.
fn skip_string(bytes: &[u8], mut at: usize) -> Result<usize, JsonError> {
    loop {
        at += n_plain(&bytes[at..]);
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => match bytes.get(at + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
                Some(b'u') if bytes.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => {
                    at += 6;
                }
                _ => return Err(error(bytes, at, "bad escape")),
            },
            Some(_) => return Err(error(bytes, at, "control character in a string")),
            None => return Err(error(bytes, at, "ends too early")),
        }
    }
}

/// Bytes at the front that stand for themselves in a string: up to a quote, a backslash or a control character. Most of
/// a log is strings, and most of them are short, so eight bytes are looked at together.
pub(crate) fn n_plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let mut n = 0;
    while let Some(Ok(eight)) = bytes.get(n..n + 8).map(<[u8; 8]>::try_from) {
        let word = u64::from_le_bytes(eight);
        // The lowest byte marked is always right: a borrow of the subtraction reaches only bytes above it.
        let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let marks =
            (zero_in(word ^ (ONES * u64::from(b'"'))) | zero_in(word ^ (ONES * u64::from(b'\\'))) | control) & HIGHS;
        if marks != 0 {
            return n + marks.trailing_zeros() as usize / 8;
        }
        n += 8;
    }
    n + bytes[n..].iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}

fn skip_word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, JsonError> {
    if bytes[at..].starts_with(word) { Ok(at + word.len()) } else { Err(error(bytes, at, "expected a value")) }
}

fn skip_number(bytes: &[u8], at: usize) -> Result<usize, JsonError> {
    let digits = |mut at: usize| {
        let from = at;
        while matches!(bytes.get(at), Some(b'0'..=b'9')) {
            at += 1;
        }
        if at == from { Err(error(bytes, at, "expected a digit")) } else { Ok(at) }
    };
    let at = if bytes[at] == b'-' { at + 1 } else { at };
    let mut at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        at = digits(at)?;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compacted(value: &str, names: Names) -> String {
        let mut out = String::new();
        compact(value, names, &mut out);
        out
    }

    #[test]
    fn compact_keeps_order_and_strings_and_drops_spaces() {
        let value = "{ \"b\" : [ 1 , \"x y\" ],\n\t\"a\": {\"q\\\"\": \"\\u003cb\\/\" } }";
        assert_eq!(compacted(value, Names::AsDelivered), r#"{"b":[1,"x y"],"a":{"q\"":"<b/"}}"#);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(value).unwrap().to_string(),
            compacted(value, Names::AsDelivered)
        );
    }

    #[test]
    fn compact_turns_api_names_into_event_names() {
        let value = r#"{"Tags": [{"Key": "Name", "Value": "A:b"}], "IpAddressV4": "Up"}"#;
        assert_eq!(compacted(value, Names::CamelCase), r#"{"tags":[{"key":"Name","value":"A:b"}],"ipAddressV4":"Up"}"#);
    }

    #[test]
    fn lone_surrogates_stay_as_delivered() {
        assert_eq!(unquote(r#""a\ud800b""#), r"a\ud800b");
        assert_eq!(compacted(r#"["\ud800"]"#, Names::AsDelivered), r#"["\ud800"]"#);
    }

    #[test]
    fn plain_bytes_end_at_the_first_that_is_not() {
        for end in 0..=20 {
            for byte in 0..=255 {
                let mut bytes = vec![b'a'; 20];
                bytes.iter_mut().step_by(3).for_each(|other| *other = 0xC3);
                if let Some(place) = bytes.get_mut(end) {
                    *place = byte;
                }
                // What follows the first must not hide it, nor what differs from one by a bit.
                for (after, other) in [(1, b'#'), (2, b'"'), (3, b'!'), (4, 0x1F), (5, b' '), (6, b'\\')] {
                    if let Some(place) = bytes.get_mut(end + after) {
                        *place = other;
                    }
                }
                let expected = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(20);
                assert_eq!(n_plain(&bytes), expected, "byte {byte} at {end}");
            }
        }
    }

    #[test]
    fn accepts_and_refuses_what_serde_json_does() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for text in [
            "{}",
            "{ }",
            r#"{"a":1}"#,
            r#"{"a":-0.5e+3,"b":[true,false,null,"\u00e9\n"]}"#,
            r#"{"a":01}"#,
            r#"{"a":1,}"#,
            r#"{"a"}"#,
            r#"{"a":tru}"#,
            r#"{"a":"x}"#,
            r#"{"a":"\x"}"#,
            "{\"a\":\"\u{1}\"}",
            r#"{"a":1}}"#,
            r#"{"a":[1}"#,
            r#"{"a":1.}"#,
            r#"{"a":"\u12g4"}"#,
            "{",
            "",
            &deep,
        ] {
            let ours = members(text, |_, _| ()).is_ok();
            assert_eq!(ours, serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        }
    }
}
