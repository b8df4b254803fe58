//! The end of a query wakes the message that waits for it.

use super::query_ref::QueryRef;
use crate::dynamodb::DynamoQueryWaits;
use mantissa_contracts::Envelope;
use mantissa_contracts::messages::QueryStarted;
use mantissa_ports::{PortError, Receipt};

/// What the queue of `query_started` needs for it: a message that is put back there waits for its query.
pub struct WakeOnEnd {
    pub waits: DynamoQueryWaits,
}

impl WakeOnEnd {
    /// Notes that the message waits for its query; whether that has ended, so that there is nothing to wait for.
    pub(crate) async fn has_ended(&self, body: &str, wait: &Receipt) -> Result<bool, PortError> {
        // A body that is none of ours went to the DLQ before anyone waited for it.
        let Ok(started) = Envelope::<QueryStarted>::decode(body) else { return Ok(false) };
        match QueryRef::of(&started.data.engine_query_id) {
            Some(query) => self.waits.wait(&query.execution_id, wait).await,
            None => Ok(false),
        }
    }
}
