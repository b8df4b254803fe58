//! Puts what becomes of alerts and their deliveries on the event bus.

use crate::function::Function;
use crate::queue_service::{EventQueue, TakeEvents};
use async_trait::async_trait;
use mantissa_aws::{BusEvent, EventBus};
use mantissa_contracts::time::Instant;
use mantissa_contracts::topology::LIFECYCLE;
use mantissa_ports::PortError;
use serde::Deserialize;

pub struct AnnounceLifecycle {
    bus: EventBus,
}

/// Of every message's envelope, whatever its version.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    message_type: String,
    time: Instant,
}

impl AnnounceLifecycle {
    /// Makes the function serve the queue that hears the topics.
    pub fn serve(function: Function) -> anyhow::Result<Function> {
        let deployment = function.deployment.clone();
        let events = Self { bus: deployment.event_bus()? };
        function.serve_queue(LIFECYCLE, EventQueue { queue: deployment.handed_queue(LIFECYCLE)?, events })
    }
}

#[async_trait]
impl TakeEvents for AnnounceLifecycle {
    type Event = BusEvent;

    fn read(&self, body: &str) -> anyhow::Result<BusEvent> {
        event_of(body)
    }

    async fn take(&self, event: BusEvent) -> Result<(), PortError> {
        self.bus.put(&event).await
    }
}

fn event_of(body: &str) -> anyhow::Result<BusEvent> {
    let Head { message_type, time } = serde_json::from_str(body)?;
    Ok(BusEvent { message_type, time, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_the_envelope_under_its_type_and_time() {
        let body = r#"{"specversion":"1.0","type":"mantissa.alert_opened.v7","time":"2026-01-02T03:04:05Z","data":{}}"#;
        let event = event_of(body).unwrap();
        assert_eq!((event.message_type.as_str(), event.body.as_str()), ("mantissa.alert_opened.v7", body));
        assert_eq!(event.time, "2026-01-02T03:04:05Z".parse::<Instant>().unwrap());
        for body in ["", "{}", "[]", r#"{"type":"t","time":"yesterday"}"#] {
            assert!(event_of(body).is_err(), "{body}");
        }
    }
}
