//! `url_extract_*`, `url_encode`, `url_decode`.

use super::udf::{Texts, Udf, check_count, returns_bigint, returns_text, texts_only};
use datafusion::arrow::array::{ArrayRef, Int64Array, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use std::sync::Arc;
use url::{Url, form_urlencoded};

pub(super) fn all() -> Vec<ScalarUDF> {
    let one = |name: &str, types: &[DataType]| {
        check_count(name, types, 1..=1)?;
        texts_only(name, types)
    };
    let two = |name: &str, types: &[DataType]| {
        check_count(name, types, 2..=2)?;
        texts_only(name, types)
    };
    vec![
        Udf::function("trino_url_extract_host", one, returns_text, |args| {
            each(args, |text| Url::parse(text).ok()?.host_str().map(str::to_owned))
        }),
        Udf::function("trino_url_extract_path", one, returns_text, |args| each(args, |text| Some(parts(text)?.path))),
        Udf::function("trino_url_extract_query", one, returns_text, |args| each(args, |text| parts(text)?.query)),
        Udf::function("trino_url_extract_fragment", one, returns_text, |args| each(args, |text| parts(text)?.fragment)),
        Udf::function("trino_url_extract_protocol", one, returns_text, |args| {
            each(args, |text| Some(Url::parse(text).ok()?.scheme().to_owned()))
        }),
        Udf::function("trino_url_extract_port", one, returns_bigint, |args| {
            let texts = Texts::of(&args.args[0])?;
            let ports = (0..args.number_rows).map(|i| Url::parse(texts.get(i)?).ok()?.port().map(i64::from));
            Ok(Arc::new(ports.collect::<Int64Array>()))
        }),
        Udf::function("trino_url_extract_parameter", two, returns_text, parameter),
        Udf::function("trino_url_encode", one, returns_text, |args| {
            each(args, |text| Some(form_urlencoded::byte_serialize(text.as_bytes()).collect()))
        }),
        Udf::function("trino_url_decode", one, returns_text, |args| each(args, decode)),
    ]
}

fn each(args: &ScalarFunctionArgs, convert: impl Fn(&str) -> Option<String>) -> Result<ArrayRef> {
    let texts = Texts::of(&args.args[0])?;
    let mut values = StringBuilder::new();
    (0..args.number_rows).for_each(|i| values.append_option(texts.get(i).and_then(&convert)));
    Ok(Arc::new(values.finish()))
}

fn parameter(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (urls, names) = (Texts::of(&args.args[0])?, Texts::of(&args.args[1])?);
    let mut values = StringBuilder::new();
    for i in 0..args.number_rows {
        let found = urls.get(i).zip(names.get(i)).and_then(|(url, name)| {
            let url = Url::parse(url).ok()?;
            url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        });
        values.append_option(found);
    }
    Ok(Arc::new(values.finish()))
}

struct Parts {
    path: String,
    query: Option<String>,
    fragment: Option<String>,
}

fn parts(text: &str) -> Option<Parts> {
    let url = Url::parse(text).ok()?;
    Some(Parts {
        path: url.path().to_owned(),
        query: url.query().map(str::to_owned),
        fragment: url.fragment().map(str::to_owned),
    })
}

fn decode(text: &str) -> Option<String> {
    // A form decoder reads one value where there is neither `=` nor `&`.
    let escaped = text.replace('=', "%3D").replace('&', "%26");
    Some(form_urlencoded::parse(escaped.as_bytes()).next().map(|(value, _)| value.into_owned()).unwrap_or_default())
}
