//! `lower` and `upper` as Trino has them: letter by letter, each becoming one letter.

use super::udf::{Texts, Udf, check_count, returns_text, texts_only};
use datafusion::arrow::array::{ArrayRef, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    let one_text = |name: &str, types: &[DataType]| {
        check_count(name, types, 1..=1)?;
        texts_only(name, types)
    };
    vec![
        Udf::function("trino_lower", one_text, returns_text, |args| {
            each_text(args, |text| text.make_ascii_lowercase(), lower_letter)
        }),
        Udf::function("trino_upper", one_text, returns_text, |args| {
            each_text(args, |text| text.make_ascii_uppercase(), upper_letter)
        }),
    ]
}

fn each_text(args: &ScalarFunctionArgs, ascii: fn(&mut str), letter: fn(char) -> char) -> Result<ArrayRef> {
    let texts = Texts::of(&args.args[0])?;
    let mut values = StringBuilder::new();
    let mut buffer = String::new();
    for i in 0..args.number_rows {
        let Some(text) = texts.get(i) else {
            values.append_null();
            continue;
        };
        buffer.clear();
        if text.is_ascii() {
            buffer.push_str(text);
            ascii(&mut buffer);
        } else {
            buffer.extend(text.chars().map(letter));
        }
        values.append_value(&buffer);
    }
    Ok(Arc::new(values.finish()))
}

pub(super) fn lower_text(text: &str) -> String {
    text.chars().map(lower_letter).collect()
}

fn lower_letter(letter: char) -> char {
    let mut lowered = letter.to_lowercase();
    // `İ` alone has a lower case of two characters, `i` and a dot above.
    lowered.next().unwrap_or(letter)
}

fn upper_letter(letter: char) -> char {
    let mut raised = letter.to_uppercase();
    match (raised.next(), raised.next()) {
        (Some(one), None) => one,
        _ => iota_below(letter),
    }
}

/// Greek vowels with an iota below have a capital of one letter beside the one of two; every other letter whose capital is
/// several, as `ß`, has none.
fn iota_below(letter: char) -> char {
    let raised = match letter {
        '\u{1F80}'..='\u{1F87}' | '\u{1F90}'..='\u{1F97}' | '\u{1FA0}'..='\u{1FA7}' => u32::from(letter) + 8,
        '\u{1FB3}' | '\u{1FC3}' | '\u{1FF3}' => u32::from(letter) + 9,
        _ => u32::from(letter),
    };
    char::from_u32(raised).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_becomes_one_letter() {
        assert_eq!(lower_text("ÄB İ ΟΔΟΣ"), "äb i οδοσ");
        let raised: String = "äb ß ŉ ᾳ ᾠ".chars().map(upper_letter).collect();
        assert_eq!(raised, "ÄB ß ŉ ᾼ ᾨ");
        let several: Vec<char> = ('\0'..=char::MAX).filter(|letter| letter.to_lowercase().len() > 1).collect();
        assert_eq!(several, ['İ']);
    }
}
