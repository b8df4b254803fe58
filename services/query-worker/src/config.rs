//! The query worker's limits.

use std::time::Duration;

#[derive(Debug, Clone)]
pub struct QueryWorkerConfig {
    /// A rule that returns more rows over one window fails it: a cut result never passes as complete.
    pub max_rows: u64,
    pub timeout: Duration,
}

impl Default for QueryWorkerConfig {
    fn default() -> Self {
        Self { max_rows: 100_000, timeout: Duration::from_secs(10 * 60) }
    }
}
