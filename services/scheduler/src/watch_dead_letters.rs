//! Turns messages that reached a DLQ into system alerts.

use crate::{Error, outgoing};
use mantissa_domain::system_alert::{self, SystemAlert};
use mantissa_ports::{Clock, Outgoing, Publisher, Queue};
use std::collections::HashMap;
use uuid::Uuid;

const PAGE: usize = 100;

/// Remembers, per queue, the last dead message it told of. After a restart it tells again, with the same match
/// ids, which dedup knows.
#[derive(Debug, Default)]
pub struct DeadLetterWatch {
    last_told: HashMap<String, Uuid>,
}

impl DeadLetterWatch {
    /// Publishes an alert for each message that died since the last look; how many. A page counts as told once it is
    /// published.
    pub async fn tell(&mut self, clock: &dyn Clock, publisher: &Publisher, queue: &dyn Queue) -> Result<usize, Error> {
        let mut n_told = 0;
        // Looking through a DLQ costs more than asking how much is in it.
        if queue.depth().await?.n_dead == 0 {
            return Ok(0);
        }
        loop {
            let dead = queue.dead(PAGE, self.last_told.get(queue.name()).copied()).await?;
            let alerts = dead.iter().map(|message| {
                let alert = system_alert::rule_matched(
                    SystemAlert::MessageDead,
                    queue.name(),
                    &message.dead_id.to_string(),
                    &message.reason,
                    message.died_at,
                );
                outgoing(clock, None, alert)
            });
            publisher.publish(&alerts.collect::<Result<Vec<Outgoing>, Error>>()?).await?;
            n_told += dead.len();
            match dead.last() {
                Some(last) => self.last_told.insert(queue.name().to_owned(), last.dead_id),
                None => return Ok(n_told),
            };
            if dead.len() < PAGE {
                return Ok(n_told);
            }
        }
    }
}
