//! The Queue port on SQLite.

use super::database::SqliteDb;
use super::documents::{Millis, to_limit, to_u64};
use super::enqueue_messages::insert;
use super::error::SqliteError;
use super::receive_messages::{bury, bury_exhausted, has_exhausted, has_visible, receive};
use super::write_in_groups::WriteTx;
use async_trait::async_trait;
use mantissa_contracts::topology::QueueSpec;
use mantissa_ports::{DeadMessage, Outgoing, PortError, Queue, QueueDepth, Receipt, ReceivedMessage};
use rusqlite::{OptionalExtension, Row, params};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant as Timer;
use uuid::Uuid;

/// Messages sent by other processes, and delays that pass, wake nobody: waiting receivers look again this often.
const POLL: Duration = Duration::from_millis(200);

const DEAD_COLUMNS: &str = "dead_id, queue, body, attributes, reason, receive_count, sent_at, died_at";

pub struct SqliteQueue {
    db: Arc<SqliteDb>,
    spec: &'static QueueSpec,
}

impl SqliteQueue {
    pub fn new(db: Arc<SqliteDb>, spec: &'static QueueSpec) -> Self {
        Self { db, spec }
    }

    async fn take(&self, max: usize, visibility: Duration) -> Result<Vec<ReceivedMessage>, PortError> {
        let spec = self.spec;
        self.db.write("receive from queue", spec.name, move |tx| receive(tx, spec, max, visibility)).await
    }

    async fn has_visible(&self) -> Result<bool, PortError> {
        let (spec, now) = (self.spec, self.db.clock().now());
        self.db.read("look into queue", spec.name, move |conn| has_visible(conn, spec, now)).await
    }

    /// A message that used up its receives is dead from the moment it becomes visible, also when nobody receives.
    async fn settle_dead(&self) -> Result<(), PortError> {
        let (spec, now) = (self.spec, self.db.clock().now());
        let any = self.db.read("look into queue", spec.name, move |conn| has_exhausted(conn, spec, now)).await?;
        if any {
            self.db.write("settle dlq of queue", spec.name, move |tx| bury_exhausted(tx, spec)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Queue for SqliteQueue {
    fn name(&self) -> &str {
        self.spec.name
    }

    async fn send(&self, messages: &[Outgoing]) -> Result<(), PortError> {
        let (queue, messages) = (self.spec.name, messages.to_vec());
        let send = move |tx: &WriteTx<'_>| messages.iter().try_for_each(|message| insert(tx, queue, message));
        self.db.write("send to queue", queue, send).await
    }

    async fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, PortError> {
        let give_up_at = Timer::now() + wait;
        let arrivals = self.db.arrivals_on(self.spec.name);
        let mut look = true;
        loop {
            // Listening starts before looking, so a message that arrives in between is not slept through.
            let arrived = arrivals.notified();
            let messages = if look { self.take(max, visibility).await? } else { Vec::new() };
            let left = give_up_at.saturating_duration_since(Timer::now());
            if !messages.is_empty() || left.is_zero() {
                return Ok(messages);
            }
            let woken = tokio::time::timeout(left.min(POLL), arrived).await.is_ok();
            look = woken || self.has_visible().await?;
        }
    }

    async fn ack(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let queue = self.spec.name;
        let receipts: Vec<(i64, u32)> = receipts.iter().filter_map(parse_receipt).collect();
        if receipts.is_empty() {
            return Ok(());
        }
        let ack = move |tx: &WriteTx<'_>| {
            let mut delete =
                tx.conn.prepare_cached("DELETE FROM messages WHERE id = ?1 AND receive_count = ?2 AND queue = ?3")?;
            for (id, receive_count) in receipts {
                delete.execute(params![id, receive_count, queue])?;
            }
            Ok(())
        };
        self.db.write("acknowledge on queue", queue, ack).await
    }

    async fn change_visibility(&self, receipt: &Receipt, visibility: Duration) -> Result<(), PortError> {
        let queue = self.spec.name;
        let Some((id, receive_count)) = parse_receipt(receipt) else { return Ok(()) };
        let change = move |tx: &WriteTx<'_>| {
            let mut update = tx.conn.prepare_cached(
                "UPDATE messages SET visible_at = ?4, in_hand = 0 WHERE id = ?1 AND receive_count = ?2 AND queue = ?3",
            )?;
            update.execute(params![id, receive_count, queue, Millis(tx.now + visibility)])?;
            if visibility.is_zero() {
                tx.wake(queue);
            }
            Ok(())
        };
        self.db.write("change visibility on queue", queue, change).await
    }

    async fn dead_letter(&self, receipt: &Receipt, reason: &str) -> Result<(), PortError> {
        let (queue, reason) = (self.spec.name, reason.to_owned());
        let Some((id, receive_count)) = parse_receipt(receipt) else { return Ok(()) };
        let dead_letter = move |tx: &WriteTx<'_>| {
            let mut held = tx.conn.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM messages WHERE id = ?1 AND receive_count = ?2 AND queue = ?3)",
            )?;
            if held.query_row(params![id, receive_count, queue], |row| row.get(0))? {
                bury(tx, id, &reason)?;
            }
            Ok(())
        };
        self.db.write("dead-letter on queue", queue, dead_letter).await
    }

    async fn depth(&self) -> Result<QueueDepth, PortError> {
        self.settle_dead().await?;
        let (queue, now) = (self.spec.name, self.db.clock().now());
        let depth = move |conn: &rusqlite::Connection| {
            let mut count = conn.prepare_cached(
                "SELECT count(*) FILTER (WHERE visible_at <= ?2),
                        count(*) FILTER (WHERE visible_at > ?2 AND receive_count > 0),
                        count(*) FILTER (WHERE visible_at > ?2 AND receive_count = 0),
                        (SELECT count(*) FROM dead_messages WHERE queue = ?1)
                 FROM messages WHERE queue = ?1",
            )?;
            let depth = count.query_row(params![queue, Millis(now)], |row| {
                Ok(QueueDepth {
                    n_visible: to_u64(row.get(0)?),
                    n_in_flight: to_u64(row.get(1)?),
                    n_delayed: to_u64(row.get(2)?),
                    n_dead: to_u64(row.get(3)?),
                })
            });
            Ok(depth?)
        };
        self.db.read("measure queue", queue, depth).await
    }

    async fn dead(&self, limit: usize, after: Option<Uuid>) -> Result<Vec<DeadMessage>, PortError> {
        self.settle_dead().await?;
        let queue = self.spec.name;
        // Ids sort by time of death; the empty text sorts before all of them.
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let list = move |conn: &rusqlite::Connection| {
            let mut select = conn.prepare_cached(&format!(
                "SELECT {DEAD_COLUMNS} FROM dead_messages WHERE queue = ?1 AND dead_id > ?2 ORDER BY dead_id LIMIT ?3"
            ))?;
            let rows = select.query_map(params![queue, after, to_limit(limit)], read_dead)?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.db.read("list dlq of queue", queue, list).await
    }

    async fn dead_message(&self, dead_id: Uuid) -> Result<Option<DeadMessage>, PortError> {
        self.settle_dead().await?;
        let queue = self.spec.name;
        let get = move |conn: &rusqlite::Connection| {
            let mut select = conn.prepare_cached(&format!(
                "SELECT {DEAD_COLUMNS} FROM dead_messages WHERE queue = ?1 AND dead_id = ?2"
            ))?;
            Ok(select.query_row(params![queue, dead_id.to_string()], read_dead).optional()?)
        };
        self.db.read("read dlq of queue", queue, get).await
    }

    async fn replay(&self, dead_id: Uuid) -> Result<bool, PortError> {
        let queue = self.spec.name;
        let replay = move |tx: &WriteTx<'_>| {
            let mut restore = tx.conn.prepare_cached(
                "INSERT INTO messages (queue, body, attributes, receive_count, sent_at, visible_at)
                 SELECT queue, body, attributes, 0, sent_at, ?3 FROM dead_messages WHERE queue = ?1 AND dead_id = ?2",
            )?;
            restore.execute(params![queue, dead_id.to_string(), Millis(tx.now)])?;
            tx.wake(queue);
            delete_dead(tx, queue, dead_id)
        };
        self.db.write("replay to queue", queue, replay).await
    }

    async fn discard(&self, dead_id: Uuid) -> Result<bool, PortError> {
        let queue = self.spec.name;
        self.db.write("discard from dlq of queue", queue, move |tx| delete_dead(tx, queue, dead_id)).await
    }
}

/// A receipt is the message's row and which receive it was; rows are never reused and counts never go back.
fn parse_receipt(receipt: &Receipt) -> Option<(i64, u32)> {
    let (id, receive_count) = receipt.0.split_once('-')?;
    Some((id.parse().ok()?, receive_count.parse().ok()?))
}

fn delete_dead(tx: &WriteTx<'_>, queue: &str, dead_id: Uuid) -> Result<bool, SqliteError> {
    let mut delete = tx.conn.prepare_cached("DELETE FROM dead_messages WHERE queue = ?1 AND dead_id = ?2")?;
    Ok(delete.execute(params![queue, dead_id.to_string()])? > 0)
}

/// A corrupted message is shown as well as it can be; its row keeps what was there.
fn read_dead(row: &Row<'_>) -> rusqlite::Result<DeadMessage> {
    let text = |index| {
        row.get_ref(index).map(|value| String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned())
    };
    let dead_id: String = row.get(0)?;
    Ok(DeadMessage {
        dead_id: Uuid::parse_str(&dead_id).unwrap_or_default(),
        queue: row.get(1)?,
        body: text(2)?,
        attributes: serde_json::from_str(&text(3)?).unwrap_or_default(),
        reason: text(4)?,
        receive_count: row.get(5)?,
        sent_at: row.get::<_, Millis>(6)?.0,
        died_at: row.get::<_, Millis>(7)?.0,
    })
}
