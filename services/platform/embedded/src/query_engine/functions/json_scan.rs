//! Reading JSON text in place: a path is followed over the bytes, and only what it leads to is decoded.

use super::json_path::{JsonPath, Step};
use std::borrow::Cow;

/// The text of the value a path leads to; `None` where there is none, or the text before it is not JSON.
pub(super) fn find<'a>(json: &'a str, path: &JsonPath) -> Option<&'a str> {
    if !path.may_be_in(json.as_bytes()) {
        return None;
    }
    let mut scanner = Scanner { text: json, at: 0 };
    for step in &path.steps {
        scanner.skip_space();
        scanner.enter(step)?;
    }
    scanner.skip_space();
    let start = scanner.at;
    scanner.skip_value(0)?;
    Some(&json[start..scanner.at])
}

/// A value's text as Trino's scalars read it: strings unquoted, numbers and booleans as written; `None` for null,
/// objects and arrays.
pub(super) fn scalar_text(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first()? {
        b'"' => decode_string(value),
        b'{' | b'[' => None,
        _ if value == "null" => None,
        _ => Some(Cow::Borrowed(value)),
    }
}

/// The elements of an array, as text; `None` where the value is no array or is not JSON.
pub(super) fn elements(json: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    walk(json, b'[', |_, value| found.push(value))?;
    Some(found)
}

/// The keys and values of an object.
pub(super) fn entries(json: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let mut found = Vec::new();
    walk(json, b'{', |key, value| found.push((key.unwrap_or_default(), value)))?;
    Some(found)
}

/// Whether the whole text is one JSON value.
pub(super) fn is_valid(json: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok()
}

/// Without space between tokens and with the shortest escapes.
pub(super) fn compact(value: &str) -> Cow<'_, str> {
    if !value.bytes().any(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b'\\')) {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut scanner = Scanner { text: value, at: 0 };
    while let Some(byte) = scanner.peek() {
        let start = scanner.at;
        if byte == b'"' && scanner.skip_string().is_some() {
            let raw = &value[start..scanner.at];
            match raw.contains('\\').then(|| serde_json::from_str::<String>(raw).ok()).flatten() {
                Some(decoded) => text.push_str(&quote(&decoded)),
                None => text.push_str(raw),
            }
        } else if byte.is_ascii_whitespace() {
            scanner.at += 1;
        } else {
            scanner.at = start;
            while scanner.peek().is_some_and(|byte| byte != b'"' && !byte.is_ascii_whitespace()) {
                scanner.at += 1;
            }
            if scanner.at == start {
                text.push_str(&value[start..]);
                break;
            }
            text.push_str(&value[start..scanner.at]);
        }
    }
    Cow::Owned(text)
}

/// A JSON string.
pub(super) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn decode_string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

fn walk<'a>(json: &'a str, open: u8, mut each: impl FnMut(Option<Cow<'a, str>>, &'a str)) -> Option<()> {
    let close = if open == b'[' { b']' } else { b'}' };
    let mut scanner = Scanner { text: json, at: 0 };
    scanner.skip_space();
    scanner.expect(open)?;
    scanner.skip_space();
    if scanner.peek()? == close {
        return Some(());
    }
    loop {
        let key = if open == b'{' { Some(scanner.key()?) } else { None };
        scanner.skip_space();
        let start = scanner.at;
        scanner.skip_value(0)?;
        each(key, &json[start..scanner.at]);
        scanner.skip_space();
        match scanner.next()? {
            b',' => scanner.skip_space(),
            byte if byte == close => return Some(()),
            _ => return None,
        }
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// Deeper text is not followed: it would be followed on the stack.
const MAX_DEPTH: usize = 200;

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Goes to the value a step leads to.
    fn enter(&mut self, step: &Step) -> Option<()> {
        match self.next()? {
            b'{' => loop {
                self.skip_space();
                if self.peek()? == b'}' {
                    return None;
                }
                let key = self.key()?;
                if key == step.key.as_str() {
                    return Some(());
                }
                self.skip_space();
                self.skip_value(0)?;
                self.skip_space();
                if self.next()? != b',' {
                    return None;
                }
            },
            b'[' => {
                let wanted = step.index?;
                for i in 0.. {
                    self.skip_space();
                    if self.peek()? == b']' {
                        return None;
                    }
                    if i == wanted {
                        return Some(());
                    }
                    self.skip_value(0)?;
                    self.skip_space();
                    if self.next()? != b',' {
                        return None;
                    }
                }
                None
            }
            _ => None,
        }
    }

    /// A key and the colon after it.
    fn key(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at;
        self.skip_string()?;
        let key = decode_string(&self.text[start..self.at])?;
        self.skip_space();
        self.expect(b':')?;
        Some(key)
    }

    fn skip_string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        let bytes = self.text.as_bytes();
        loop {
            let ahead = memchr::memchr2(b'"', b'\\', bytes.get(self.at..)?)?;
            self.at += ahead + 1;
            if bytes[self.at - 1] == b'"' {
                return Some(());
            }
            self.at += 1;
        }
    }

    fn skip_value(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            b'"' => self.skip_string(),
            open @ (b'{' | b'[') => {
                let close = if open == b'{' { b'}' } else { b']' };
                self.at += 1;
                self.skip_space();
                if self.peek()? == close {
                    self.at += 1;
                    return Some(());
                }
                loop {
                    self.skip_space();
                    if open == b'{' {
                        self.skip_string()?;
                        self.skip_space();
                        self.expect(b':')?;
                        self.skip_space();
                    }
                    self.skip_value(depth + 1)?;
                    self.skip_space();
                    match self.next()? {
                        b',' => {}
                        byte if byte == close => return Some(()),
                        _ => return None,
                    }
                }
            }
            _ => self.skip_atom(),
        }
    }

    /// A number, `true`, `false` or `null`.
    fn skip_atom(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.')) {
            self.at += 1;
        }
        let atom = &self.text[start..self.at];
        let is_number = atom.as_bytes().first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
        (matches!(atom, "true" | "false" | "null") || is_number).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(json: &'a str, path: &str) -> Option<&'a str> {
        find(json, &JsonPath::parse(path).unwrap())
    }

    #[test]
    fn paths_lead_to_the_text_of_values() {
        let json = r#"{ "x": {"a": "no"}, "a" : {"b":[1, {"c\u0064":"}{"}, null ] } }"#;
        assert_eq!(at(json, "$.a.b[0]"), Some("1"));
        assert_eq!(at(json, "$.a.b[1].cd"), Some("\"}{\""));
        assert_eq!(at(json, "$.a.b[2]"), Some("null"));
        assert_eq!(at(json, "$.a.b[3]"), None);
        assert_eq!(at(json, "$.b"), None);
        assert_eq!(at("[1]", "$.0"), Some("1"));
        assert_eq!(at(r#"{"0":5}"#, "$[0]"), Some("5"));
    }

    #[test]
    fn text_that_is_not_json_has_no_values() {
        for json in ["", "{", "{\"a\"", "{\"a\":", "{\"a\":}", "plain \"a\" text", "{\"a\":tru}", "{'a':1}", "\"a\\"] {
            assert_eq!(at(json, "$.a"), None, "{json}");
        }
        assert_eq!(at(&format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000)), "$.a"), None);
    }

    #[test]
    fn compacting_keeps_strings_and_order() {
        assert_eq!(compact("{ \"b\" : [1 , 2],\n\"a\":\"x  \\u0041\\/\" }"), "{\"b\":[1,2],\"a\":\"x  A/\"}");
        assert!(matches!(compact("{\"a\":1}"), Cow::Borrowed(_)));
        assert_eq!(compact("\"open"), "\"open");
    }

    #[test]
    fn elements_and_entries_are_split_at_their_own_level() {
        assert_eq!(elements(" [1, [2,3], \"a,b\"] "), Some(vec!["1", "[2,3]", "\"a,b\""]));
        assert_eq!(elements("[]"), Some(vec![]));
        assert_eq!(elements("{}"), None);
        assert_eq!(entries("{\"a\":{\"b\":1}}"), Some(vec![("a".into(), "{\"b\":1}")]));
    }
}
