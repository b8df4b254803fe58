//! Text as queues and topics take it.
//!
//! SQS and SNS refuse characters that XML 1.0 does not allow, and logs contain them. A body that has one travels as Base64
//! and says so in an attribute; every other body travels as it is, for subscribers of other vendors read it too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The attribute that says how a body was encoded.
pub(crate) const ENCODING: &str = "mantissa_encoding";
const BASE64: &str = "base64";

/// The body to send, and whether it is encoded.
pub(crate) fn encode(body: &str) -> (Cow<'_, str>, bool) {
    match body.chars().all(is_allowed) {
        true => (Cow::Borrowed(body), false),
        false => (Cow::Owned(to_base64(body)), true),
    }
}

/// The attributes to send with a body.
pub(crate) fn attributes(attributes: &BTreeMap<String, String>, encoded: bool) -> impl Iterator<Item = (&str, &str)> {
    let encoding = encoded.then_some((ENCODING, BASE64));
    attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(encoding)
}

/// The body that was sent; what cannot be decoded stays as it came, so that it fails where it is read and is not lost.
pub(crate) fn decode(body: String, encoding: Option<&str>) -> String {
    if encoding != Some(BASE64) {
        return body;
    }
    from_base64(&body).unwrap_or(body)
}

pub(crate) fn to_base64(text: &str) -> String {
    STANDARD.encode(text)
}

pub(crate) fn from_base64(encoded: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}

fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_xml_forbids_is_encoded_and_comes_back() {
        for body in ["{\"text\":\"grüße \\u0001 \u{1F600}\"}", "tab\tline\r\n", ""] {
            assert_eq!(encode(body), (Cow::Borrowed(body), false));
        }
        for body in ["bell \u{7}", "nul \0", "\u{FFFE}", "\u{FFFF}"] {
            let (sent, encoded) = encode(body);
            assert!(encoded && sent.chars().all(is_allowed), "{body:?}");
            assert_eq!(decode(sent.into_owned(), Some(BASE64)), body);
        }
        assert_eq!(decode("not base64 ü".to_owned(), Some(BASE64)), "not base64 ü");
    }
}
