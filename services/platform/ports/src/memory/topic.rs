//! One topic of the bus.

use super::bus::MemoryBus;
use crate::{Outgoing, PortError, Topic};
use async_trait::async_trait;
use mantissa_contracts::topology::TopicSpec;
use std::sync::Arc;

pub struct MemoryTopic {
    bus: Arc<MemoryBus>,
    spec: &'static TopicSpec,
}

impl MemoryTopic {
    pub fn new(bus: Arc<MemoryBus>, spec: &'static TopicSpec) -> Self {
        Self { bus, spec }
    }
}

#[async_trait]
impl Topic for MemoryTopic {
    fn name(&self) -> &str {
        self.spec.name
    }

    async fn publish(&self, messages: &[Outgoing]) -> Result<(), PortError> {
        self.bus.publish_to_topic(self.spec, messages);
        Ok(())
    }
}
