//! Tests of a path into JSON text.
//!
//! Anything on the way may be an array, whose members all count; what is at the end may be a scalar, an array or an
//! object. The scalar form comes first: it is the cheap one, and mostly the one that decides.

use crate::ast::Test;
use crate::lower_leaf::text_predicate;
use crate::sql_text::{any_of, json_path};

/// Forms double with every key, so longer paths look for arrays at the end only.
const MAX_KEYS_WITH_ARRAYS: usize = 6;

/// The tests on the value at `keys` below the JSON text `sql`.
pub(crate) fn json_equal_or_like(sql: &str, keys: &[String], tests: &[Test]) -> String {
    any_of(&value_forms(sql, keys, tests, 0))
}

/// Whether there is a value other than null at `keys`.
pub(crate) fn json_present(sql: &str, keys: &[String]) -> String {
    any_of(&present_forms(sql, keys, 0))
}

fn value_forms(sql: &str, keys: &[String], tests: &[Test], depth: usize) -> Vec<String> {
    let path = json_path(keys);
    let mut forms = vec![text_predicate(&format!("json_extract_scalar({sql}, {path})"), tests)];
    let object_tests: Vec<Test> = tests.iter().filter(|test| may_match_object(test)).cloned().collect();
    if !object_tests.is_empty() {
        // A column of JSON text is its own text.
        let text = if keys.is_empty() && depth == 0 {
            sql.to_owned()
        } else {
            format!("json_format(json_extract({sql}, {path}))")
        };
        forms.push(format!("({text} LIKE '{{%' AND {})", text_predicate(&text, &object_tests)));
    }
    for (cut, array) in arrays_on_the_way(sql, keys) {
        let member = format!("v{depth}");
        let rest = &keys[cut..];
        let body = if rest.is_empty() {
            // Null members match nothing, and `null` is not their text.
            let text = format!("COALESCE(json_extract_scalar({member}, '$'), NULLIF(json_format({member}), 'null'))");
            text_predicate(&text, tests)
        } else {
            any_of(&value_forms(&member, rest, tests, depth + 1))
        };
        forms.push(format!("any_match({array}, {member} -> {body})"));
    }
    forms
}

fn present_forms(sql: &str, keys: &[String], depth: usize) -> Vec<String> {
    let mut forms = vec![format!("json_format(json_extract({sql}, {})) <> 'null'", json_path(keys))];
    for (cut, array) in arrays_on_the_way(sql, keys).into_iter().filter(|(cut, _)| *cut < keys.len()) {
        let member = format!("v{depth}");
        let body = any_of(&present_forms(&member, &keys[cut..], depth + 1));
        forms.push(format!("any_match({array}, {member} -> {body})"));
    }
    forms
}

/// The places at which there may be an array, from the end to the beginning: how many keys lead to it, and its SQL.
fn arrays_on_the_way(sql: &str, keys: &[String]) -> Vec<(usize, String)> {
    let first = if keys.len() > MAX_KEYS_WITH_ARRAYS { keys.len() } else { keys.len().min(1) };
    (first..=keys.len())
        .rev()
        .map(|cut| (cut, format!("TRY_CAST(json_extract({sql}, {}) AS ARRAY(JSON))", json_path(&keys[..cut]))))
        .collect()
}

fn may_match_object(test: &Test) -> bool {
    match test {
        Test::Text { pattern, .. } => pattern.may_match_object(),
        Test::Regex(_) => true,
        _ => false,
    }
}
