//! A message ready to be published.

use crate::PortError;
use mantissa_contracts::envelope::{Envelope, Message};
use mantissa_contracts::topology::MAX_MESSAGE_BYTES;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// A message in wire form, with what transports need to route it. The topology says where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// `alert_opened`: the key into the topology.
    pub message_name: String,
    /// The envelope's id: the same fact carries the same id on every replay.
    pub id: Uuid,
    /// The envelope as JSON.
    pub body: String,
    /// What topic filters look at; always holds `type`.
    pub attributes: BTreeMap<String, String>,
    /// Hides the message from receivers for this long after it is sent.
    pub delay: Duration,
}

impl Outgoing {
    pub fn new<M: Message>(envelope: &Envelope<M>) -> Result<Self, PortError> {
        let body = serde_json::to_string(envelope)
            .map_err(|e| PortError::permanent("write message", envelope.id.to_string(), e))?;
        if body.len() > MAX_MESSAGE_BYTES {
            return Err(PortError::permanent(
                "write message",
                envelope.id.to_string(),
                format!("{} bytes, the limit is {MAX_MESSAGE_BYTES}", body.len()),
            ));
        }
        let mut attributes: BTreeMap<String, String> =
            envelope.data.attributes().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        attributes.insert("type".to_owned(), envelope.message_type.clone());
        Ok(Self { message_name: M::NAME.to_owned(), id: envelope.id, body, attributes, delay: Duration::ZERO })
    }

    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}
