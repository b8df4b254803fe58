//! How the result poller waits.

use std::time::Duration;

#[derive(Debug, Clone)]
pub struct ResultPollerConfig {
    /// How long one look waits inside for the query to end. Zero where waiting is paid for.
    pub wait_inside: Duration,
    /// How long the message stays hidden until the next look.
    pub look_again_in: Duration,
}

impl Default for ResultPollerConfig {
    fn default() -> Self {
        Self { wait_inside: Duration::from_millis(500), look_again_in: Duration::from_secs(1) }
    }
}
