//! Publishes messages where the topology says.

use crate::{Outgoing, PortError, Queue, Topic};
use mantissa_contracts::topology::{self, Target};
use std::collections::HashMap;
use std::sync::Arc;

/// The queues and topics of one deployment, by name.
pub struct Publisher {
    queues: HashMap<String, Arc<dyn Queue>>,
    topics: HashMap<String, Arc<dyn Topic>>,
}

impl Publisher {
    pub fn new(queues: Vec<Arc<dyn Queue>>, topics: Vec<Arc<dyn Topic>>) -> Self {
        Self {
            queues: queues.into_iter().map(|queue| (queue.name().to_owned(), queue)).collect(),
            topics: topics.into_iter().map(|topic| (topic.name().to_owned(), topic)).collect(),
        }
    }

    /// `Ok` means every message is durable at its target. Order is kept: a message is sent only after those
    /// before it are durable, except that neighbours for the same target travel together.
    pub async fn publish(&self, messages: &[Outgoing]) -> Result<(), PortError> {
        for run in messages.chunk_by(|a, b| a.message_name == b.message_name) {
            let Some(first) = run.first() else { continue };
            let unknown = |what: String| PortError::permanent("publish", &first.message_name, what);
            match topology::target_of(&first.message_name) {
                Some(Target::Queue(name)) => {
                    let queue =
                        self.queues.get(name).ok_or_else(|| unknown(format!("queue `{name}` is not set up")))?;
                    queue.send(run).await?;
                }
                Some(Target::Topic(name)) => {
                    let topic =
                        self.topics.get(name).ok_or_else(|| unknown(format!("topic `{name}` is not set up")))?;
                    topic.publish(run).await?;
                }
                None => return Err(unknown("the topology does not say where it goes".to_owned())),
            }
        }
        Ok(())
    }

    pub fn queue(&self, name: &str) -> Option<&Arc<dyn Queue>> {
        self.queues.get(name)
    }

    /// Every queue, sorted by name.
    pub fn queues(&self) -> Vec<&Arc<dyn Queue>> {
        let mut queues: Vec<_> = self.queues.values().collect();
        queues.sort_by(|a, b| a.name().cmp(b.name()));
        queues
    }
}
