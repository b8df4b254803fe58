//! One queue.

use super::dead_letters::DeadLetters;
use super::held_message::HeldMessage;
use super::send_messages::send;
use crate::error::{code_of, port_error};
use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageSystemAttributeName,
    QueueAttributeName,
};
use chrono::TimeDelta;
use mantissa_contracts::topology::QueueSpec;
use mantissa_ports::{
    Clock as _, DeadMessage, Outgoing, PortError, Queue, QueueDepth, Receipt, ReceivedMessage, SystemClock,
};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Of one receive.
const MAX_RECEIVED: usize = 10;
const MAX_ENTRIES: usize = 10;
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How long a message is kept from others while it moves to the DLQ.
const MOVE_TIME: Duration = Duration::from_secs(30);
/// From its receive on, a message can be hidden for twelve hours in all.
const LONGEST_HIDDEN: TimeDelta = TimeDelta::hours(12);
/// What SQS says of a receipt handle that stands for nothing any more.
const STALE_CODES: [&str; 3] =
    ["ReceiptHandleIsInvalid", "AWS.SimpleQueueService.MessageNotInflight", "MessageNotInflight"];

/// A parameter may be wrong for other reasons than a receipt that is stale.
fn is_stale(code: &str, message: Option<&str>) -> bool {
    let of_handle = message.is_some_and(|message| message.replace(' ', "").to_lowercase().contains("receipthandle"));
    STALE_CODES.contains(&code) || (code == "InvalidParameterValue" && of_handle)
}

/// Where a queue and its DLQ are.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    pub queue: String,
    pub dlq: String,
}

pub struct SqsQueue {
    client: Client,
    spec: &'static QueueSpec,
    urls: QueueUrls,
}

impl SqsQueue {
    pub fn new(client: Client, spec: &'static QueueSpec, urls: QueueUrls) -> Self {
        Self { client, spec, urls }
    }

    fn dead_letters(&self) -> DeadLetters<'_> {
        DeadLetters { client: &self.client, spec: self.spec, urls: &self.urls }
    }

    /// Moves a message to the DLQ; `false` where its receipt is stale and it stays where it is.
    pub(super) async fn bury(&self, receipt: &Receipt, reason: &str) -> Result<bool, PortError> {
        let Some(held) = HeldMessage::of(receipt, self.spec.name) else { return Ok(false) };
        // Nobody else may receive it meanwhile. Where SQS takes a receipt that a later receive replaced, which it does not
        // promise to refuse, the message is in the DLQ and in the queue: never lost, seen twice.
        if !hide(&self.client, self.spec.name, &self.urls.queue, &held, MOVE_TIME).await? {
            return Ok(false);
        }
        self.dead_letters().bury(&held, reason).await?;
        delete(&self.client, self.spec.name, &self.urls.queue, &[held.handle]).await?;
        Ok(true)
    }
}

/// Receives once, at most [`MAX_RECEIVED`]. SQS waits in whole seconds.
pub(super) async fn receive_once(
    client: &Client,
    queue: &str,
    url: &str,
    max: usize,
    visibility: Duration,
    wait: Duration,
) -> Result<Vec<HeldMessage>, PortError> {
    let received = client
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(i32::try_from(max.clamp(1, MAX_RECEIVED)).unwrap_or(1))
        .visibility_timeout(whole_seconds(visibility))
        .wait_time_seconds(whole_seconds(wait.min(LONGEST_WAIT)))
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
        .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
        .message_attribute_names("All")
        .send()
        .await
        .map_err(|error| port_error("receive from queue", queue, error))?;
    received.messages.unwrap_or_default().into_iter().map(|message| HeldMessage::new(queue, message)).collect()
}

/// Removes messages by their handles; a handle that is stale does nothing.
pub(super) async fn delete(client: &Client, queue: &str, url: &str, handles: &[String]) -> Result<(), PortError> {
    for handles in handles.chunks(MAX_ENTRIES) {
        let entries = handles
            .iter()
            .enumerate()
            .map(|(i, handle)| {
                DeleteMessageBatchRequestEntry::builder().id(i.to_string()).receipt_handle(handle).build()
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| PortError::permanent("acknowledge in queue", queue, error))?;
        let deleted = client
            .delete_message_batch()
            .queue_url(url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| port_error("acknowledge in queue", queue, error))?;
        if let Some(failed) = deleted.failed().iter().find(|failed| !is_stale(failed.code(), failed.message())) {
            let what = format!("{}: {}", failed.code(), failed.message().unwrap_or_default());
            return Err(PortError::transient("acknowledge in queue", queue, what));
        }
    }
    Ok(())
}

/// Hides a message from now on; `false` where its receipt is stale.
pub(super) async fn hide(
    client: &Client,
    queue: &str,
    url: &str,
    held: &HeldMessage,
    visibility: Duration,
) -> Result<bool, PortError> {
    let left = LONGEST_HIDDEN - (SystemClock.now() - held.received_at) - TimeDelta::seconds(1);
    let visibility = visibility.min(left.to_std().unwrap_or_default());
    let changed = client
        .change_message_visibility()
        .queue_url(url)
        .receipt_handle(&held.handle)
        .visibility_timeout(whole_seconds(visibility))
        .send()
        .await;
    match changed {
        Ok(_) => Ok(true),
        Err(error) if is_stale(code_of(&error).unwrap_or_default(), error.message()) => Ok(false),
        Err(error) => Err(port_error("change visibility in queue", queue, error)),
    }
}

/// Lets received messages be seen by others at once.
pub(super) async fn let_go(client: &Client, queue: &str, url: &str, held: &[HeldMessage]) -> Result<(), PortError> {
    for held in held.chunks(MAX_ENTRIES) {
        let entries = held
            .iter()
            .enumerate()
            .map(|(i, message)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(i.to_string())
                    .receipt_handle(&message.handle)
                    .visibility_timeout(0)
                    .build()
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| PortError::permanent("let go of messages in queue", queue, error))?;
        // One that cannot be let go of is seen again after its timeout.
        client
            .change_message_visibility_batch()
            .queue_url(url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| port_error("let go of messages in queue", queue, error))?;
    }
    Ok(())
}

/// How many messages a queue has: visible, in flight, delayed.
pub(super) async fn count(client: &Client, queue: &str, url: &str) -> Result<[u64; 3], PortError> {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let answer = client
        .get_queue_attributes()
        .queue_url(url)
        .set_attribute_names(Some(names.to_vec()))
        .send()
        .await
        .map_err(|error| port_error("count messages of queue", queue, error))?;
    let attributes = answer.attributes.unwrap_or_default();
    Ok(names.map(|name| attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or(0)))
}

fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}

#[async_trait]
impl Queue for SqsQueue {
    fn name(&self) -> &str {
        self.spec.name
    }

    async fn send(&self, messages: &[Outgoing]) -> Result<(), PortError> {
        send(&self.client, self.spec.name, &self.urls.queue, messages).await
    }

    async fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, PortError> {
        let waits_until = Instant::now() + wait;
        let mut held: Vec<HeldMessage> = Vec::new();
        loop {
            // Only the first receive waits: what is there is handed out at once.
            let wait =
                if held.is_empty() { waits_until.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            let (client, queue, url) = (&self.client, self.spec.name, &self.urls.queue);
            match receive_once(client, queue, url, max - held.len(), visibility, wait).await {
                Ok(more) if more.is_empty() => {
                    if !held.is_empty() || Instant::now() >= waits_until {
                        break;
                    }
                }
                Ok(more) => held.extend(more),
                // What was received is handed out; the next receive tells of the error.
                Err(_) if !held.is_empty() => break,
                Err(error) => return Err(error),
            }
            if held.len() >= max {
                break;
            }
        }
        held.into_iter().map(HeldMessage::into_received).collect()
    }

    async fn ack(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let held = receipts.iter().filter_map(|receipt| HeldMessage::of(receipt, self.spec.name));
        let handles: Vec<String> = held.map(|message| message.handle).collect();
        delete(&self.client, self.spec.name, &self.urls.queue, &handles).await
    }

    async fn change_visibility(&self, receipt: &Receipt, visibility: Duration) -> Result<(), PortError> {
        let Some(held) = HeldMessage::of(receipt, self.spec.name) else { return Ok(()) };
        hide(&self.client, self.spec.name, &self.urls.queue, &held, visibility).await.map(drop)
    }

    async fn dead_letter(&self, receipt: &Receipt, reason: &str) -> Result<(), PortError> {
        self.bury(receipt, reason).await.map(drop)
    }

    async fn depth(&self) -> Result<QueueDepth, PortError> {
        let (queue, dlq) = futures::try_join!(
            count(&self.client, self.spec.name, &self.urls.queue),
            count(&self.client, self.spec.name, &self.urls.dlq)
        )?;
        let [n_visible, n_in_flight, n_delayed] = queue;
        Ok(QueueDepth { n_visible, n_in_flight, n_delayed, n_dead: dlq.iter().sum() })
    }

    async fn dead(&self, limit: usize, after: Option<Uuid>) -> Result<Vec<DeadMessage>, PortError> {
        self.dead_letters().list(limit, after).await
    }

    async fn dead_message(&self, dead_id: Uuid) -> Result<Option<DeadMessage>, PortError> {
        self.dead_letters().get(dead_id).await
    }

    async fn replay(&self, dead_id: Uuid) -> Result<bool, PortError> {
        self.dead_letters().replay(dead_id).await
    }

    async fn discard(&self, dead_id: Uuid) -> Result<bool, PortError> {
        self.dead_letters().discard(dead_id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_parameter_is_a_stale_receipt_only_where_it_is_about_the_receipt() {
        let handle = "Value X for parameter ReceiptHandle is invalid. Reason: Message does not exist.";
        let too_long = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
        assert!(is_stale("InvalidParameterValue", Some(handle)));
        assert!(is_stale("ReceiptHandleIsInvalid", None));
        assert!(!is_stale("InvalidParameterValue", Some(too_long)));
        assert!(!is_stale("InvalidParameterValue", None));
    }
}
