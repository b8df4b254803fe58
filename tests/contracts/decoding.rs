use mantissa_contracts::messages::AlertOpened;
use mantissa_contracts::{DecodeError, Envelope};
use serde_json::{Value, json};

fn example() -> Value {
    let path = mantissa_tests::workspace_root().join("contracts/examples/alert_opened/v1.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn decode(value: &Value) -> Result<Envelope<AlertOpened>, DecodeError> {
    Envelope::<AlertOpened>::decode(&value.to_string())
}

#[test]
fn unknown_fields_are_ignored() {
    let mut value = example();
    value["data"]["alert"]["from_the_future"] = json!(1);
    value["extension"] = json!("x");
    decode(&value).unwrap();
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_kind() {
    let with = |pointer: &str, new: Value| {
        let mut value = example();
        *value.pointer_mut(pointer).unwrap() = new;
        value
    };
    for (value, kind) in [
        (json!("text"), "not_an_envelope"),
        (json!({}), "not_an_envelope"),
        (with("/specversion", json!("0.3")), "not_an_envelope"),
        (with("/type", json!("com.other.thing")), "unknown_type"),
        (with("/type", json!("mantissa.alert_opened")), "unknown_type"),
        (with("/type", json!("mantissa.alert_closed.v1")), "unexpected_type"),
        (with("/type", json!("mantissa.alert_opened.v2")), "unknown_version"),
        (with("/data", json!({"alert": 1})), "bad_data"),
        (with("/data/alert/severity", json!("awful")), "bad_data"),
    ] {
        assert_eq!(decode(&value).unwrap_err().kind(), kind, "{value}");
    }
    assert_eq!(Envelope::<AlertOpened>::decode("{").unwrap_err().kind(), "not_json");
}

#[test]
fn replay_carries_the_same_id() {
    let envelope = decode(&example()).unwrap();
    let again = Envelope::new("dedup", chrono_later(envelope.time), None, envelope.data.clone());
    assert_eq!(again.id, envelope.id);
}

fn chrono_later(time: mantissa_contracts::time::Instant) -> mantissa_contracts::time::Instant {
    time + std::time::Duration::from_secs(3600)
}
