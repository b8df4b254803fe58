//! All queues of the topology under one lock.

use super::locked;
use crate::{Clock, DeadMessage, Outgoing, PortError};
use mantissa_contracts::time::Instant;
use mantissa_contracts::topology::{self, QueueSpec, Target, TopicSpec};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use uuid::{Builder, Uuid};

/// Every queue and its DLQ. Queues come to be when something is sent to them.
pub struct MemoryBus {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) arrived: Notify,
    state: Mutex<BusState>,
}

#[derive(Default)]
pub(super) struct BusState {
    queues: HashMap<String, QueueState>,
    published: Vec<Outgoing>,
    n_messages: u64,
}

#[derive(Default)]
pub(super) struct QueueState {
    pub(super) messages: BTreeMap<u64, StoredMessage>,
    pub(super) dead: BTreeMap<Uuid, DeadMessage>,
}

#[derive(Clone)]
pub(super) struct StoredMessage {
    pub(super) body: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) receive_count: u32,
    pub(super) sent_at: Instant,
    pub(super) visible_at: Instant,
}

/// Messages with the queues they go to. Made before a state change, so that one that cannot be routed stops it.
pub(super) struct Routed(Vec<(Outgoing, Vec<&'static str>)>);

impl MemoryBus {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, arrived: Notify::new(), state: Mutex::default() })
    }

    /// Publishes to wherever the topology says, as a stage's worker loop does.
    pub fn publish(&self, messages: &[Outgoing]) -> Result<(), PortError> {
        self.deliver(route(messages)?);
        Ok(())
    }

    /// Everything that was published through the topology, in order: by stores, topics and [`MemoryBus::publish`].
    pub fn published(&self) -> Vec<Outgoing> {
        locked(&self.state).published.clone()
    }

    pub(super) fn publish_to_topic(&self, topic: &TopicSpec, messages: &[Outgoing]) {
        let routed = messages.iter().map(|message| (message.clone(), subscribers(topic, message))).collect();
        self.deliver(Routed(routed));
    }

    pub(super) fn deliver(&self, routed: Routed) {
        let now = self.clock.now();
        let mut state = locked(&self.state);
        for (message, queues) in routed.0 {
            for queue in queues {
                state.push(queue, &message, now);
            }
            state.published.push(message);
        }
        drop(state);
        self.arrived.notify_waiters();
    }

    pub(super) fn send(&self, queue: &str, messages: &[Outgoing]) {
        let now = self.clock.now();
        let mut state = locked(&self.state);
        for message in messages {
            state.push(queue, message, now);
        }
        drop(state);
        self.arrived.notify_waiters();
    }

    /// Runs `work` on a queue whose exhausted messages were moved to its DLQ first.
    pub(super) fn with_queue<T>(&self, spec: &QueueSpec, work: impl FnOnce(&mut QueueState, Instant) -> T) -> T {
        let now = self.clock.now();
        let mut state = locked(&self.state);
        let queue = state.queues.entry(spec.name.to_owned()).or_default();
        let exhausted: Vec<u64> = queue
            .messages
            .iter()
            .filter(|(_, message)| message.visible_at <= now && message.receive_count >= spec.max_receive_count)
            .map(|(id, _)| *id)
            .collect();
        for id in exhausted {
            let reason = format!("received {} times without being acknowledged", spec.max_receive_count);
            queue.bury(spec.name, id, &reason, now);
        }
        work(queue, now)
    }

    /// Moves a dead message back as a new one; its old receipts stay stale.
    pub(super) fn revive(&self, queue: &str, dead_id: Uuid) -> bool {
        let now = self.clock.now();
        let mut state = locked(&self.state);
        let Some(dead) = state.queues.get_mut(queue).and_then(|queue| queue.dead.remove(&dead_id)) else {
            return false;
        };
        let message = StoredMessage {
            body: dead.body,
            attributes: dead.attributes,
            receive_count: 0,
            sent_at: dead.sent_at,
            visible_at: now,
        };
        state.insert(queue, message);
        drop(state);
        self.arrived.notify_waiters();
        true
    }
}

impl BusState {
    fn push(&mut self, queue: &str, message: &Outgoing, now: Instant) {
        let stored = StoredMessage {
            body: message.body.clone(),
            attributes: message.attributes.clone(),
            receive_count: 0,
            sent_at: now,
            visible_at: now + message.delay,
        };
        self.insert(queue, stored);
    }

    fn insert(&mut self, queue: &str, message: StoredMessage) {
        self.n_messages += 1;
        let id = self.n_messages;
        self.queues.entry(queue.to_owned()).or_default().messages.insert(id, message);
    }
}

impl QueueState {
    pub(super) fn bury(&mut self, queue: &str, message_id: u64, reason: &str, now: Instant) {
        let Some(message) = self.messages.remove(&message_id) else { return };
        let dead_id = dead_id(now, message_id);
        let dead = DeadMessage {
            dead_id,
            queue: queue.to_owned(),
            body: message.body,
            attributes: message.attributes,
            reason: reason.to_owned(),
            receive_count: message.receive_count,
            sent_at: message.sent_at,
            died_at: now,
        };
        self.dead.insert(dead_id, dead);
    }
}

pub(super) fn route(messages: &[Outgoing]) -> Result<Routed, PortError> {
    let routed = messages.iter().map(|message| {
        let queues = match topology::target_of(&message.message_name) {
            Some(Target::Queue(queue)) => vec![queue],
            Some(Target::Topic(name)) => match topology::find_topic(name) {
                Some(topic) => subscribers(topic, message),
                None => return Err(unroutable(message)),
            },
            None => return Err(unroutable(message)),
        };
        Ok((message.clone(), queues))
    });
    routed.collect::<Result<_, _>>().map(Routed)
}

fn subscribers(topic: &TopicSpec, message: &Outgoing) -> Vec<&'static str> {
    topology::subscribed_queues(topic, |name| message.attributes.get(name).map(String::as_str)).collect()
}

fn unroutable(message: &Outgoing) -> PortError {
    PortError::permanent("publish message", message.message_name.clone(), "the topology has no target for it")
}

/// Sorts by time of death, then by age, so that it serves as the position of a page even after the message is gone.
fn dead_id(died_at: Instant, message_id: u64) -> Uuid {
    let mut tail = [0; 10];
    tail[4..].copy_from_slice(&message_id.to_be_bytes()[2..]);
    let millis = u64::try_from(died_at.timestamp_millis()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}
