//! `substr`, `split`, `split_part`, `reverse` as Trino has them.

use super::fields::nullable;
use super::udf::{Texts, Udf, bigint_at, check_count, returns_text, texts_then_bigints};
use datafusion::arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    let text_and_positions = |name: &str, types: &[DataType]| {
        check_count(name, types, 2..=3)?;
        texts_then_bigints(name, types, 1)
    };
    let texts_and_position = |name: &str, types: &[DataType]| {
        check_count(name, types, 2..=3)?;
        texts_then_bigints(name, types, 2)
    };
    vec![
        Udf::function("trino_substr", text_and_positions, returns_text, substr),
        Udf::function(
            "trino_reverse",
            |name: &str, types: &[DataType]| {
                check_count(name, types, 1..=1)?;
                texts_then_bigints(name, types, 1)
            },
            returns_text,
            reverse,
        ),
        Udf::function("trino_split_part", texts_and_position, returns_text, split_part),
        Udf::function(
            "trino_split",
            texts_and_position,
            |_| Ok(nullable(DataType::new_list(DataType::Utf8, true))),
            split,
        ),
    ]
}

/// Counts from 1, or from the end where negative; empty outside of the text.
fn substr(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let texts = Texts::of(&args.args[0])?;
    let mut values = StringBuilder::new();
    for i in 0..args.number_rows {
        let length = args.args.get(2).map(|length| bigint_at(length, i));
        values.append_option(match (texts.get(i), bigint_at(&args.args[1], i), length) {
            (None, ..) | (_, None, _) | (.., Some(None)) => None,
            (Some(text), Some(from), length) => Some(part(text, from, length.flatten())),
        });
    }
    Ok(Arc::new(values.finish()))
}

fn part(text: &str, from: i64, length: Option<i64>) -> &str {
    let n_chars = if text.is_ascii() { text.len() } else { text.chars().count() };
    let from = match from {
        0 => return "",
        from if from > 0 => usize::try_from(from - 1).unwrap_or(usize::MAX),
        from => match n_chars.checked_sub(usize::try_from(from.unsigned_abs()).unwrap_or(usize::MAX)) {
            Some(from) => from,
            None => return "",
        },
    };
    let length = length.map_or(n_chars, |length| usize::try_from(length).unwrap_or(0));
    let to = from.saturating_add(length).min(n_chars);
    if from >= to {
        return "";
    }
    let byte = |n: usize| {
        if n == n_chars { text.len() } else { text.char_indices().nth(n).map_or(text.len(), |(at, _)| at) }
    };
    if text.is_ascii() { &text[from..to] } else { &text[byte(from)..byte(to)] }
}

/// Of a text. That of an array is not supported: it would be taken for a text.
fn reverse(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let texts = Texts::of(&args.args[0])?;
    let mut values = StringBuilder::new();
    for i in 0..args.number_rows {
        values.append_option(texts.get(i).map(|text| text.chars().rev().collect::<String>()));
    }
    Ok(Arc::new(values.finish()))
}

/// NULL beyond the last part.
fn split_part(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, delimiters) = (Texts::of(&args.args[0])?, Texts::of(&args.args[1])?);
    let mut values = StringBuilder::new();
    for i in 0..args.number_rows {
        let wanted = args.args.get(2).and_then(|n| bigint_at(n, i));
        values.append_option(match (texts.get(i), delimiters.get(i), wanted) {
            (Some(text), Some(delimiter), Some(n)) => {
                let Some(n) = usize::try_from(n).ok().and_then(|n| n.checked_sub(1)) else {
                    return exec_err!("split_part: the index must be greater than zero");
                };
                if delimiter.is_empty() {
                    text.char_indices().nth(n).map(|(at, c)| &text[at..at + c.len_utf8()])
                } else {
                    text.split(delimiter).nth(n)
                }
            }
            _ => None,
        });
    }
    Ok(Arc::new(values.finish()))
}

fn split(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (texts, delimiters) = (Texts::of(&args.args[0])?, Texts::of(&args.args[1])?);
    let mut lists = ListBuilder::new(StringBuilder::new());
    for i in 0..args.number_rows {
        let limit = args.args.get(2).map(|limit| bigint_at(limit, i));
        match (texts.get(i), delimiters.get(i), limit) {
            (None, ..) | (_, None, _) | (.., Some(None)) => lists.append(false),
            (_, Some(""), _) => return exec_err!("split: the delimiter may not be empty"),
            (Some(text), Some(delimiter), limit) => {
                let limit = limit.flatten().map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(0));
                if limit == 0 {
                    return exec_err!("split: the limit must be positive");
                }
                text.splitn(limit, delimiter).for_each(|piece| lists.values().append_value(piece));
                lists.append(true);
            }
        }
    }
    Ok(Arc::new(lists.finish()))
}
