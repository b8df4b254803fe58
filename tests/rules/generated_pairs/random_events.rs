//! CloudTrail-shaped events whose values are made to be almost what rules look for.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value, json};

/// Texts that differ in one respect each: case, wildcards, escapes, quotes, accents, numbers, booleans, networks.
pub(crate) const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "ab",
    "AB",
    "aB",
    "abc",
    "a b",
    " a",
    "a ",
    "a*b",
    "a?b",
    r"a\b",
    r"a\\b",
    r"\a",
    r"a\",
    "a%b",
    "a_b",
    "%",
    "_",
    "it's",
    "\"q\"",
    "'",
    "é",
    "É",
    "Straße",
    "STRASSE",
    "ΑΣ",
    "ας",
    "ſ",
    "K",
    "a\nb",
    "a\tb",
    "{a}",
    "[a]",
    "null",
    "true",
    "True",
    "false",
    "yes",
    "no",
    "1",
    "0",
    "5",
    "05",
    "5.0",
    "-3",
    "10",
    "2.5",
    "10.0.0.1",
    "10.200.3.4",
    "192.168.1.1",
    "2001:db8::1",
    "10.0.0.1/8",
    "ec2.amazonaws.com",
    "x -f y",
    "x /f y",
    "x –f y",
    "-f",
    "a-f",
    "YWI=",
    "eGFieQ==",
    "YQBiAA==",
    "2026-01-05T03:04:05Z",
    "2027-01-01T23:59:59Z",
    "arn:aws:iam::1:user/ab",
];

/// Words that stand nowhere else in an event, so that a keyword means a value and no key.
pub(crate) const KEYWORDS: &[&str] =
    &["zebra7", "Zebra7 crossing", "say \"zz\"", r"back\slash", "Überzebra", "zz%top_9"];

pub(crate) const TEXT_FIELDS: &[&str] =
    &["eventName", "eventSource", "sourceIPAddress", "userAgent", "errorCode", "errorMessage", "readOnly"];
pub(crate) const STRUCT_FIELDS: &[&str] = &[
    "userIdentity.userName",
    "userIdentity.arn",
    "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "userIdentity.sessionContext.sessionIssuer.userName",
];
pub(crate) const JSON_FIELDS: &[&str] = &[
    "requestParameters.a",
    "requestParameters.b",
    "requestParameters.x-amz-acl",
    "requestParameters.o",
    "requestParameters.o.k",
    "requestParameters.items.x",
    "requestParameters.items.list",
    "requestParameters.set.items.r.x",
    "responseElements",
    "responseElements.a",
    "additionalEventData.MFAUsed",
];
pub(crate) const MEMBER_FIELDS: &[&str] = &["resources.ARN", "resources.accountId"];

pub(crate) fn random_event(random: &mut StdRng) -> Map<String, Value> {
    let mut event = Map::new();
    for field in TEXT_FIELDS {
        if random.random_bool(0.75) {
            event.insert((*field).to_owned(), scalar(random));
        }
    }
    if random.random_bool(0.9) {
        event.insert("userIdentity".to_owned(), identity(random));
    }
    if random.random_bool(0.9) {
        event.insert("requestParameters".to_owned(), parameters(random));
    }
    match random.random_range(0..4) {
        0 => event.insert("responseElements".to_owned(), Value::Null),
        1 => event.insert("responseElements".to_owned(), json!({"a": value(random, 2)})),
        2 => event.insert("additionalEventData".to_owned(), json!({"MFAUsed": scalar(random)})),
        _ => None,
    };
    if random.random_bool(0.6) {
        let members: Vec<Value> = (0..random.random_range(0..3)).map(|_| resource(random)).collect();
        event.insert("resources".to_owned(), Value::Array(members));
    }
    if random.random_bool(0.2) {
        let word = KEYWORDS.choose(random).copied().unwrap_or_default();
        let place = ["userAgent", "errorMessage"].choose(random).copied().unwrap_or_default();
        event.insert(place.to_owned(), json!(format!("a {word} b")));
    }
    event
}

fn identity(random: &mut StdRng) -> Value {
    let mut identity = Map::new();
    for field in ["userName", "arn"] {
        if random.random_bool(0.7) {
            identity.insert(field.to_owned(), scalar(random));
        }
    }
    if random.random_bool(0.5) {
        let context =
            json!({"attributes": {"mfaAuthenticated": scalar(random)}, "sessionIssuer": {"userName": scalar(random)}});
        identity.insert("sessionContext".to_owned(), context);
    }
    Value::Object(identity)
}

fn parameters(random: &mut StdRng) -> Value {
    if random.random_bool(0.1) {
        return Value::Null;
    }
    let mut parameters = Map::new();
    for field in ["a", "b", "x-amz-acl"] {
        if random.random_bool(0.75) {
            parameters.insert(field.to_owned(), value(random, 2));
        }
    }
    if random.random_bool(0.5) {
        parameters.insert("o".to_owned(), json!({"k": value(random, 1)}));
    }
    if random.random_bool(0.5) {
        let items: Vec<Value> = (0..random.random_range(0..3)).map(|_| item(random)).collect();
        parameters.insert("items".to_owned(), Value::Array(items));
    }
    if random.random_bool(0.4) {
        let inner: Vec<Value> = (0..random.random_range(0..3)).map(|_| json!({"x": scalar(random)})).collect();
        let inner = if inner.len() == 1 { inner[0].clone() } else { Value::Array(inner) };
        parameters.insert("set".to_owned(), json!({"items": [{"r": inner}, {"r": {"x": scalar(random)}}]}));
    }
    Value::Object(parameters)
}

fn item(random: &mut StdRng) -> Value {
    let mut item = Map::new();
    if random.random_bool(0.8) {
        item.insert("x".to_owned(), scalar(random));
    }
    if random.random_bool(0.6) {
        item.insert("list".to_owned(), Value::Array((0..random.random_range(0..3)).map(|_| scalar(random)).collect()));
    }
    Value::Object(item)
}

fn resource(random: &mut StdRng) -> Value {
    let mut resource = Map::new();
    for field in ["ARN", "accountId"] {
        if random.random_bool(0.8) {
            resource.insert(field.to_owned(), scalar(random));
        }
    }
    Value::Object(resource)
}

fn value(random: &mut StdRng, depth: u32) -> Value {
    match random.random_range(0..10) {
        0..6 => scalar(random),
        6..9 if depth > 0 => Value::Array((0..random.random_range(0..4)).map(|_| value(random, depth - 1)).collect()),
        9 if depth > 0 => json!({"k": value(random, depth - 1), "x": 1}),
        _ => scalar(random),
    }
}

fn scalar(random: &mut StdRng) -> Value {
    match random.random_range(0..20) {
        0..15 => json!(TEXTS.choose(random)),
        15 => Value::Null,
        16 => json!(random.random_bool(0.5)),
        17 => json!([0, 1, 5, -3, 10].choose(random)),
        18 => json!([2.5, 5.0, -0.5].choose(random)),
        _ => json!(""),
    }
}
