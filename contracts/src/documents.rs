//! The published documents, made from the types: JSON Schemas, AsyncAPI, the topology.

use crate::envelope::{Message, type_of};
use crate::messages::{
    AlertClosed, AlertEnriched, AlertOpened, AlertUpdated, DeliveryRecorded, NotificationRequested, ObjectReceived,
    QueryCompleted, QueryRequested, QueryStarted, RuleFailed, RuleMatched,
};
use crate::topology::{PUBLICATIONS, QUEUES, TOPICS, TOPOLOGY, Target};
use serde_json::{Map, Value, json};

/// One message's published schema.
#[derive(Debug, Clone)]
pub struct MessageSchema {
    pub name: &'static str,
    pub version: u32,
    pub message_type: String,
    /// JSON Schema 2020-12 of `data`.
    pub schema: Value,
}

fn schema_of<M: Message>() -> MessageSchema {
    MessageSchema {
        name: M::NAME,
        version: M::VERSION,
        message_type: type_of::<M>(),
        schema: schemars::schema_for!(M).to_value(),
    }
}

/// Every message of the pipeline, in its order.
pub fn message_schemas() -> Vec<MessageSchema> {
    vec![
        schema_of::<ObjectReceived>(),
        schema_of::<QueryRequested>(),
        schema_of::<QueryStarted>(),
        schema_of::<RuleMatched>(),
        schema_of::<RuleFailed>(),
        schema_of::<QueryCompleted>(),
        schema_of::<AlertOpened>(),
        schema_of::<AlertUpdated>(),
        schema_of::<AlertClosed>(),
        schema_of::<AlertEnriched>(),
        schema_of::<NotificationRequested>(),
        schema_of::<DeliveryRecorded>(),
    ]
}

/// `topology.json`.
pub fn topology() -> Result<Value, serde_json::Error> {
    serde_json::to_value(TOPOLOGY)
}

/// AsyncAPI 3.0: channels are the queues and topics, operations are who sends and who receives.
pub fn asyncapi() -> Value {
    let mut messages = Map::new();
    for message in message_schemas() {
        messages.insert(
            message.name.to_owned(),
            json!({
                "name": message.message_type,
                "contentType": "application/cloudevents+json",
                "payload": {
                    "schemaFormat": "application/schema+json;version=draft-2020-12",
                    "schema": { "$ref": format!("schemas/{}/v{}.json", message.name, message.version) },
                },
            }),
        );
    }

    let mut channels = Map::new();
    let mut operations = Map::new();
    for queue in QUEUES {
        channels.insert(queue.name.to_owned(), channel(queue.name, "queue", queue.messages));
        operations.insert(
            format!("receive-{}", queue.name),
            json!({
                "action": "receive",
                "channel": { "$ref": format!("#/channels/{}", queue.name) },
                "summary": format!("`{}` handles it", queue.consumer),
            }),
        );
    }
    for topic in TOPICS {
        let published: Vec<&str> = PUBLICATIONS
            .iter()
            .filter(|publication| publication.target == Target::Topic(topic.name))
            .map(|publication| publication.message)
            .collect();
        channels.insert(topic.name.to_owned(), channel(topic.name, "topic", &published));
    }
    for publication in PUBLICATIONS {
        let (Target::Queue(target) | Target::Topic(target)) = publication.target;
        operations.insert(
            format!("send-{}", publication.message),
            json!({
                "action": "send",
                "channel": { "$ref": format!("#/channels/{target}") },
                "messages": [{ "$ref": format!("#/channels/{target}/messages/{}", publication.message) }],
                "summary": format!("sent by {}", publication.publishers.join(", ")),
            }),
        );
    }

    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Mantissa Log messages",
            "version": "1.0.0",
            "description": "Every message is a CloudEvents 1.0 envelope in structured JSON; `type` carries the major version.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages },
    })
}

fn channel(address: &str, kind: &str, messages: &[&str]) -> Value {
    let refs: Map<String, Value> = messages
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "$ref": format!("#/components/messages/{name}") })))
        .collect();
    json!({ "address": address, "description": format!("a {kind}"), "messages": refs })
}
