//! What the value modifiers do to a value: `windash`, `base64`, `base64offset`, the UTF-16 family.

use crate::ast::{Pattern, PatternPart};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The characters that begin a command line option on Windows, and those that look like them.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];
/// Each dash multiplies the number of alternatives by five.
const MAX_DASHES: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Utf16 {
    LittleEndian,
    BigEndian,
    /// Little endian, after a byte order mark.
    Marked,
}

pub(crate) fn utf16(text: &str, form: Utf16) -> Vec<u8> {
    let mut bytes = if form == Utf16::Marked { vec![0xff, 0xfe] } else { Vec::new() };
    for unit in text.encode_utf16() {
        match form {
            Utf16::BigEndian => bytes.extend(unit.to_be_bytes()),
            Utf16::LittleEndian | Utf16::Marked => bytes.extend(unit.to_le_bytes()),
        }
    }
    bytes
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The three texts that `bytes` can leave in a longer Base64 text, by where they begin in a group of three.
/// Characters that also depend on the neighbours are cut.
pub(crate) fn base64_offsets(bytes: &[u8]) -> Vec<String> {
    (0..3usize)
        .filter_map(|offset| {
            let mut padded = vec![b' '; offset];
            padded.extend_from_slice(bytes);
            let encoded = STANDARD.encode(&padded);
            let start = [0, 2, 3][offset];
            let end = encoded.len() - [0, 3, 2][padded.len() % 3];
            encoded.get(start..end).filter(|text| !text.is_empty()).map(str::to_owned)
        })
        .collect()
}

/// Every way of writing the options in the pattern, or `None` when there are too many.
pub(crate) fn windash(pattern: &Pattern) -> Option<Vec<Pattern>> {
    let n_dashes: usize = pattern.parts.iter().map(|part| option_dashes(part).len()).sum();
    if n_dashes > MAX_DASHES {
        return None;
    }
    let mut alternatives = vec![Pattern::default()];
    for part in &pattern.parts {
        let dashes = option_dashes(part);
        let PatternPart::Text(text) = part else {
            alternatives.iter_mut().for_each(|alternative| alternative.parts.push(part.clone()));
            continue;
        };
        let mut texts = vec![String::new()];
        for (index, c) in text.char_indices() {
            if dashes.contains(&index) {
                texts =
                    texts.iter().flat_map(|so_far| DASHES.iter().map(move |dash| format!("{so_far}{dash}"))).collect();
            } else {
                texts.iter_mut().for_each(|so_far| so_far.push(c));
            }
        }
        alternatives = alternatives
            .iter()
            .flat_map(|alternative| {
                texts.iter().map(move |text| {
                    let mut longer = alternative.clone();
                    longer.parts.push(PatternPart::Text(text.clone()));
                    longer
                })
            })
            .collect();
    }
    Some(alternatives)
}

/// Byte positions of `-` and `/` that begin an option: not after a word character, and before one.
fn option_dashes(part: &PatternPart) -> Vec<usize> {
    let PatternPart::Text(text) = part else { return Vec::new() };
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    while let Some((index, c)) = chars.next() {
        let after = chars.peek().map(|(_, next)| *next);
        if matches!(c, '-' | '/') && !before.is_some_and(is_word) && after.is_some_and(is_word) {
            found.push(index);
        }
        before = Some(c);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_of_a_text_is_found_in_the_encoding_of_a_longer_one() {
        for prefix in ["", "a", "ab", "abc", "abcd"] {
            for suffix in ["", "x", "xy", "xyz"] {
                let encoded = base64(format!("{prefix}/bin/bash{suffix}").as_bytes());
                assert!(
                    base64_offsets(b"/bin/bash").iter().any(|part| encoded.contains(part)),
                    "{prefix} {suffix} {encoded}"
                );
            }
        }
    }

    #[test]
    fn utf16_forms_differ_in_order_and_mark() {
        assert_eq!(utf16("A", Utf16::LittleEndian), [0x41, 0]);
        assert_eq!(utf16("A", Utf16::BigEndian), [0, 0x41]);
        assert_eq!(utf16("A", Utf16::Marked), [0xff, 0xfe, 0x41, 0]);
    }

    #[test]
    fn windash_changes_options_and_not_hyphens_in_words() {
        let texts = |text: &str| -> Vec<String> {
            windash(&Pattern::exactly(text))
                .unwrap()
                .iter()
                .map(|pattern| pattern.exact_text().unwrap().to_owned())
                .collect()
        };
        assert_eq!(texts(" -f"), [" -f", " /f", " –f", " —f", " ―f"]);
        assert_eq!(texts("well-known"), ["well-known"]);
        assert_eq!(texts("-a /b").len(), 25);
        assert!(windash(&Pattern::exactly("-a -b -c -d -e")).is_none());
    }
}
