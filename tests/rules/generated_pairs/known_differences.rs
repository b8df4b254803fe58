//! Where the other implementation judges one comparison otherwise, and the specification or the design is with us.
//!
//! A class names the event's value, the rule's value and the direction, so that it explains no other difference.

use super::random_rules::Item;
use serde_json::{Map, Value};

/// `ours`: whether we match; the other implementation says the opposite.
pub(crate) fn known_difference(atom: &Item, event: &Map<String, Value>, ours: bool) -> Option<&'static str> {
    let field = atom.field?;
    let found = values_at(event, field);
    let wanted = atom.values.first()?;
    let text = wanted.as_str().unwrap_or_default();
    // What the comparison says before `neq` turns it over.
    let we_match = ours != atom.has("neq");
    let any = |test: &dyn Fn(&Value) -> bool| found.iter().flat_map(|value| scalars_of(value)).any(test);
    let any_text = |test: &dyn Fn(&str) -> bool| any(&|value| value.as_str().is_some_and(test));
    let textual = !["fieldref", "exists", "cidr", "lt", "lte", "gt", "gte"].iter().any(|name| atom.has(name));

    if atom.has("neq") && !wanted.is_null() && !we_match && found.is_empty() {
        return Some("neq: a missing field differs from every value (modifiers: equals a negated selection)");
    }
    if atom.has("fieldref") {
        return known_field_reference(atom, &found, &values_at(event, text), we_match);
    }
    if (wanted.is_null() || atom.has("exists")) && found.len() > 1 && found.iter().all(|value| value.is_null()) {
        return Some("null: two nulls below an array are no value (special field values)");
    }
    if found.iter().any(|value| has_nested_array(value)) {
        return Some("an array in an array: its members are not looked at (design: a scalar matches a member)");
    }
    if textual && we_match && found.iter().any(|value| has_object(value)) {
        return Some("an object compares as its JSON text (design; published rules rely on it)");
    }
    if wanted.is_boolean() && !we_match && any_text(&|text| ["yes", "no", "1", "0"].contains(&text)) {
        return Some("yes, no, 1 and 0 are texts, not booleans (general: values are strings)");
    }
    if wanted.is_number() && !we_match && textual && any(&|value| number_of(value) == wanted.as_f64()) {
        return Some("another text of the same number is another value (general: values are strings)");
    }
    if any(&|value| is_written_otherwise(value)) && textual {
        return Some("the text of a fraction is as the record has it: 5.0, not 5");
    }
    let has_wildcard = has_wildcard(text) && textual && !atom.has("re");
    if has_wildcard && (atom.has("startswith") || atom.has("endswith")) {
        return Some("startswith and endswith keep their anchor beside a wildcard (modifiers, generic)");
    }
    if has_wildcard && we_match && any_text(&|text| text.contains('\n')) {
        return Some("a wildcard matches a line's end too (string wildcard)");
    }
    if has_wildcard && !we_match && any_text(&|text| !text.is_ascii()) {
        return Some("a wildcard pattern folds case as other comparisons do, not as a regular expression");
    }
    if atom.has("base64offset") && we_match {
        return Some("base64offset cuts the character that depends on what follows (modifiers, encoding)");
    }
    if atom.has("base64offset") && !we_match && text.len() < 3 {
        return Some(
            "base64offset of a short text leaves nothing that is static at some offsets (modifiers, encoding)",
        );
    }
    if atom.has("cidr") && we_match && text == "::/0" && any_text(&|text| !text.contains(':')) {
        return Some("::/0 is every address: SQL's type holds those of version 4 as mapped ones");
    }
    if atom.has("windash") && (we_match && text.contains('/') || !we_match && text.contains('-')) {
        return Some("windash takes the slash too, and leaves hyphens inside words (modifiers, string)");
    }
    None
}

fn known_field_reference(atom: &Item, left: &[&Value], right: &[&Value], we_match: bool) -> Option<&'static str> {
    let null = |values: &[&Value]| !values.is_empty() && values.iter().all(|value| value.is_null());
    if !we_match && null(left) && null(right) {
        return Some("fieldref: null equals nothing, another null neither");
    }
    let structured =
        |values: &[&Value]| values.len() > 1 || values.iter().any(|value| value.is_array() || value.is_object());
    if structured(left) || structured(right) {
        return Some("fieldref: arrays and objects compare as their JSON text");
    }
    let kind = |values: &[&Value]| values.first().map(|value| std::mem::discriminant(*value));
    if atom.has("cased") && we_match && kind(left) != kind(right) {
        return Some("fieldref: a number equals its text, cased or not (general: values are strings)");
    }
    let fraction = |values: &[&Value]| values.iter().any(|value| is_written_otherwise(value));
    if fraction(left) || fraction(right) {
        return Some("the text of a fraction is as the record has it: 5.0, not 5");
    }
    None
}

/// Everything the path leads to; members of arrays on the way are followed.
pub(crate) fn values_at<'a>(event: &'a Map<String, Value>, path: &str) -> Vec<&'a Value> {
    fn follow<'a>(value: &'a Value, keys: &[&str], found: &mut Vec<&'a Value>) {
        match (keys.split_first(), value) {
            (None, value) => found.push(value),
            (Some((key, rest)), Value::Object(map)) => {
                if let Some(next) = map.get(*key) {
                    follow(next, rest, found);
                }
            }
            (Some(_), Value::Array(members)) => members.iter().for_each(|member| follow(member, keys, found)),
            _ => {}
        }
    }
    let keys: Vec<&str> = path.split('.').collect();
    let mut found = Vec::new();
    if let Some((first, rest)) = keys.split_first()
        && let Some(value) = event.get(*first)
    {
        follow(value, rest, &mut found);
    }
    found
}

/// The value, or the members of an array.
fn scalars_of(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(members) => members.iter().collect(),
        other => vec![other],
    }
}

fn has_nested_array(value: &Value) -> bool {
    value.as_array().is_some_and(|members| members.iter().any(Value::is_array))
}

fn has_object(value: &Value) -> bool {
    scalars_of(value).iter().any(|value| value.is_object())
}

fn number_of(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// A fraction whose text in the record is not the shortest one: `5.0`.
fn is_written_otherwise(value: &Value) -> bool {
    let shortest = value.as_f64().map(|number| number.to_string());
    value.is_f64() && shortest != Some(value.to_string())
}

fn has_wildcard(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '*' | '?' => return true,
            _ => {}
        }
    }
    false
}
