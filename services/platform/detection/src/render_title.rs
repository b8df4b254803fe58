//! An alert's title from the rule's template and the fields of a match.
//!
//! Invariants: fields are hostile text. A value is never read as a template; characters that hide or reorder text are
//! dropped; a template cannot run for ever.

use crate::compiled_rule::CompiledRule;
use crate::error::RenderError;
use minijinja::Environment;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const MAX_CHARS: usize = 300;
/// Instructions a template may use: titles need tens.
const FUEL: u64 = 10_000;
const MISSING: &str = "unknown";

/// The title of a match. `fields` are those the rule names in `title_fields`; a missing one reads `unknown`.
///
/// On an error, [`plain_title`] is what to show: an alert never waits for its title.
pub fn render_title<N: AsRef<str>>(rule: &CompiledRule, fields: &[(N, Option<String>)]) -> Result<String, RenderError> {
    let Some(template) = &rule.title_template else { return Ok(plain_title(rule)) };
    let rule_id = || rule.rule.rule_id.to_string();
    let mut context = Map::new();
    for field in &rule.title_fields {
        insert(&mut context, &field.field, MISSING);
    }
    for (name, value) in fields {
        if let Some(value) = value {
            insert(&mut context, name.as_ref(), value);
        }
    }
    let title = environment()
        .template_from_str(template)
        .and_then(|template| template.render(minijinja::value::Serde(&context)))
        .map_err(|source| RenderError::Template { rule_id: rule_id(), source })?;
    let title = clean(&title);
    if title.is_empty() { Err(RenderError::Empty { rule_id: rule_id() }) } else { Ok(title) }
}

/// The rule's own title.
pub fn plain_title(rule: &CompiledRule) -> String {
    clean(&rule.rule.title)
}

/// The fields a template names, dotted; an error says why it cannot be read.
pub(crate) fn fields_of_template(template: &str) -> Result<Vec<String>, String> {
    let environment = environment();
    let parsed = environment
        .template_from_str(template)
        .map_err(|error| error.detail().map_or_else(|| error.kind().to_string(), str::to_owned))?;
    let fields: BTreeSet<String> = parsed.undeclared_variables(true).into_iter().collect();
    for field in &fields {
        if let Some(inner) = fields.iter().find(|other| other.starts_with(&format!("{field}."))) {
            return Err(format!("it uses `{field}` and, inside it, `{inner}`"));
        }
    }
    Ok(fields.into_iter().collect())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Chainable);
    environment.set_formatter(|out, state, value| {
        if value.is_undefined() || value.is_none() {
            out.write_str(MISSING).map_err(minijinja::Error::from)
        } else {
            minijinja::escape_formatter(out, state, value)
        }
    });
    environment
}

/// `a.b` becomes a map in a map, as the template reads it.
fn insert(context: &mut Map<String, Value>, name: &str, value: &str) {
    let Some((first, rest)) = name.split_once('.') else {
        context.insert(name.to_owned(), value.into());
        return;
    };
    let inner = context.entry(first).or_insert_with(|| Value::Object(Map::new()));
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        insert(inner, rest, value);
    }
}

fn clean(text: &str) -> String {
    let visible: String = text
        .chars()
        .filter_map(|c| match c {
            c if c.is_whitespace() => Some(' '),
            c if c.is_control() => None,
            // Zero width, bidirectional marks and embeddings, byte order mark, line and paragraph separators.
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => None,
            '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => None,
            c => Some(c),
        })
        .collect();
    let words = visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if words.chars().count() <= MAX_CHARS {
        return words;
    }
    let mut cut: String = words.chars().take(MAX_CHARS - 1).collect();
    cut.push('…');
    cut
}
