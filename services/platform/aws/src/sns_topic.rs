//! The Topic port on SNS.

use crate::batches::{Refused, batches, check_refused};
use crate::error::port_error;
use crate::wire_text;
use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use mantissa_contracts::topology::TopicSpec;
use mantissa_ports::{Outgoing, PortError, Topic};

const PUBLISH: &str = "publish to topic";

/// A topic whose subscriptions, made with the topic itself, deliver raw: subscribers get the body we publish.
pub struct SnsTopic {
    client: Client,
    spec: &'static TopicSpec,
    arn: String,
}

impl SnsTopic {
    pub fn new(client: Client, spec: &'static TopicSpec, arn: impl Into<String>) -> Self {
        Self { client, spec, arn: arn.into() }
    }

    fn entry(&self, number: usize, message: &Outgoing) -> Result<PublishBatchRequestEntry, PortError> {
        let malformed = |error: BuildError| PortError::permanent(PUBLISH, self.spec.name, error);
        let text = |value: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(value).build().map_err(malformed)
        };
        let (body, encoded) = wire_text::encode(&message.body);
        let mut entry = PublishBatchRequestEntry::builder().id(number.to_string()).message(body);
        for (name, value) in wire_text::attributes(&message.attributes, encoded) {
            entry = entry.message_attributes(name, text(value)?);
        }
        entry.build().map_err(malformed)
    }
}

#[async_trait]
impl Topic for SnsTopic {
    fn name(&self) -> &str {
        self.spec.name
    }

    async fn publish(&self, messages: &[Outgoing]) -> Result<(), PortError> {
        for batch in batches(messages) {
            let entries =
                batch.iter().enumerate().map(|(i, message)| self.entry(i, message)).collect::<Result<_, _>>()?;
            let published = self
                .client
                .publish_batch()
                .topic_arn(&self.arn)
                .set_publish_batch_request_entries(Some(entries))
                .send()
                .await
                .map_err(|error| port_error(PUBLISH, self.spec.name, error))?;
            let refused = published.failed().iter().map(|entry| Refused {
                sender_fault: entry.sender_fault(),
                code: entry.code(),
                message: entry.message(),
            });
            check_refused(PUBLISH, self.spec.name, refused)?;
        }
        Ok(())
    }
}
