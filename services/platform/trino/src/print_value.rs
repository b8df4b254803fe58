//! Values of the protocol → the text of the QueryEngine port.

use crate::answer::{TypeArgument, TypeSignature};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Write as _;

type Printed = Result<Option<String>, serde_json::Error>;

/// `None` for NULL.
pub(crate) fn print_value(value: &RawValue, of_type: &TypeSignature) -> Printed {
    let text = value.get();
    if text == "null" {
        return Ok(None);
    }
    let arguments = &of_type.arguments;
    match of_type.raw_type.as_str() {
        "array" => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            let printed = items.into_iter().map(|item| print_nested(item, arguments.first()));
            Ok(Some(format!("[{}]", printed.collect::<Result<Vec<_>, _>>()?.join(", "))))
        }
        "row" => {
            let fields: Vec<&RawValue> = serde_json::from_str(text)?;
            let printed = fields.into_iter().enumerate().map(|(number, field)| {
                let argument = arguments.get(number);
                let name = name_of(argument).map_or_else(|| format!("field{number}"), str::to_owned);
                print_nested(field, argument).map(|value| format!("{name}={value}"))
            });
            Ok(Some(format!("{{{}}}", printed.collect::<Result<Vec<_>, _>>()?.join(", "))))
        }
        "map" => {
            let entries: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            let printed = entries
                .into_iter()
                .map(|(key, value)| print_nested(value, arguments.get(1)).map(|value| format!("{key}={value}")));
            Ok(Some(format!("{{{}}}", printed.collect::<Result<Vec<_>, _>>()?.join(", "))))
        }
        "varbinary" => {
            let encoded: String = serde_json::from_str(text)?;
            let bytes = BASE64_STANDARD.decode(encoded).map_err(serde::de::Error::custom)?;
            Ok(Some(bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
                // Writing to a `String` cannot fail.
                let _infallible = write!(text, "{byte:02x}");
                text
            })))
        }
        _ if text.starts_with('"') => serde_json::from_str(text).map(Some),
        _ => Ok(Some(text.to_owned())),
    }
}

fn print_nested(value: &RawValue, argument: Option<&TypeArgument>) -> Result<String, serde_json::Error> {
    let printed = match argument {
        Some(TypeArgument::Type(of_type)) => print_value(value, of_type)?,
        Some(TypeArgument::NamedType(named)) => print_value(value, &named.type_signature)?,
        _ => Some(value.get().to_owned()),
    };
    Ok(printed.unwrap_or_else(|| "null".to_owned()))
}

fn name_of(argument: Option<&TypeArgument>) -> Option<&str> {
    match argument {
        Some(TypeArgument::NamedType(named)) => named.field_name.as_ref().map(|field| field.name.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(of_type: &str, value: &str) -> Option<String> {
        print_value(&RawValue::from_string(value.to_owned()).unwrap(), &serde_json::from_str(of_type).unwrap()).unwrap()
    }

    const TEXT: &str = r#"{"rawType":"varchar","arguments":[{"kind":"LONG","value":2147483647}]}"#;

    #[test]
    fn values_print_as_the_embedded_engine_prints_them() {
        assert_eq!(printed(TEXT, "null"), None);
        assert_eq!(printed(TEXT, r#""a \"b\" \u00fc""#).as_deref(), Some("a \"b\" ü"));
        assert_eq!(printed(r#"{"rawType":"double"}"#, "1.0E7").as_deref(), Some("1.0E7"));
        assert_eq!(printed(r#"{"rawType":"double"}"#, r#""NaN""#).as_deref(), Some("NaN"));
        assert_eq!(printed(r#"{"rawType":"varbinary"}"#, r#""Cv8=""#).as_deref(), Some("0aff"));
        let array = format!(r#"{{"rawType":"array","arguments":[{{"kind":"TYPE","value":{TEXT}}}]}}"#);
        assert_eq!(printed(&array, r#"["a", null, "b"]"#).as_deref(), Some("[a, null, b]"));
        let map = format!(
            r#"{{"rawType":"map","arguments":[{{"kind":"TYPE","value":{TEXT}}},{{"kind":"TYPE","value":{TEXT}}}]}}"#
        );
        assert_eq!(printed(&map, r#"{"k": "v", "j": null}"#).as_deref(), Some("{j=null, k=v}"));
        let row = format!(
            r#"{{"rawType":"row","arguments":[
                {{"kind":"NAMED_TYPE","value":{{"fieldName":{{"name":"x"}},"typeSignature":{array}}}}},
                {{"kind":"NAMED_TYPE","value":{{"typeSignature":{TEXT}}}}}]}}"#
        );
        assert_eq!(printed(&row, r#"[["a"], "b"]"#).as_deref(), Some("{x=[a], field1=b}"));
    }
}
