//! Fan-out to subscribed queues.

use crate::{Outgoing, PortError};
use async_trait::async_trait;

/// A topic.
///
/// - `Ok` from [`publish`](Topic::publish) means every subscribed queue whose filter the message passes has, or
///   durably will get, its own copy; `Err` means any of them may have.
/// - A filter passes when each attribute it names is present and has one of the values. A subscription without
///   a filter gets everything; a message without the attribute does not pass.
/// - A topic without subscriptions accepts messages.
#[async_trait]
pub trait Topic: Send + Sync {
    fn name(&self) -> &str;

    async fn publish(&self, messages: &[Outgoing]) -> Result<(), PortError>;
}
