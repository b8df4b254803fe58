//! What a DLQ holds: looked through, replayed, discarded.
//!
//! SQS hands out messages, it does not list them. Looking receives them all under a short visibility and lets them go
//! again; whoever wants one in particular looks until it is found, or until nobody else holds any.

use super::held_message::HeldMessage;
use super::queue::{QueueUrls, count, delete, hide, let_go, receive_once};
use super::send_messages::{send, text};
use crate::error::port_error;
use crate::wire_text;
use aws_sdk_sqs::Client;
use chrono::DateTime;
use mantissa_contracts::ids::derive;
use mantissa_contracts::topology::QueueSpec;
use mantissa_ports::{DeadMessage, Outgoing, PortError};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use uuid::{Builder, Uuid};

/// The attribute with what is known of a message that did not get here by SQS's own redrive.
const DEATH: &str = "mantissa_death";
/// How long one look hides what it sees.
const LOOK: Duration = Duration::from_secs(10);
/// How long a message is kept from others that is about to be replayed or discarded.
const KEEP: Duration = Duration::from_secs(120);
/// Long enough for another's look to end.
const LOOK_AGAIN_FOR: Duration = Duration::from_secs(15);
const LOOK_AGAIN_EVERY: Duration = Duration::from_millis(250);
/// A long poll asks every server of SQS; a short one may miss a message that is there.
const LONG_POLL: Duration = Duration::from_secs(1);
/// Messages one look goes through. A DLQ with more needs a cause removed, not a page.
const MAX_LOOKED_AT: usize = 10_000;

#[derive(Serialize, Deserialize)]
struct Death {
    reason: String,
    receive_count: u32,
    sent_at_ms: i64,
}

pub(super) struct DeadLetters<'a> {
    pub(super) client: &'a Client,
    pub(super) spec: &'static QueueSpec,
    pub(super) urls: &'a QueueUrls,
}

impl DeadLetters<'_> {
    /// Sends the message to the DLQ with what it died of.
    pub(super) async fn bury(&self, held: &HeldMessage, reason: &str) -> Result<(), PortError> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            PortError::permanent("move to the DLQ of queue", self.spec.name, error)
        };
        let death = Death {
            reason: reason.to_owned(),
            receive_count: held.receive_count,
            sent_at_ms: held.sent_at.timestamp_millis(),
        };
        // A reason may hold what XML forbids; in Base64 none is refused.
        let death = serde_json::to_string(&death).map_err(|error| failed(error.into()))?;
        let (body, encoded) = wire_text::encode(&held.body);
        let mut request = self.client.send_message().queue_url(&self.urls.dlq).message_body(body);
        for (name, value) in wire_text::attributes(&held.attributes, encoded) {
            request = request.message_attributes(name, text(value).map_err(|error| failed(error.into()))?);
        }
        let death = wire_text::to_base64(&death);
        request = request.message_attributes(DEATH, text(&death).map_err(|error| failed(error.into()))?);
        request.send().await.map_err(|error| port_error("move to the DLQ of queue", self.spec.name, error))?;
        Ok(())
    }

    pub(super) async fn list(&self, limit: usize, after: Option<Uuid>) -> Result<Vec<DeadMessage>, PortError> {
        let held = self.look(None).await?.others;
        self.let_go(&held).await?;
        let mut dead: Vec<DeadMessage> = held.into_iter().map(|held| self.dead_message(held)).collect();
        dead.retain(|dead| after.is_none_or(|after| dead.dead_id > after));
        dead.sort_by_key(|dead| dead.dead_id);
        dead.dedup_by_key(|dead| dead.dead_id);
        dead.truncate(limit);
        Ok(dead)
    }

    pub(super) async fn get(&self, dead_id: Uuid) -> Result<Option<DeadMessage>, PortError> {
        let Some(held) = self.find(dead_id).await? else { return Ok(None) };
        self.let_go(std::slice::from_ref(&held)).await?;
        Ok(Some(self.dead_message(held)))
    }

    pub(super) async fn replay(&self, dead_id: Uuid) -> Result<bool, PortError> {
        let Some(held) = self.find(dead_id).await? else { return Ok(false) };
        let handle = held.handle.clone();
        let DeadMessage { body, attributes, .. } = self.dead_message(held);
        let message = Outgoing { message_name: String::new(), id: dead_id, body, attributes, delay: Duration::ZERO };
        // Should this die between the two, the message is in both: receivers see duplicates, never loss.
        send(self.client, self.spec.name, &self.urls.queue, &[message]).await?;
        delete(self.client, self.spec.name, &self.urls.dlq, &[handle]).await?;
        Ok(true)
    }

    pub(super) async fn discard(&self, dead_id: Uuid) -> Result<bool, PortError> {
        let Some(held) = self.find(dead_id).await? else { return Ok(false) };
        delete(self.client, self.spec.name, &self.urls.dlq, &[held.handle]).await?;
        Ok(true)
    }

    /// Receives the one message and keeps it. An error, not `None`, where the DLQ is too deep to say that it is not there.
    async fn find(&self, dead_id: Uuid) -> Result<Option<HeldMessage>, PortError> {
        let began = Instant::now();
        loop {
            let seen = self.look(Some(dead_id)).await?;
            // Letting a thousand others go takes longer than a look: meanwhile nobody else may receive this one.
            let wanted = match seen.wanted {
                Some(wanted) => self.keep(&wanted).await?.then_some(wanted),
                None => None,
            };
            self.let_go(&seen.others).await?;
            if wanted.is_some() {
                return Ok(wanted);
            }
            if seen.is_cut_short || began.elapsed() > LOOK_AGAIN_FOR {
                let what = format!("its DLQ was looked through for {:?} and has more", began.elapsed());
                return Err(PortError::transient("find dead message of queue", self.spec.name, what));
            }
            let [_, n_held_by_others, _] = count(self.client, self.spec.name, &self.urls.dlq).await?;
            if n_held_by_others == 0 {
                return Ok(None);
            }
            tokio::time::sleep(LOOK_AGAIN_EVERY).await;
        }
    }

    async fn look(&self, wanted: Option<Uuid>) -> Result<Seen, PortError> {
        let mut seen = Seen::default();
        let began = Instant::now();
        loop {
            if seen.others.len() >= MAX_LOOKED_AT || began.elapsed() >= LOOK {
                seen.is_cut_short = true;
                break;
            }
            let received =
                receive_once(self.client, self.spec.name, &self.urls.dlq, usize::MAX, LOOK, LONG_POLL).await?;
            if received.is_empty() {
                break;
            }
            for held in received {
                match Some(dead_id(&held)) == wanted {
                    true => seen.wanted = Some(held),
                    false => seen.others.push(held),
                }
            }
            if seen.wanted.is_some() {
                break;
            }
        }
        Ok(seen)
    }

    /// `false` where somebody else has received it since.
    async fn keep(&self, held: &HeldMessage) -> Result<bool, PortError> {
        hide(self.client, self.spec.name, &self.urls.dlq, held, KEEP).await
    }

    async fn let_go(&self, held: &[HeldMessage]) -> Result<(), PortError> {
        let_go(self.client, self.spec.name, &self.urls.dlq, held).await
    }

    fn dead_message(&self, mut held: HeldMessage) -> DeadMessage {
        let dead_id = dead_id(&held);
        let death = held.attributes.remove(DEATH).and_then(|text| wire_text::from_base64(&text));
        let death = death.and_then(|text| serde_json::from_str(&text).ok());
        // SQS moved it, and keeps the time it was first sent.
        let by_redrive = || Death {
            reason: format!("it was received {} times and never acknowledged", self.spec.max_receive_count),
            receive_count: self.spec.max_receive_count,
            sent_at_ms: held.sent_at.timestamp_millis(),
        };
        let Death { reason, receive_count, sent_at_ms } = death.unwrap_or_else(by_redrive);
        DeadMessage {
            dead_id,
            queue: self.spec.name.to_owned(),
            body: held.body,
            attributes: held.attributes,
            reason,
            receive_count,
            sent_at: DateTime::from_timestamp_millis(sent_at_ms).unwrap_or(held.sent_at),
            died_at: held.sent_at,
        }
    }
}

#[derive(Default)]
struct Seen {
    wanted: Option<HeldMessage>,
    others: Vec<HeldMessage>,
    /// There was more to look at.
    is_cut_short: bool,
}

/// Sorts by the time SQS first had the message, and is the same at each look.
fn dead_id(held: &HeldMessage) -> Uuid {
    let millis = u64::try_from(held.sent_at.timestamp_millis()).unwrap_or_default();
    let rest = derive("DeadMessage", &[&held.message_id]);
    let mut random = [0; 10];
    random.copy_from_slice(&rest.as_bytes()[6..]);
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn held(message_id: &str, sent_at_ms: i64) -> HeldMessage {
        HeldMessage {
            queue: "q".to_owned(),
            handle: "h".to_owned(),
            message_id: message_id.to_owned(),
            body: String::new(),
            attributes: BTreeMap::new(),
            receive_count: 1,
            sent_at: DateTime::from_timestamp_millis(sent_at_ms).unwrap(),
            received_at: DateTime::from_timestamp_millis(sent_at_ms).unwrap(),
        }
    }

    #[test]
    fn ids_sort_by_time_and_follow_the_message_not_the_receive() {
        let old = dead_id(&held("b", 1_700_000_000_000));
        assert_eq!(
            old,
            dead_id(&HeldMessage { handle: "another".to_owned(), receive_count: 7, ..held("b", 1_700_000_000_000) })
        );
        assert!(old < dead_id(&held("a", 1_700_000_000_001)));
        assert_ne!(old, dead_id(&held("a", 1_700_000_000_000)));
    }
}
