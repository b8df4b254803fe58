//! A received message, and the receipt that stands for it.
//!
//! A receipt holds the whole message: moving it to the DLQ takes its body, and a Lambda function that does so has received
//! the message from its event source, not from us.

use crate::wire_text;
use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use chrono::DateTime;
use mantissa_contracts::time::Instant;
use mantissa_ports::{Clock as _, PortError, Receipt, ReceivedMessage, SystemClock};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct HeldMessage {
    pub(crate) queue: String,
    pub(crate) handle: String,
    /// Stays the same while the message is in one queue.
    pub(crate) message_id: String,
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) receive_count: u32,
    pub(crate) sent_at: Instant,
    pub(crate) received_at: Instant,
}

impl HeldMessage {
    pub(crate) fn new(queue: &str, message: Message) -> Result<Self, PortError> {
        let incomplete = |what: &'static str| {
            PortError::permanent("receive from queue", queue, format!("the service sent a message without {what}"))
        };
        let system = |name: MessageSystemAttributeName| {
            message.attributes().and_then(|attributes| attributes.get(&name)).and_then(|text| text.parse::<i64>().ok())
        };
        let receive_count = system(MessageSystemAttributeName::ApproximateReceiveCount)
            .and_then(|count| u32::try_from(count).ok())
            .ok_or_else(|| incomplete("its receive count"))?;
        let sent_at = system(MessageSystemAttributeName::SentTimestamp)
            .and_then(DateTime::from_timestamp_millis)
            .ok_or_else(|| incomplete("the time it was sent"))?;
        let mut attributes = texts(message.message_attributes.unwrap_or_default());
        let encoding = attributes.remove(wire_text::ENCODING);
        Ok(Self {
            queue: queue.to_owned(),
            handle: message.receipt_handle.ok_or_else(|| incomplete("its receipt handle"))?,
            message_id: message.message_id.ok_or_else(|| incomplete("its id"))?,
            body: wire_text::decode(message.body.unwrap_or_default(), encoding.as_deref()),
            attributes,
            receive_count,
            sent_at,
            received_at: SystemClock.now(),
        })
    }

    /// `None` where the receipt is not one of this queue.
    pub(crate) fn of(receipt: &Receipt, queue: &str) -> Option<Self> {
        serde_json::from_str(&receipt.0).ok().filter(|held: &Self| held.queue == queue)
    }

    pub(crate) fn into_received(self) -> Result<ReceivedMessage, PortError> {
        let receipt = serde_json::to_string(&self)
            .map_err(|error| PortError::permanent("receive from queue", &self.queue, error))?;
        Ok(ReceivedMessage {
            receipt: Receipt(receipt),
            body: self.body,
            attributes: self.attributes,
            receive_count: self.receive_count,
            sent_at: self.sent_at,
        })
    }
}

/// Attributes of other types than text are of other senders; nothing of ours reads them.
fn texts(attributes: HashMap<String, MessageAttributeValue>) -> BTreeMap<String, String> {
    attributes.into_iter().filter_map(|(name, value)| value.string_value.map(|text| (name, text))).collect()
}
