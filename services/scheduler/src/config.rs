//! The scheduler's settings.

use chrono::TimeDelta;

#[derive(Debug, Clone)]
pub struct SchedulerConfig {
    /// Ingestion time younger than this is not sealed yet: records that are being committed get their stamp in.
    pub settle: TimeDelta,
    /// An intent to commit that is older than this does not hold the seal any more.
    pub commit_lease: TimeDelta,
    /// After an outage windows are merged up to this length.
    pub longest_window: TimeDelta,
    /// A stretch without events is written to the ledger as one row once it is this long.
    pub empty_row_after: TimeDelta,
    /// A planned window without an answer for this long counts as failed and is requested again.
    pub answer_within: TimeDelta,
    pub first_retry: TimeDelta,
    pub longest_retry: TimeDelta,
    /// Transient failures in a row after which a system alert is raised; trying goes on.
    pub alert_after_attempts: u32,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            settle: TimeDelta::seconds(5),
            commit_lease: TimeDelta::minutes(15),
            longest_window: TimeDelta::hours(6),
            empty_row_after: TimeDelta::hours(1),
            answer_within: TimeDelta::minutes(30),
            first_retry: TimeDelta::seconds(5),
            longest_retry: TimeDelta::minutes(10),
            alert_after_attempts: 5,
        }
    }
}
