//! Turns S3's notifications of new raw objects into `object_received`.

use crate::function::Function;
use crate::queue_service::{EventQueue, TakeEvents};
use anyhow::Context as _;
use async_trait::async_trait;
use aws_lambda_events::event::s3::{S3Event, S3EventRecord};
use mantissa_contracts::Envelope;
use mantissa_contracts::time::{Instant, to_millis};
use mantissa_contracts::topology::OBJECT_CREATED;
use mantissa_ingest::received_object;
use mantissa_ports::{Clock, Outgoing, PortError, Publisher, RawObject};
use serde_json::Value;
use std::sync::Arc;

/// Which parser reads an object is seen from its content.
const SOURCE: &str = "auto";

pub struct AnnounceObjects {
    publisher: Arc<Publisher>,
    clock: Arc<dyn Clock>,
}

impl AnnounceObjects {
    /// Makes the function serve the queue that S3 writes to.
    pub fn serve(function: Function) -> anyhow::Result<Function> {
        let deployment = &function.deployment;
        let events = Self { publisher: deployment.publisher.clone(), clock: deployment.clock.clone() };
        let service = EventQueue { queue: deployment.handed_queue(OBJECT_CREATED)?, events };
        function.serve_queue(OBJECT_CREATED, service)
    }
}

#[async_trait]
impl TakeEvents for AnnounceObjects {
    /// Objects, and when S3 had them.
    type Event = Vec<(RawObject, Instant)>;

    fn read(&self, body: &str) -> anyhow::Result<Self::Event> {
        created_objects(body)
    }

    async fn take(&self, objects: Self::Event) -> Result<(), PortError> {
        let now = self.clock.now();
        let messages = objects.iter().map(|(object, received_at)| {
            Outgoing::new(&Envelope::new("ingest", now, None, received_object(object, SOURCE, *received_at)))
        });
        self.publisher.publish(&messages.collect::<Result<Vec<_>, _>>()?).await
    }
}

/// The objects a notification tells of. One that S3 sends to try the queue tells of none.
fn created_objects(body: &str) -> anyhow::Result<Vec<(RawObject, Instant)>> {
    let notification: Value = serde_json::from_str(body)?;
    if notification.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    let notification: S3Event = serde_json::from_value(notification)?;
    notification.records.into_iter().filter(is_creation).map(object_of).collect()
}

fn is_creation(record: &S3EventRecord) -> bool {
    record.event_name.as_deref().is_some_and(|name| name.trim_start_matches("s3:").starts_with("ObjectCreated"))
}

fn object_of(record: S3EventRecord) -> anyhow::Result<(RawObject, Instant)> {
    let bucket = record.s3.bucket.name.context("a record names no bucket")?;
    let key = record.s3.object.key.context("a record names no key")?;
    let object = RawObject {
        location: format!("s3://{bucket}/{}", decode_key(&key)),
        etag: record.s3.object.e_tag.unwrap_or_default(),
        size_bytes: record.s3.object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
    };
    Ok((object, to_millis(record.event_time)))
}

/// Keys in notifications are encoded as in a form: a space is a plus sign.
fn decode_key(key: &str) -> String {
    let form = format!("{key}=");
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.next().map_or_else(|| key.to_owned(), |(decoded, _)| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTIFICATION: &str = r#"{"Records":[
        {"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2026-01-02T03:04:05.000Z",
         "eventName":"ObjectCreated:Put","userIdentity":{"principalId":"p"},"requestParameters":{"sourceIPAddress":"10.0.0.1"},
         "responseElements":{},"s3":{"s3SchemaVersion":"1.0","configurationId":"c",
           "bucket":{"name":"raw","ownerIdentity":{"principalId":"p"},"arn":"arn:aws:s3:::raw"},
           "object":{"key":"AWSLogs/a+b%2Bc/%C3%BC%3D%26.json.gz","size":7,"eTag":"e1","sequencer":"0"}}},
        {"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2026-01-02T03:04:06.000Z",
         "eventName":"ObjectRemoved:Delete","userIdentity":{"principalId":"p"},"requestParameters":{},"responseElements":{},
         "s3":{"bucket":{"name":"raw"},"object":{"key":"gone"}}}]}"#;

    #[test]
    fn new_objects_are_told_with_their_decoded_keys() {
        let objects = created_objects(NOTIFICATION).unwrap();
        let expected = RawObject {
            location: "s3://raw/AWSLogs/a b+c/ü=&.json.gz".to_owned(),
            etag: "e1".to_owned(),
            size_bytes: 7,
        };
        assert_eq!(objects, [(expected, "2026-01-02T03:04:05Z".parse().unwrap())]);
    }

    #[test]
    fn the_notification_that_tries_the_queue_tells_of_nothing() {
        let body = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-01-02T03:04:05.000Z","Bucket":"raw"}"#;
        assert!(created_objects(body).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_notification_is_an_error() {
        for body in
            ["", "{}", "[]", r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{},"object":{}}}]}"#]
        {
            assert!(created_objects(body).is_err(), "{body}");
        }
    }
}
