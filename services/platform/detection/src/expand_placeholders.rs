//! `expand`: `%name%` in a value stands for the texts given for that name.

use std::collections::BTreeMap;

/// Placeholder → its texts, from `mantissa.placeholders`.
pub(crate) type Placeholders = BTreeMap<String, Vec<String>>;

const MAX_ALTERNATIVES: usize = 10_000;

/// Every text that `text` can stand for; an error names a placeholder without texts.
pub(crate) fn expand(text: &str, placeholders: &Placeholders) -> Result<Vec<String>, String> {
    let mut done = vec![String::new()];
    let mut rest = text;
    while let Some((before, name, after)) = next_placeholder(rest) {
        let given = placeholders.get(name).filter(|texts| !texts.is_empty()).ok_or_else(|| {
            format!("needs the placeholder `%{name}%`, and `mantissa.placeholders` gives no values for it")
        })?;
        if done.len().saturating_mul(given.len()) > MAX_ALTERNATIVES {
            return Err(format!("expands to more than {MAX_ALTERNATIVES} values"));
        }
        done = done
            .iter()
            .flat_map(|so_far| given.iter().map(move |value| format!("{so_far}{before}{}", escape(value))))
            .collect();
        rest = after;
    }
    done.iter_mut().for_each(|so_far| so_far.push_str(rest));
    Ok(done)
}

fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('%')?;
    let (name, after) = rest.split_once('%')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    is_name.then_some((before, name, after))
}

/// A given value is plain: its wildcards are not wildcards of the rule.
fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '*' | '?' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_of_a_placeholder_gives_a_text() {
        let given = Placeholders::from([("admins".to_owned(), vec!["ana".to_owned(), "b*".to_owned()])]);
        assert_eq!(expand("user/%admins%", &given).unwrap(), ["user/ana", "user/b\\*"]);
        assert_eq!(expand("100%", &given).unwrap(), ["100%"]);
    }

    #[test]
    fn a_placeholder_without_values_is_named() {
        assert!(expand("%vips%", &Placeholders::new()).unwrap_err().contains("`%vips%`"));
    }
}
