//! `mantissa dlq replay`: dead messages go back to their queue, if today's code can read them.

use super::Invocation;
use super::dlq::{all_dead, find, queues};
use crate::exit::{FOUND_PROBLEMS, bad_input};
use crate::installation::Installation;
use crate::output::{self, Format};
use mantissa_contracts::envelope::RawEnvelope;
use mantissa_contracts::ids::DeliveryId;
use mantissa_contracts::messages::{
    AlertClosed, AlertOpened, AlertUpdated, DeliveryState, NotificationRequested, ObjectReceived, QueryCompleted,
    QueryRequested, QueryStarted, RuleFailed, RuleMatched,
};
use mantissa_contracts::topology::find_queue;
use mantissa_contracts::{Envelope, Message};
use mantissa_ports::{DeadMessage, Queue};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

pub(super) async fn replay(
    invocation: &Invocation,
    installation: &Installation,
    dead: Option<&str>,
    queue: Option<&str>,
    dry_run: bool,
) -> anyhow::Result<ExitCode> {
    let mut chosen: Vec<(Arc<dyn Queue>, DeadMessage)> = Vec::new();
    match (dead, queue) {
        (Some(dead), _) => chosen.push(find(installation, dead).await?),
        (None, Some(name)) => {
            for queue in queues(installation, Some(name))? {
                let dead = all_dead(queue.as_ref()).await?;
                chosen.extend(dead.into_iter().map(|message| (queue.clone(), message)));
            }
        }
        (None, None) => return Err(bad_input("say which: a message's id, or --queue NAME")),
    }
    let mut outcomes = Vec::new();
    let mut all_good = true;
    for (queue, message) in chosen {
        let outcome = match (readable(&message), dry_run) {
            (Err(reason), _) => {
                all_good = false;
                format!("skipped: {reason}")
            }
            (Ok(()), true) => match dead_delivery(installation, &message).await? {
                Some(delivery) => format!("would be replayed, and delivery {delivery} tried anew"),
                None => "would be replayed".to_owned(),
            },
            (Ok(()), false) => replay_one(installation, queue.as_ref(), &message).await?,
        };
        outcomes.push(BTreeMap::from([
            ("dead_id", message.dead_id.to_string()),
            ("queue", message.queue),
            ("outcome", outcome),
        ]));
    }
    match invocation.format {
        Format::Json => output::json(&outcomes)?,
        Format::Table => output::table(
            &["id", "queue", "outcome"],
            outcomes.iter().map(|outcome| outcome.values().cloned().collect::<Vec<_>>()).map(|mut row| {
                row.swap(1, 2);
                row
            }),
        ),
    }
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::from(FOUND_PROBLEMS) })
}

/// The delivery is reopened first: the message is still in the DLQ should this end in between.
async fn replay_one(installation: &Installation, queue: &dyn Queue, message: &DeadMessage) -> anyhow::Result<String> {
    let reopened = match dead_delivery(installation, message).await? {
        Some(delivery) => {
            installation.deliveries.reopen(&delivery, installation.clock.now()).await?.then_some(delivery)
        }
        None => None,
    };
    Ok(match (queue.replay(message.dead_id).await?, reopened) {
        (true, Some(delivery)) => format!("replayed, and delivery {delivery} is tried anew"),
        (true, None) => "replayed".to_owned(),
        (false, _) => "gone: someone replayed or discarded it meanwhile".to_owned(),
    })
}

/// The delivery that the message asks for, if it was given up: replaying alone would end in the DLQ again.
async fn dead_delivery(installation: &Installation, message: &DeadMessage) -> anyhow::Result<Option<DeliveryId>> {
    let Ok(envelope) = Envelope::<NotificationRequested>::decode(&message.body) else { return Ok(None) };
    let delivery = mantissa_notifiers::delivery_key(&envelope.data).delivery_id();
    let record = installation.deliveries.get(&delivery).await?;
    Ok(record.filter(|record| record.state == DeliveryState::Dead).map(|record| record.delivery_id))
}

/// Whether today's code can read the message, and if not, why.
pub(super) fn readable(message: &DeadMessage) -> Result<(), String> {
    let envelope = RawEnvelope::decode(&message.body).map_err(|e| e.to_string())?;
    let (name, _) = envelope.name_and_version().map_err(|e| e.to_string())?;
    match find_queue(&message.queue) {
        Some(spec) if spec.messages.contains(&name) => decode_as(name, &message.body),
        _ => Err(format!("queue `{}` does not take `{name}`", message.queue)),
    }
}

/// Reads the message as its handler will.
fn decode_as(name: &str, body: &str) -> Result<(), String> {
    fn decode<M: Message>(body: &str) -> Result<(), String> {
        Envelope::<M>::decode(body).map(drop).map_err(|e| e.to_string())
    }
    macro_rules! decode_one_of {
        ($($message:ty),+ $(,)?) => {
            match name {
                $(<$message>::NAME => decode::<$message>(body),)+
                _ => Err(format!("no handler reads `{name}`")),
            }
        };
    }
    decode_one_of!(
        ObjectReceived,
        QueryRequested,
        QueryStarted,
        RuleMatched,
        RuleFailed,
        QueryCompleted,
        AlertOpened,
        AlertUpdated,
        AlertClosed,
        NotificationRequested,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantissa_contracts::topology::QUEUES;

    #[test]
    fn every_message_that_a_queue_takes_can_be_judged() {
        for name in QUEUES.iter().flat_map(|spec| spec.messages) {
            let error = decode_as(name, "{}").unwrap_err();
            assert!(!error.contains("no handler"), "{name}: {error}");
        }
    }
}
