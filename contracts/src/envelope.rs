//! The CloudEvents 1.0 envelope (structured JSON) around every message.

use crate::time::Instant;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use uuid::Uuid;

/// A message: a fact (`alert_opened`) or a request (`query_requested`).
pub trait Message: Serialize + DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static {
    /// `alert_opened`: the name without the version.
    const NAME: &'static str;
    /// Major version; `type` on the wire is `mantissa.<NAME>.v<VERSION>`.
    const VERSION: u32;

    /// What the message is about: the id of an alert, a query run, an object.
    fn subject(&self) -> String;

    /// Parts from which the envelope's id is derived: the same fact has the same id on every replay.
    fn identity(&self) -> Vec<String>;

    /// Attributes that topic filters look at, beside `type`; names from [`crate::topology::ATTRIBUTES`].
    fn attributes(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// The `type` attribute of a message.
pub fn type_of<M: Message>() -> String {
    type_name(M::NAME, M::VERSION)
}

pub fn type_name(name: &str, version: u32) -> String {
    format!("mantissa.{name}.v{version}")
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Envelope<T> {
    /// Always `1.0`.
    pub specversion: String,
    /// UUIDv5 of what the message says; a replay carries the same id.
    pub id: Uuid,
    /// The service that published it: `mantissa/dedup`.
    pub source: String,
    /// `mantissa.<message>.v<major>`.
    #[serde(rename = "type")]
    pub message_type: String,
    /// When it was published.
    pub time: Instant,
    /// What it is about.
    pub subject: String,
    /// Where its schema is published.
    pub dataschema: String,
    /// W3C trace context, so that one trace spans scheduler to notifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    pub data: T,
}

impl<M: Message> Envelope<M> {
    pub fn new(service: &str, time: Instant, traceparent: Option<String>, message: M) -> Self {
        let identity = message.identity();
        let parts: Vec<&str> = identity.iter().map(String::as_str).collect();
        let message_type = type_of::<M>();
        Self {
            specversion: "1.0".to_owned(),
            id: crate::ids::derive(&message_type, &parts),
            source: format!("mantissa/{service}"),
            time,
            subject: message.subject(),
            dataschema: format!("https://mantissa-log.dev/schemas/{}/v{}.json", M::NAME, M::VERSION),
            traceparent,
            message_type,
            data: message,
        }
    }

    /// Reads a message of the one type the caller handles.
    pub fn decode(body: &str) -> Result<Self, DecodeError> {
        let raw = RawEnvelope::decode(body)?;
        raw.into_message()
    }
}

/// An envelope whose data has not been read yet.
pub type RawEnvelope = Envelope<Value>;

impl RawEnvelope {
    pub fn decode(body: &str) -> Result<Self, DecodeError> {
        let value: Value = serde_json::from_str(body).map_err(|e| DecodeError::NotJson { reason: e.to_string() })?;
        let envelope: Self =
            serde_json::from_value(value).map_err(|e| DecodeError::NotAnEnvelope { reason: e.to_string() })?;
        if envelope.specversion != "1.0" {
            return Err(DecodeError::NotAnEnvelope {
                reason: format!("specversion is `{}`, expected `1.0`", envelope.specversion),
            });
        }
        Ok(envelope)
    }

    /// Splits `mantissa.<name>.v<version>`.
    pub fn name_and_version(&self) -> Result<(&str, u32), DecodeError> {
        let unknown = || DecodeError::UnknownType { message_type: self.message_type.clone() };
        let rest = self.message_type.strip_prefix("mantissa.").ok_or_else(unknown)?;
        let (name, version) = rest.rsplit_once(".v").ok_or_else(unknown)?;
        Ok((name, version.parse().map_err(|_| unknown())?))
    }

    pub fn into_message<M: Message>(self) -> Result<Envelope<M>, DecodeError> {
        let (name, version) = self.name_and_version()?;
        if name != M::NAME {
            return Err(DecodeError::UnexpectedType { message_type: self.message_type, expected: type_of::<M>() });
        }
        if version != M::VERSION {
            return Err(DecodeError::UnknownVersion { message_type: self.message_type, known: M::VERSION });
        }
        let data = serde_json::from_value(self.data)
            .map_err(|e| DecodeError::BadData { message_type: self.message_type.clone(), reason: e.to_string() })?;
        Ok(Envelope {
            specversion: self.specversion,
            id: self.id,
            source: self.source,
            message_type: self.message_type,
            time: self.time,
            subject: self.subject,
            dataschema: self.dataschema,
            traceparent: self.traceparent,
            data,
        })
    }
}

/// Why a body is not a message this build can handle. Each reason sends the body to the DLQ, none drops it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    NotJson { reason: String },
    NotAnEnvelope { reason: String },
    UnknownType { message_type: String },
    UnexpectedType { message_type: String, expected: String },
    UnknownVersion { message_type: String, known: u32 },
    BadData { message_type: String, reason: String },
}

impl DecodeError {
    /// A short, stable word for metrics and for grouping in the DLQ.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotJson { .. } => "not_json",
            Self::NotAnEnvelope { .. } => "not_an_envelope",
            Self::UnknownType { .. } => "unknown_type",
            Self::UnexpectedType { .. } => "unexpected_type",
            Self::UnknownVersion { .. } => "unknown_version",
            Self::BadData { .. } => "bad_data",
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { reason } => write!(f, "message body is not JSON: {reason}"),
            Self::NotAnEnvelope { reason } => write!(f, "message body is not a CloudEvents 1.0 envelope: {reason}"),
            Self::UnknownType { message_type } => write!(f, "message type `{message_type}` is not one of ours"),
            Self::UnexpectedType { message_type, expected } => {
                write!(f, "message type `{message_type}` on a queue of `{expected}`")
            }
            Self::UnknownVersion { message_type, known } => {
                write!(f, "message type `{message_type}` is of a version this build cannot read (it reads v{known})")
            }
            Self::BadData { message_type, reason } => write!(f, "data of `{message_type}` does not fit: {reason}"),
        }
    }
}

impl std::error::Error for DecodeError {}
