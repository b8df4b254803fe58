//! The Topic port on SQLite.

use super::database::SqliteDb;
use super::enqueue_messages::enqueue_to_topic;
use super::write_in_groups::WriteTx;
use async_trait::async_trait;
use mantissa_contracts::topology::TopicSpec;
use mantissa_ports::{Outgoing, PortError, Topic};
use std::sync::Arc;

pub struct SqliteTopic {
    db: Arc<SqliteDb>,
    spec: &'static TopicSpec,
}

impl SqliteTopic {
    pub fn new(db: Arc<SqliteDb>, spec: &'static TopicSpec) -> Self {
        Self { db, spec }
    }
}

#[async_trait]
impl Topic for SqliteTopic {
    fn name(&self) -> &str {
        self.spec.name
    }

    async fn publish(&self, messages: &[Outgoing]) -> Result<(), PortError> {
        let (spec, messages) = (self.spec, messages.to_vec());
        let publish =
            move |tx: &WriteTx<'_>| messages.iter().try_for_each(|message| enqueue_to_topic(tx, spec, message));
        self.db.write("publish to topic", self.spec.name, publish).await
    }
}
