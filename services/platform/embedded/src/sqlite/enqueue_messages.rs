//! Publishing inside a transaction: the outbox of one machine is the queue tables themselves.

use super::documents::{Millis, encode};
use super::error::SqliteError;
use super::write_in_groups::WriteTx;
use mantissa_contracts::topology::{self, Target, TopicSpec};
use mantissa_ports::Outgoing;
use rusqlite::params;

/// Inserts each message into every queue the topology sends it to.
pub(super) fn enqueue(tx: &WriteTx<'_>, messages: &[Outgoing]) -> Result<(), SqliteError> {
    for message in messages {
        let unroutable = || SqliteError::Unroutable { message: message.message_name.clone() };
        match topology::target_of(&message.message_name).ok_or_else(unroutable)? {
            Target::Queue(queue) => insert(tx, queue, message)?,
            Target::Topic(name) => {
                let topic = topology::find_topic(name).ok_or_else(unroutable)?;
                enqueue_to_topic(tx, topic, message)?;
            }
        }
    }
    Ok(())
}

/// Inserts a copy into each queue whose subscription the message passes.
pub(super) fn enqueue_to_topic(tx: &WriteTx<'_>, topic: &TopicSpec, message: &Outgoing) -> Result<(), SqliteError> {
    let attribute = |name: &str| message.attributes.get(name).map(String::as_str);
    for queue in topology::subscribed_queues(topic, attribute) {
        insert(tx, queue, message)?;
    }
    Ok(())
}

pub(super) fn insert(tx: &WriteTx<'_>, queue: &str, message: &Outgoing) -> Result<(), SqliteError> {
    let mut insert = tx.conn.prepare_cached(
        "INSERT INTO messages (queue, body, attributes, receive_count, sent_at, visible_at) VALUES (?1, ?2, ?3, 0, ?4, ?5)",
    )?;
    let attributes = encode("message attributes", &message.attributes)?;
    insert.execute(params![queue, message.body, attributes, Millis(tx.now), Millis(tx.now + message.delay)])?;
    tx.wake(queue);
    Ok(())
}
