//! Messages that become durable with a change, and are published after it.
//!
//! A commit writes its messages to the outbox in the same transaction. Whoever committed publishes them at once; what it
//! did not come to publish, because it died or the queue was not to be had, [`Outbox::sweep`] publishes later. So each
//! message is published at least once; again when the item could not be deleted after it, as receivers expect of any queue.

use super::item::{Item, Key, Stored, number, sortable, text};
use super::schema::{PK, SK};
use super::table::{Range, Table};
use super::transaction::{Outcome, Transaction};
use aws_sdk_dynamodb::types::AttributeValue;
use mantissa_contracts::topology::target_of;
use mantissa_ports::{Clock, Outgoing, PortError, Publisher};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, warn};

/// Partitions the outbox is spread over, for one takes a thousand writes a second.
const N_SHARDS: u128 = 8;
/// Of bodies in one item; DynamoDB's limit is 400 KB for all of it.
const MAX_ITEM_BYTES: usize = 300 * 1024;
/// Items one sweep publishes of each partition.
const MAX_SWEPT: usize = 1000;
const MESSAGES: &str = "messages";

#[derive(Clone)]
pub struct Outbox {
    pub(super) table: Table,
    publisher: Arc<Publisher>,
    clock: Arc<dyn Clock>,
}

impl Outbox {
    pub(super) fn new(table: Table, publisher: Arc<Publisher>, clock: Arc<dyn Clock>) -> Self {
        Self { table, publisher, clock }
    }

    /// Commits the transaction together with the messages, and publishes them. One that the topology does not know is an
    /// error before anything is written. A failure to publish is not the commit's: the sweep publishes later.
    pub(super) async fn commit(
        &self,
        mut transaction: Transaction,
        outgoing: &[Outgoing],
    ) -> Result<Outcome, PortError> {
        let keys = self.add(&mut transaction, outgoing)?;
        let outcome = transaction.commit().await?;
        if outcome == Outcome::Committed
            && let Err(error) = self.publish_and_delete(outgoing, &keys).await
        {
            warn!("{} messages wait in the outbox: {error}", outgoing.len());
        }
        Ok(outcome)
    }

    /// Adds the messages to the transaction; the keys of their items.
    fn add(&self, transaction: &mut Transaction, outgoing: &[Outgoing]) -> Result<Vec<Key>, PortError> {
        if let Some(unknown) = outgoing.iter().find(|message| target_of(&message.message_name).is_none()) {
            let what = "the topology does not say where it goes";
            return Err(PortError::permanent("publish", &unknown.message_name, what));
        }
        let Some(first) = outgoing.first() else { return Ok(Vec::new()) };
        let partition = format!("OUTBOX#{}", first.id.as_u128() % N_SHARDS);
        // The same messages may be committed twice, by two changes, in one millisecond.
        let committed = format!("{}#{:016x}", sortable(self.clock.now()), rand::random::<u64>());
        let mut keys = Vec::new();
        for (number, messages) in by_size(outgoing).into_iter().enumerate() {
            let key = Key::new(&partition, format!("{committed}#{number:03}"));
            let mut item = key.attributes();
            item.insert(MESSAGES.to_owned(), AttributeValue::L(messages.iter().map(keep).collect()));
            transaction.put(&self.table, item, None)?;
            keys.push(key);
        }
        Ok(keys)
    }

    /// Publishes what was committed longer than `age` ago and is still there; how many messages. One item that cannot be
    /// published holds up none of the others; it is the error, after them.
    pub async fn sweep(&self, age: Duration) -> Result<u64, PortError> {
        let before = self.clock.now() - age;
        let (mut n_published, mut failure) = (0, None);
        for shard in 0..N_SHARDS {
            let range = Range::partition(format!("OUTBOX#{shard}"))
                .when("#sk < :before", vec![(":before", text(sortable(before)))]);
            for item in self.table.query(&range, MAX_SWEPT).await? {
                match self.sweep_one(&item).await {
                    Ok(n_messages) => n_published += n_messages,
                    Err(error) => {
                        error!("messages wait in the outbox: {error}");
                        failure = Some(error);
                    }
                }
            }
        }
        failure.map_or(Ok(n_published), Err)
    }

    async fn sweep_one(&self, item: &Item) -> Result<u64, PortError> {
        let (key, messages) = self.read(item)?;
        self.publish_and_delete(&messages, &[key]).await?;
        Ok(messages.len() as u64)
    }

    async fn publish_and_delete(&self, messages: &[Outgoing], keys: &[Key]) -> Result<(), PortError> {
        self.publisher.publish(messages).await?;
        for key in keys {
            self.table.delete(key).await?;
        }
        Ok(())
    }

    fn read(&self, item: &Item) -> Result<(Key, Vec<Outgoing>), PortError> {
        let stored = Stored { table: self.table.name, item };
        let key = Key::new(stored.text(PK)?, stored.text(SK)?);
        let kept = item.get(MESSAGES).and_then(|value| value.as_l().ok()).map_or(&[][..], Vec::as_slice);
        let messages = kept.iter().map(restore).collect::<Option<_>>();
        let bad =
            || PortError::permanent("read messages of the outbox", format!("{} / {}", key.pk, key.sk), "bad item");
        messages.ok_or_else(bad).map(|messages| (key, messages))
    }
}

fn by_size(outgoing: &[Outgoing]) -> Vec<&[Outgoing]> {
    let mut n_bytes = 0;
    let mut from = 0;
    let mut groups = Vec::new();
    for (i, message) in outgoing.iter().enumerate() {
        n_bytes += message.body.len();
        if n_bytes > MAX_ITEM_BYTES && i > from {
            groups.push(&outgoing[from..i]);
            (from, n_bytes) = (i, message.body.len());
        }
    }
    groups.push(&outgoing[from..]);
    groups
}

/// Bodies stay text of their own: as a string within JSON one could outgrow its item.
fn keep(message: &Outgoing) -> AttributeValue {
    let attributes = message.attributes.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    AttributeValue::M(HashMap::from([
        ("message_name".to_owned(), text(&message.message_name)),
        ("id".to_owned(), text(message.id)),
        ("body".to_owned(), text(&message.body)),
        ("attributes".to_owned(), AttributeValue::M(attributes)),
        ("delay_ms".to_owned(), number(message.delay.as_millis())),
    ]))
}

fn restore(kept: &AttributeValue) -> Option<Outgoing> {
    let kept = kept.as_m().ok()?;
    let text_of = |name: &str| kept.get(name).and_then(|value| value.as_s().ok());
    let attributes = kept.get("attributes")?.as_m().ok()?;
    Some(Outgoing {
        message_name: text_of("message_name")?.clone(),
        id: text_of("id")?.parse().ok()?,
        body: text_of("body")?.clone(),
        attributes: attributes
            .iter()
            .map(|(name, value)| Some((name.clone(), value.as_s().ok()?.clone())))
            .collect::<Option<_>>()?,
        delay: Duration::from_millis(kept.get("delay_ms")?.as_n().ok()?.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_they_were_kept() {
        let message = Outgoing {
            message_name: "rule_matched".to_owned(),
            id: mantissa_contracts::ids::derive("sample", &["a"]),
            body: "{\"a\":\"\\\\ \u{7}\"}".to_owned(),
            attributes: [("type".to_owned(), "t".to_owned())].into(),
            delay: Duration::from_millis(1500),
        };
        assert_eq!(restore(&keep(&message)), Some(message));
        assert_eq!(restore(&text("nonsense")), None);
    }
}
