//! Whether a text, folded to lower case, is one of some texts; nothing is folded to find out.

use super::letter_case::lower_text;
use super::udf::{Texts, Udf, returns_boolean, texts_only};
use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![Udf::function("trino_lower_in", one_text, returns_boolean, lower_in)]
}

fn one_text(_name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() < 2 {
        return plan_err!("a text is compared with at least one other");
    }
    texts_only("lower", types)
}

/// The texts looked for, all ASCII.
struct Wanted<'a> {
    texts: Vec<&'a str>,
    /// Bit n is set when a text that is n bytes long may match; the last bit stands for all longer ones.
    lengths: u64,
}

/// The characters beyond ASCII that are an ASCII letter in lower case, with that letter.
const FOREIGN: [(char, u8); 2] = [('\u{212A}', b'k'), ('\u{130}', b'i')];

impl<'a> Wanted<'a> {
    fn new(arguments: &'a [ColumnarValue]) -> Result<Self> {
        let (mut texts, mut lengths) = (Vec::with_capacity(arguments.len()), 0);
        for argument in arguments {
            let Some(Some(text)) = Texts::of(argument)?.constant() else {
                return exec_err!("a text to compare with is not a constant");
            };
            lengths |= length_bit(text.len());
            let may_be = FOREIGN.map(|(foreign, letter)| {
                let n = text.bytes().filter(|byte| *byte == letter).count();
                (0..=n).map(move |n| n * (foreign.len_utf8() - 1))
            });
            let [kelvin, dotted] = may_be;
            for longer in kelvin.flat_map(|kelvin| dotted.clone().map(move |dotted| kelvin + dotted)) {
                lengths |= length_bit(text.len() + longer);
            }
            texts.push(text);
        }
        Ok(Self { texts, lengths })
    }

    #[inline]
    fn may_have(&self, n_bytes: usize) -> bool {
        self.lengths & length_bit(n_bytes) != 0
    }

    fn has_folded(&self, text: &str) -> bool {
        let equal = |wanted: &str| {
            wanted.len() == text.len() && wanted.bytes().zip(text.bytes()).all(|(w, t)| w == t.to_ascii_lowercase())
        };
        if self.texts.iter().any(|wanted| equal(wanted)) {
            return true;
        }
        !text.is_ascii()
            && text.contains(FOREIGN.map(|(foreign, _)| foreign))
            && self.texts.contains(&lower_text(text).as_str())
    }
}

fn length_bit(n_bytes: usize) -> u64 {
    1 << n_bytes.min(63)
}

fn lower_in(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let Some((texts, wanted)) = args.args.split_first() else { return exec_err!("a comparison without a text") };
    let (texts, wanted) = (Texts::of(texts)?, Wanted::new(wanted)?);
    let found = match &texts {
        Texts::View(array) => {
            // The low half of a view's first word is the length; most rows are decided by it alone.
            let views = array.views();
            let length = |i: usize| usize::try_from(views[i] & u128::from(u32::MAX)).unwrap_or(usize::MAX);
            let found = BooleanBuffer::collect_bool(array.len(), |i| {
                wanted.may_have(length(i)) && array.is_valid(i) && wanted.has_folded(array.value(i))
            });
            BooleanArray::new(found, array.nulls().cloned())
        }
        other => (0..args.number_rows)
            .map(|i| other.get(i).map(|text| wanted.may_have(text.len()) && wanted.has_folded(text)))
            .collect(),
    };
    Ok(Arc::new(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{StringArray, StringViewArray};
    use datafusion::arrow::datatypes::Field;
    use datafusion::common::ScalarValue;

    fn found(texts: ArrayRef, wanted: &[&str]) -> BooleanArray {
        let number_rows = texts.len();
        let mut arguments = vec![ColumnarValue::Array(texts)];
        arguments.extend(wanted.iter().map(|text| ColumnarValue::Scalar(ScalarValue::from(*text))));
        let args = ScalarFunctionArgs {
            args: arguments,
            arg_fields: Vec::new(),
            number_rows,
            return_field: Arc::new(Field::new("found", DataType::Boolean, true)),
            config_options: Arc::default(),
        };
        lower_in(&args).unwrap().as_any().downcast_ref::<BooleanArray>().unwrap().clone()
    }

    #[test]
    fn no_other_letters_are_ascii_in_lower_case() {
        let ascii: Vec<char> = ('\u{80}'..=char::MAX).filter(|c| lower_text(&c.to_string()).is_ascii()).collect();
        assert_eq!(ascii, ['\u{130}', '\u{212A}']);
    }

    #[test]
    fn it_agrees_with_folding_every_text() {
        let long = "A".repeat(70);
        let texts = [
            Some("StopLogging"),
            Some("stoplogging"),
            Some("STOPLOGGINGS"),
            Some("StopLoggin\u{e9}"),
            None,
            Some(""),
            Some("\u{212A}ey"),
            Some("\u{212A}\u{212A}"),
            Some("Key"),
            Some("\u{130}"),
            Some("key\u{130}"),
            Some("\u{130}\u{130}\u{212A}"),
            Some(&long),
        ];
        let long_wanted = "a".repeat(70);
        for wanted in [
            vec!["stoplogging"],
            vec!["StopLogging"],
            vec!["key", "kk", ""],
            vec!["i"],
            vec!["iik", "keyi"],
            vec![long_wanted.as_str(), "key"],
        ] {
            let expected: BooleanArray =
                texts.iter().map(|text| text.map(|text| wanted.contains(&lower_text(text).as_str()))).collect();
            assert_eq!(found(Arc::new(StringViewArray::from(texts.to_vec())), &wanted), expected, "{wanted:?}");
            assert_eq!(found(Arc::new(StringArray::from(texts.to_vec())), &wanted), expected, "{wanted:?}");
        }
    }
}
