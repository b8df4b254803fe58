//! One detection item, `field|modifiers: values`, → an expression without modifiers.

use crate::ast::{DatePart, Expr, Leaf, Number, Operator, Pattern, PatternPart, Relation, Subject, Test};
use crate::encode_values::{Utf16, base64, base64_offsets, utf16, windash};
use crate::expand_placeholders::{Placeholders, expand};
use crate::read_yaml::{Node, Position, Value};
use ipnet::IpNet;
use regex::Regex;
use rsigma_parser::{Modifier, SigmaString, SpecialChar, StringPart};
use std::net::IpAddr;

/// A field with its modifiers, and where it stands in the document.
pub(crate) struct Item<'a> {
    pub(crate) subject: Subject,
    pub(crate) modifiers: &'a [Modifier],
    pub(crate) at: Position,
    pub(crate) field: &'a str,
}

/// Values are linked by OR, by AND with `all`; `neq` negates the whole.
pub(crate) fn apply_modifiers(
    item: &Item<'_>,
    values: &[Node],
    placeholders: &Placeholders,
) -> Result<Expr, (Position, String)> {
    check_combination(item.modifiers).map_err(|message| (item.at, message))?;
    if values.is_empty() {
        return Err((item.at, "has no value to compare with".to_owned()));
    }
    let mut per_value = Vec::new();
    for value in values {
        per_value.push(tests_of(item, value, placeholders).map_err(|message| (value.at, message))?);
    }
    let leaf =
        |tests| Expr::Leaf(Leaf { subject: item.subject.clone(), tests, at: item.at, field: item.field.to_owned() });
    let expr = if has(item.modifiers, Modifier::All) {
        Expr::And(per_value.into_iter().map(leaf).collect())
    } else {
        leaf(per_value.into_iter().flatten().collect())
    };
    Ok(if has(item.modifiers, Modifier::Neq) { Expr::Not(Box::new(expr)) } else { expr })
}

fn has(modifiers: &[Modifier], modifier: Modifier) -> bool {
    modifiers.contains(&modifier)
}

fn comparison(modifiers: &[Modifier]) -> Option<Operator> {
    modifiers.iter().find_map(|modifier| match modifier {
        Modifier::Lt => Some(Operator::Less),
        Modifier::Lte => Some(Operator::LessOrEqual),
        Modifier::Gt => Some(Operator::Greater),
        Modifier::Gte => Some(Operator::GreaterOrEqual),
        _ => None,
    })
}

fn date_part(modifiers: &[Modifier]) -> Option<DatePart> {
    modifiers.iter().find_map(|modifier| match modifier {
        Modifier::Minute => Some(DatePart::Minute),
        Modifier::Hour => Some(DatePart::Hour),
        Modifier::Day => Some(DatePart::Day),
        Modifier::Week => Some(DatePart::Week),
        Modifier::Month => Some(DatePart::Month),
        Modifier::Year => Some(DatePart::Year),
        _ => None,
    })
}

/// A combination of which one half would have no effect is refused, not read one way or the other.
fn check_combination(modifiers: &[Modifier]) -> Result<(), String> {
    use Modifier as M;
    let count = |of: &[M]| modifiers.iter().filter(|modifier| of.contains(modifier)).count();
    let n_string = count(&[M::Contains, M::StartsWith, M::EndsWith]);
    let n_other = count(&[M::Re, M::Cidr, M::Exists, M::Lt, M::Lte, M::Gt, M::Gte])
        + count(&[M::Minute, M::Hour, M::Day, M::Week, M::Month, M::Year]);
    let n_fieldref = count(&[M::FieldRef]);
    if n_string > 1 || n_other > 1 || (n_other == 1 && n_string + n_fieldref > 0) {
        return Err("has modifiers that contradict each other: only one may say how to compare".to_owned());
    }
    let n_transforms = count(&[M::Base64, M::Base64Offset, M::Wide, M::Utf16, M::Utf16be, M::WindAsh, M::Expand]);
    if n_transforms > 0
        && (n_other > 0 && !(n_transforms == count(&[M::Expand]) && has(modifiers, M::Cidr)) || n_fieldref > 0)
    {
        return Err("changes its value with a modifier that only works on texts".to_owned());
    }
    if count(&[M::Wide, M::Utf16, M::Utf16be]) > 1 || count(&[M::Base64, M::Base64Offset]) > 1 {
        return Err("has two encodings of the same family".to_owned());
    }
    if count(&[M::IgnoreCase, M::Multiline, M::DotAll]) > 0 && !has(modifiers, M::Re) {
        return Err("has a flag of regular expressions without `re`".to_owned());
    }
    Ok(())
}

fn tests_of(item: &Item<'_>, value: &Node, placeholders: &Placeholders) -> Result<Vec<Test>, String> {
    let modifiers = item.modifiers;
    let cased = has(modifiers, Modifier::Cased);
    if matches!(value.value, Value::List(_) | Value::Map(_)) {
        return Err(format!("compares with {}; expected text, a number, a boolean or null", value.kind()));
    }
    if has(modifiers, Modifier::Exists) {
        return exists(value).map(|wanted| vec![Test::Exists(wanted)]);
    }
    if let Some(operator) = comparison(modifiers) {
        let number =
            number_of(value).ok_or_else(|| format!("compares by size with {}; expected a number", value.kind()))?;
        return Ok(vec![Test::Compare { operator, number }]);
    }
    if let Some(part) = date_part(modifiers) {
        return match number_of(value) {
            Some(Number::Integer(number)) => Ok(vec![Test::DatePart { part, number }]),
            _ => Err(format!("compares a {} with {}; expected a whole number", part.function(), value.kind())),
        };
    }
    let Some(text) = value.scalar_text() else {
        if modifiers.iter().all(|modifier| matches!(modifier, Modifier::Neq | Modifier::All | Modifier::Cased)) {
            return Ok(vec![Test::Null]);
        }
        return Err("compares null with a modifier; null stands alone".to_owned());
    };
    if has(modifiers, Modifier::Re) {
        return regex_of(&text, modifiers).map(|pattern| vec![Test::Regex(pattern)]);
    }
    if has(modifiers, Modifier::FieldRef) {
        return Ok(vec![Test::SameAs { other: text, relation: relation(modifiers), cased }]);
    }
    let texts = if has(modifiers, Modifier::Expand) { expand(&text, placeholders)? } else { vec![text] };
    if has(modifiers, Modifier::Cidr) {
        return texts.iter().map(|text| network(text).map(Test::Cidr)).collect();
    }
    let mut tests = Vec::new();
    for text in texts {
        for pattern in transform(pattern_of(&text), modifiers)? {
            let pattern = match relation(modifiers) {
                Relation::Contains => pattern.with_any_before().with_any_after(),
                Relation::StartsWith => pattern.with_any_after(),
                Relation::EndsWith => pattern.with_any_before(),
                // A keyword may stand anywhere in the record.
                Relation::Equals if item.subject == Subject::Record => pattern.with_any_before().with_any_after(),
                Relation::Equals => pattern,
            };
            tests.push(Test::Text { pattern, cased });
        }
    }
    Ok(tests)
}

fn relation(modifiers: &[Modifier]) -> Relation {
    modifiers
        .iter()
        .find_map(|modifier| match modifier {
            Modifier::Contains => Some(Relation::Contains),
            Modifier::StartsWith => Some(Relation::StartsWith),
            Modifier::EndsWith => Some(Relation::EndsWith),
            _ => None,
        })
        .unwrap_or(Relation::Equals)
}

/// `*` and `?` are wildcards, `\` before one of them or before itself makes it plain.
pub(crate) fn pattern_of(text: &str) -> Pattern {
    let parts = SigmaString::new(text).parts.into_iter().map(|part| match part {
        StringPart::Plain(text) => PatternPart::Text(text),
        StringPart::Special(SpecialChar::WildcardMulti) => PatternPart::Any,
        StringPart::Special(SpecialChar::WildcardSingle) => PatternPart::One,
    });
    Pattern { parts: parts.collect() }
}

/// Applies the value modifiers in the order they are written.
fn transform(pattern: Pattern, modifiers: &[Modifier]) -> Result<Vec<Pattern>, String> {
    let mut patterns = vec![pattern];
    let mut encoded: Option<Vec<Vec<u8>>> = None;
    for modifier in modifiers {
        match modifier {
            Modifier::WindAsh => {
                let mut alternatives = Vec::new();
                for pattern in &patterns {
                    alternatives.extend(windash(pattern).ok_or("has more than four options for `windash`")?);
                }
                patterns = alternatives;
            }
            Modifier::Wide | Modifier::Utf16 | Modifier::Utf16be => {
                let form = match modifier {
                    Modifier::Utf16 => Utf16::Marked,
                    Modifier::Utf16be => Utf16::BigEndian,
                    _ => Utf16::LittleEndian,
                };
                encoded = Some(plain_texts(&patterns)?.iter().map(|text| utf16(text, form)).collect());
            }
            Modifier::Base64 | Modifier::Base64Offset => {
                let bytes = match encoded.take() {
                    Some(bytes) => bytes,
                    None => plain_texts(&patterns)?.into_iter().map(String::into_bytes).collect(),
                };
                let texts: Vec<String> = if *modifier == Modifier::Base64 {
                    bytes.iter().map(|bytes| base64(bytes)).collect()
                } else {
                    bytes.iter().flat_map(|bytes| base64_offsets(bytes)).collect()
                };
                patterns = texts.into_iter().map(Pattern::exactly).collect();
            }
            _ => {}
        }
    }
    match encoded {
        None => Ok(patterns),
        Some(bytes) => bytes
            .into_iter()
            .map(|bytes| {
                String::from_utf8(bytes)
                    .map(Pattern::exactly)
                    .map_err(|_| "is no text in UTF-16; follow the modifier with `base64` or `base64offset`".to_owned())
            })
            .collect(),
    }
}

fn plain_texts(patterns: &[Pattern]) -> Result<Vec<String>, String> {
    patterns
        .iter()
        .map(|pattern| pattern.exact_text().map(str::to_owned))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| "has a wildcard in a value that is encoded; escape it with a backslash".to_owned())
}

fn exists(value: &Node) -> Result<bool, String> {
    match value.scalar_text().map(|text| text.to_ascii_lowercase()).as_deref() {
        Some("true" | "yes") => Ok(true),
        Some("false" | "no") => Ok(false),
        _ => Err("asks whether it exists with something other than true or false".to_owned()),
    }
}

fn number_of(value: &Node) -> Option<Number> {
    match &value.value {
        Value::Integer(number) => Some(Number::Integer(*number)),
        Value::Float(number, _) => Some(Number::Float(*number)),
        Value::Text(text) => {
            let text = text.trim();
            text.parse()
                .ok()
                .map(Number::Integer)
                .or_else(|| text.parse().ok().filter(|number: &f64| number.is_finite()).map(Number::Float))
        }
        _ => None,
    }
}

fn regex_of(text: &str, modifiers: &[Modifier]) -> Result<String, String> {
    let flags: String = [(Modifier::IgnoreCase, 'i'), (Modifier::Multiline, 'm'), (Modifier::DotAll, 's')]
        .iter()
        .filter(|(modifier, _)| has(modifiers, *modifier))
        .map(|(_, flag)| *flag)
        .collect();
    let pattern = if flags.is_empty() { text.to_owned() } else { format!("(?{flags}){text}") };
    match Regex::new(&pattern) {
        Ok(_) => Ok(pattern),
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(format!("has a regular expression that cannot be read: {reason}"))
        }
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .map(|network| network.trunc())
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("compares with `{text}`, which is no network such as 10.0.0.0/8"))
}
