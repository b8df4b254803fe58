//! Regular expressions, in the syntax of RE2.

use super::fields::nullable;
use super::udf::{Texts, Udf, bigint_at, check_count, returns_bigint, returns_text, texts_only, texts_then_bigints};
use datafusion::arrow::array::{ArrayRef, Int64Array, ListBuilder, StringBuilder};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::exec_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use regex::Regex;
use std::borrow::Cow;
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        Udf::function("trino_regexp_extract", texts_and_group, returns_text, regexp_extract),
        Udf::function("trino_regexp_extract_all", texts_and_group, returns_texts, regexp_extract_all),
        Udf::function("trino_regexp_replace", two_or_three_texts, returns_text, regexp_replace),
        Udf::function("trino_regexp_count", two_or_three_texts, returns_bigint, regexp_count),
        Udf::function("trino_regexp_split", two_or_three_texts, returns_texts, regexp_split),
    ]
}

fn returns_texts(_: &ReturnFieldArgs) -> Result<FieldRef> {
    Ok(nullable(DataType::new_list(DataType::Utf8, true)))
}

fn texts_and_group(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 2..=3)?;
    texts_then_bigints(name, types, 2)
}

fn two_or_three_texts(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 2..=3)?;
    texts_only(name, types)
}

fn regexp_extract(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, patterns) = (Texts::of(&args.args[0])?, Patterns::new(&args.args[1])?);
    let mut values = StringBuilder::new();
    for i in 0..args.number_rows {
        let found = match (texts.get(i), patterns.get(i)?) {
            (Some(text), Some(pattern)) => {
                let group = group(args, i, &pattern)?;
                pattern.captures(text).and_then(|captures| captures.get(group)).map(|found| found.as_str())
            }
            _ => None,
        };
        values.append_option(found);
    }
    Ok(Arc::new(values.finish()))
}

fn regexp_extract_all(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, patterns) = (Texts::of(&args.args[0])?, Patterns::new(&args.args[1])?);
    let mut lists = ListBuilder::new(StringBuilder::new());
    for i in 0..args.number_rows {
        let (Some(text), Some(pattern)) = (texts.get(i), patterns.get(i)?) else {
            lists.append(false);
            continue;
        };
        let group = group(args, i, &pattern)?;
        for captures in pattern.captures_iter(text) {
            lists.values().append_option(captures.get(group).map(|found| found.as_str()));
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn regexp_replace(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, patterns) = (Texts::of(&args.args[0])?, Patterns::new(&args.args[1])?);
    let replacements = args.args.get(2).map(Texts::of).transpose()?;
    let mut values = StringBuilder::new();
    for i in 0..args.number_rows {
        let replacement = replacements.as_ref().map_or(Some(""), |replacements| replacements.get(i));
        values.append_option(match (texts.get(i), patterns.get(i)?, replacement) {
            (Some(text), Some(pattern), Some(replacement)) => {
                Some(pattern.replace_all(text, braced(replacement).as_str()).into_owned())
            }
            _ => None,
        });
    }
    Ok(Arc::new(values.finish()))
}

fn regexp_count(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, patterns) = (Texts::of(&args.args[0])?, Patterns::new(&args.args[1])?);
    let count = |i: usize| -> Result<Option<i64>> {
        Ok(match (texts.get(i), patterns.get(i)?) {
            (Some(text), Some(pattern)) => Some(pattern.find_iter(text).count() as i64),
            _ => None,
        })
    };
    Ok(Arc::new((0..args.number_rows).map(count).collect::<Result<Int64Array>>()?))
}

fn regexp_split(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, patterns) = (Texts::of(&args.args[0])?, Patterns::new(&args.args[1])?);
    let mut lists = ListBuilder::new(StringBuilder::new());
    for i in 0..args.number_rows {
        match (texts.get(i), patterns.get(i)?) {
            (Some(text), Some(pattern)) => {
                pattern.split(text).for_each(|piece| lists.values().append_value(piece));
                lists.append(true);
            }
            _ => lists.append(false),
        }
    }
    Ok(Arc::new(lists.finish()))
}

/// `$1` and `${name}` of Trino as the regex crate reads them: `$1a` is group 1 there, and a group `1a` here.
fn braced(replacement: &str) -> String {
    let mut text = String::with_capacity(replacement.len());
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('$') => text.push_str("$$"),
                Some(escaped) => text.push(escaped),
                None => text.push('\\'),
            },
            '$' if chars.peek().is_some_and(char::is_ascii_digit) => {
                text.push_str("${");
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    text.push(digit);
                }
                text.push('}');
            }
            c => text.push(c),
        }
    }
    text
}

fn group(args: &ScalarFunctionArgs, i: usize, pattern: &Regex) -> Result<usize> {
    let group = args.args.get(2).map_or(Some(0), |group| bigint_at(group, i)).unwrap_or_default();
    match usize::try_from(group) {
        Ok(group) if group < pattern.captures_len() => Ok(group),
        _ => exec_err!("pattern has {} groups, and no group {group}", pattern.captures_len() - 1),
    }
}

/// The pattern argument: compiled once where it is a constant.
enum Patterns<'a> {
    Constant(Option<Regex>),
    Each(Texts<'a>),
}

impl<'a> Patterns<'a> {
    fn new(value: &'a ColumnarValue) -> Result<Self> {
        let texts = Texts::of(value)?;
        match texts.constant() {
            Some(pattern) => Ok(Self::Constant(pattern.map(compile).transpose()?)),
            None => Ok(Self::Each(texts)),
        }
    }

    fn get(&self, i: usize) -> Result<Option<Cow<'_, Regex>>> {
        match self {
            Self::Constant(pattern) => Ok(pattern.as_ref().map(Cow::Borrowed)),
            Self::Each(texts) => Ok(texts.get(i).map(compile).transpose()?.map(Cow::Owned)),
        }
    }
}

fn compile(pattern: &str) -> Result<Regex> {
    Regex::new(pattern)
        .map_err(|error| DataFusionError::Plan(format!("`{pattern}` is not a regular expression: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_references_end_where_the_digits_end() {
        assert_eq!(braced("$1a-$2"), "${1}a-${2}");
        assert_eq!(braced(r"\$1 ${name} \\"), "$$1 ${name} \\");
    }
}
