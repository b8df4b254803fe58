use mantissa_contracts::documents;
use serde_json::Value;
use std::path::PathBuf;

fn contracts_folder() -> PathBuf {
    mantissa_tests::workspace_root().join("contracts")
}

fn check(relative: &str, expected: &str) {
    check_generated(&format!("contracts/{relative}"), expected);
}

/// Compares with the committed file, named from the workspace's root; with `MANTISSA_BLESS=1` (`make contracts`) writes it.
pub(crate) fn check_generated(relative: &str, expected: &str) {
    let path = mantissa_tests::workspace_root().join(relative);
    #[expect(clippy::disallowed_methods, reason = "blessing is asked for in the environment")]
    if std::env::var("MANTISSA_BLESS").is_ok() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == expected, "{relative} is not what the types give; run `make contracts` and read the diff");
}

pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

#[test]
fn schemas_are_what_the_types_give() {
    for message in documents::message_schemas() {
        check(&format!("schemas/{}/v{}.json", message.name, message.version), &pretty(&message.schema));
    }
}

#[test]
fn topology_is_what_the_table_says() {
    check("topology.json", &pretty(&documents::topology().unwrap()));
}

#[test]
fn asyncapi_is_what_types_and_topology_give() {
    check("asyncapi.yaml", &yaml_serde::to_string(&documents::asyncapi()).unwrap());
}

#[test]
fn asyncapi_refers_only_to_what_is_there() {
    let document = documents::asyncapi();
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 30);
    for reference in references {
        match reference.strip_prefix('#') {
            Some(pointer) => assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere"),
            None => assert!(contracts_folder().join(&reference).is_file(), "{reference} is not a file"),
        }
    }
}

fn collect_references(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(target) if key == "$ref" => references.push(target.clone()),
                    _ => collect_references(value, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, references)),
        _ => {}
    }
}
