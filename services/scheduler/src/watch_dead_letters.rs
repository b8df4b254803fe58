//! Turns messages that reached a DLQ into system alerts.

use crate::{Error, outgoing};
use mantissa_domain::system_alert::{self, SystemAlert};
use mantissa_ports::{Clock, Outgoing, Queue};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

const PAGE: usize = 100;

/// Remembers, per queue, the last dead message it told of. After a restart it tells again, with the same match
/// ids, which dedup knows.
#[derive(Debug, Default)]
pub struct DeadLetterWatch {
    last_told: HashMap<String, Uuid>,
}

impl DeadLetterWatch {
    /// Messages to publish for what died since the last look.
    pub async fn look(&mut self, clock: &dyn Clock, queues: &[Arc<dyn Queue>]) -> Result<Vec<Outgoing>, Error> {
        let mut messages = Vec::new();
        for queue in queues {
            // Looking through a DLQ costs more than asking how much is in it.
            if queue.depth().await?.n_dead == 0 {
                continue;
            }
            let dead = queue.dead(PAGE, self.last_told.get(queue.name()).copied()).await?;
            for message in &dead {
                let alert = system_alert::rule_matched(
                    SystemAlert::MessageDead,
                    queue.name(),
                    &message.dead_id.to_string(),
                    &message.reason,
                    message.died_at,
                );
                messages.push(outgoing(clock, None, alert)?);
            }
            if let Some(last) = dead.last() {
                self.last_told.insert(queue.name().to_owned(), last.dead_id);
            }
        }
        Ok(messages)
    }
}
