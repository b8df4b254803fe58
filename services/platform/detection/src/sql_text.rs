//! Pieces of SQL text: literals, names, JSON paths, instants.

use crate::ast::{Number, Pattern, PatternPart};
use mantissa_contracts::time::{Instant, to_millis};
use std::time::Duration;

/// A varchar literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A varchar literal in lower case, as the engine's own `lower` makes it.
///
/// Engines differ in how they fold letters beyond ASCII, so those are folded by the engine that folds the column.
pub(crate) fn folded_literal(text: &str) -> String {
    if text.is_ascii() { literal(&text.to_ascii_lowercase()) } else { format!("lower({})", literal(text)) }
}

/// Whether folding changes what the text compares equal to.
pub(crate) fn has_case(text: &str) -> bool {
    text.chars().any(|c| c.is_lowercase() || c.is_uppercase() || (c.is_alphabetic() && !c.is_ascii()))
}

/// The pattern as `LIKE` reads it. The escape character is the backslash, the one every engine knows.
pub(crate) fn like_text(pattern: &Pattern) -> (String, bool) {
    let mut text = String::new();
    let mut escaped = false;
    for part in &pattern.parts {
        match part {
            PatternPart::Any => text.push('%'),
            PatternPart::One => text.push('_'),
            PatternPart::Text(plain) => {
                for c in plain.chars() {
                    if matches!(c, '%' | '_' | '\\') {
                        text.push('\\');
                        escaped = true;
                    }
                    text.push(c);
                }
            }
        }
    }
    (text, escaped)
}

/// A column or alias; quoted only where it must be.
pub(crate) fn identifier(name: &str) -> String {
    const RESERVED: [&str; 6] = ["end", "order", "group", "user", "values", "table"];
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A JSON path literal: `'$.a["b-c"]'`.
pub(crate) fn json_path(keys: &[String]) -> String {
    literal(&format!("${}", path_steps(keys)))
}

/// The path to a field of an array's first member.
pub(crate) fn json_path_of_first(array: &[String], field: &[String]) -> String {
    literal(&format!("${}[0]{}", path_steps(array), path_steps(field)))
}

fn path_steps(keys: &[String]) -> String {
    let mut path = String::new();
    for key in keys {
        let plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain {
            path.push('.');
            path.push_str(key);
        } else {
            path.push_str("[\"");
            path.push_str(&key.replace('\\', "\\\\").replace('"', "\\\""));
            path.push_str("\"]");
        }
    }
    path
}

/// A `timestamp(3)` literal.
pub(crate) fn timestamp(instant: Instant) -> String {
    format!("TIMESTAMP '{}'", to_millis(instant).format("%Y-%m-%d %H:%M:%S%.3f"))
}

/// An interval literal in seconds.
pub(crate) fn interval(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis.is_multiple_of(1000) {
        format!("INTERVAL '{}' SECOND", millis / 1000)
    } else {
        format!("INTERVAL '{}.{:03}' SECOND", millis / 1000, millis % 1000)
    }
}

/// A double literal.
pub(crate) fn double(number: Number) -> String {
    match number {
        Number::Integer(n) => format!("{n}E0"),
        Number::Float(n) => format!("{n}E0"),
    }
}

pub(crate) fn all_of(terms: &[String]) -> String {
    join(terms, " AND ", "TRUE")
}

pub(crate) fn any_of(terms: &[String]) -> String {
    join(terms, " OR ", "FALSE")
}

/// A chain is a tree as deep as the chain is long: longer ones are made of groups.
const MAX_CHAIN: usize = 32;

fn join(terms: &[String], operator: &str, empty: &str) -> String {
    match terms {
        [] => empty.to_owned(),
        [only] => only.clone(),
        few if few.len() <= MAX_CHAIN => format!("({})", few.join(operator)),
        many => {
            let groups: Vec<String> =
                many.chunks(many.len().div_ceil(MAX_CHAIN)).map(|group| join(group, operator, empty)).collect();
            join(&groups, operator, empty)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_text_do_not_end_the_literal() {
        assert_eq!(literal("O'Brien"), "'O''Brien'");
    }

    #[test]
    fn long_chains_are_made_of_groups_with_every_term_once() {
        let terms: Vec<String> = (0..2_000).map(|number| format!("m{number}")).collect();
        let text = any_of(&terms);
        let found: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.starts_with('m')).collect();
        assert_eq!(found, terms);
        let deepest = text.chars().scan(0_i32, |depth, c| {
            *depth += i32::from(c == '(') - i32::from(c == ')');
            Some(*depth)
        });
        assert_eq!(deepest.max(), Some(3));
    }

    #[test]
    fn like_wildcards_in_plain_text_are_escaped() {
        let pattern = Pattern { parts: vec![PatternPart::Any, PatternPart::Text(r"50%_\".to_owned())] };
        assert_eq!(like_text(&pattern), (r"%50\%\_\\".to_owned(), true));
    }

    #[test]
    fn keys_with_special_characters_are_quoted_in_paths() {
        let keys = ["a", "x-amz", "it's", "q\"q"].map(str::to_owned);
        assert_eq!(json_path(&keys), r#"'$.a["x-amz"]["it''s"]["q\"q"]'"#);
    }

    #[test]
    fn reserved_and_mixed_case_names_are_quoted() {
        assert_eq!(identifier("end"), "\"end\"");
        assert_eq!(identifier("eventname"), "eventname");
        assert_eq!(identifier("MixedCase"), "\"MixedCase\"");
    }
}
