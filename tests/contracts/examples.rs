//! Golden examples: one per message and version. They are never edited once published; this build must read them.

use mantissa_contracts::documents::message_schemas;
use mantissa_contracts::messages::*;
use mantissa_contracts::{Envelope, Message};
use serde_json::Value;

fn example(name: &str, version: u32) -> String {
    let path = mantissa_tests::workspace_root().join(format!("contracts/examples/{name}/v{version}.json"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Reads the example, and gets the same JSON when it is written again: nothing of it is lost.
fn round_trips<M: Message>() {
    let text = example(M::NAME, M::VERSION);
    let envelope = Envelope::<M>::decode(&text).unwrap_or_else(|e| panic!("{}: {e}", M::NAME));
    let written: Value = serde_json::to_value(&envelope).unwrap();
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written, read, "{}", M::NAME);
    let renewed = Envelope::new("x", envelope.time, None, envelope.data.clone());
    assert_eq!(renewed.id, envelope.id, "the id of `{}` is not derived from what it says", M::NAME);
}

#[test]
fn every_example_is_read_whole() {
    round_trips::<ObjectReceived>();
    round_trips::<QueryRequested>();
    round_trips::<QueryStarted>();
    round_trips::<RuleMatched>();
    round_trips::<RuleFailed>();
    round_trips::<QueryCompleted>();
    round_trips::<AlertOpened>();
    round_trips::<AlertUpdated>();
    round_trips::<AlertClosed>();
    round_trips::<AlertEnriched>();
    round_trips::<NotificationRequested>();
    round_trips::<DeliveryRecorded>();
}

#[test]
fn every_example_fits_its_published_schema() {
    for message in message_schemas() {
        let path = mantissa_tests::workspace_root()
            .join(format!("contracts/schemas/{}/v{}.json", message.name, message.version));
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let envelope: Value = serde_json::from_str(&example(message.name, message.version)).unwrap();
        let errors: Vec<String> = validator.iter_errors(&envelope["data"]).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", message.name);
    }
}
