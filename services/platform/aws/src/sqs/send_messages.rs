//! Sending to one SQS queue.

use crate::batches::{Refused, batches, check_refused};
use crate::error::port_error;
use crate::wire_text;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use mantissa_ports::{Outgoing, PortError};
use std::time::Duration;

const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);
const SEND: &str = "send to queue";

pub(super) async fn send(client: &Client, name: &str, url: &str, messages: &[Outgoing]) -> Result<(), PortError> {
    for batch in batches(messages) {
        let entries = batch.iter().enumerate().map(|(i, message)| entry(name, i, message)).collect::<Result<_, _>>()?;
        let sent = client
            .send_message_batch()
            .queue_url(url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| port_error(SEND, name, error))?;
        let refused = sent.failed().iter().map(|entry| Refused {
            sender_fault: entry.sender_fault(),
            code: entry.code(),
            message: entry.message(),
        });
        check_refused(SEND, name, refused)?;
    }
    Ok(())
}

fn entry(name: &str, number: usize, message: &Outgoing) -> Result<SendMessageBatchRequestEntry, PortError> {
    if message.delay > LONGEST_DELAY {
        let what = format!("a delay of {:?} is longer than SQS's {LONGEST_DELAY:?}", message.delay);
        return Err(PortError::permanent(SEND, name, what));
    }
    let malformed = |error: BuildError| PortError::permanent(SEND, name, error);
    let (body, encoded) = wire_text::encode(&message.body);
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(number.to_string())
        .message_body(body)
        .delay_seconds(i32::try_from(message.delay.as_millis().div_ceil(1000)).unwrap_or(i32::MAX));
    for (attribute, value) in wire_text::attributes(&message.attributes, encoded) {
        entry = entry.message_attributes(attribute, text(value).map_err(malformed)?);
    }
    entry.build().map_err(malformed)
}

pub(super) fn text(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}
