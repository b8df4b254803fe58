//! An event bus of EventBridge: what happens here, for whoever writes a rule that matches it.

use crate::batches::{Refused, check_refused};
use crate::error::port_error;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use mantissa_contracts::time::Instant;
use mantissa_ports::PortError;

const PUT: &str = "put on event bus";
/// As rules name us.
const SOURCE: &str = "mantissa";

/// One message, as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusEvent {
    /// `mantissa.alert_opened.v1`: the event's `detail-type`.
    pub message_type: String,
    pub time: Instant,
    /// The whole envelope: the event's `detail`.
    pub body: String,
}

pub struct EventBus {
    client: Client,
    name: String,
}

impl EventBus {
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// `Ok` means that the bus has it. The same event put twice comes twice, with the same `detail.id`.
    pub async fn put(&self, event: &BusEvent) -> Result<(), PortError> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(&event.message_type)
            .time(DateTime::from_millis(event.time.timestamp_millis()))
            .detail(&event.body)
            .build();
        let put = self.client.put_events().entries(entry).send().await;
        let put = put.map_err(|error| port_error(PUT, &self.name, error))?;
        let refused = put.entries().iter().filter_map(|entry| {
            // Every other code is of the service: throttled, unavailable, a key that cannot be used for now.
            let sender_fault =
                |code: &str| matches!(code, "MalformedDetail" | "InvalidArgument" | "AccessDeniedException");
            entry.error_code().map(|code| Refused {
                sender_fault: sender_fault(code),
                code,
                message: entry.error_message(),
            })
        });
        check_refused(PUT, &self.name, refused)
    }
}
