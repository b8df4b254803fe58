//! Which message waits for which query of Athena, so that the query's end can wake it.
//!
//! A message that waits is hidden in its queue; whoever knows its receipt can show it at once. The message notes its receipt
//! and then looks whether the query has ended; the end notes itself and then looks whether a message waits. Of the two that
//! meet, one sees the other. What is lost all the same, for events are best effort, is seen again when its time is over.

use super::item::{Attributes, Key, Stored};
use super::table::Table;
use chrono::TimeDelta;
use mantissa_contracts::time::Instant;
use mantissa_ports::{Clock, PortError, Receipt};
use std::sync::Arc;

/// A receipt is worth nothing after twelve hours.
const KEPT: TimeDelta = TimeDelta::days(1);

#[derive(Clone)]
pub struct DynamoQueryWaits {
    pub(super) table: Table,
    pub(super) clock: Arc<dyn Clock>,
}

impl DynamoQueryWaits {
    /// Notes that a message waits; whether the query has ended before. An end is told once: a message that is put back
    /// again after it is put back for another reason, and has to wait.
    pub async fn wait(&self, execution: &str, receipt: &Receipt) -> Result<bool, PortError> {
        let wait = Attributes::default().text("receipt", &receipt.0).number("expires", self.expires());
        self.table.put(wait.with_key(&wait_key(execution))).await?;
        let end = end_key(execution);
        let has_ended = self.table.get(&end).await?.is_some();
        if has_ended {
            self.table.delete(&end).await?;
        }
        Ok(has_ended)
    }

    /// Notes that the query has ended; the receipt of the message that waits for it.
    pub async fn end(&self, execution: &str) -> Result<Option<Receipt>, PortError> {
        let end = Attributes::default().number("expires", self.expires());
        self.table.put(end.with_key(&end_key(execution))).await?;
        let Some(item) = self.table.get(&wait_key(execution)).await? else { return Ok(None) };
        let stored = Stored { table: self.table.name, item: &item };
        Ok(Some(Receipt(stored.text("receipt")?.to_owned())))
    }

    /// In seconds, as DynamoDB reads it.
    fn expires(&self) -> i64 {
        let at: Instant = self.clock.now() + KEPT;
        at.timestamp()
    }
}

fn wait_key(execution: &str) -> Key {
    Key::new(format!("QUERY#{execution}"), "WAIT")
}

fn end_key(execution: &str) -> Key {
    Key::new(format!("QUERY#{execution}"), "END")
}
