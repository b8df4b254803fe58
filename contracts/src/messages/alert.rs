//! An alert as messages carry it.

pub use v1::*;

pub mod v1 {
    use super::super::rule::v1::{RuleRef, Severity};
    use super::super::rule_matched::v1::Evidence;
    use crate::ids::AlertId;
    use crate::time::Instant;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use std::fmt;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum AlertStatus {
        Open,
        Acknowledged,
        Closed,
    }

    impl AlertStatus {
        pub fn as_str(self) -> &'static str {
            match self {
                Self::Open => "open",
                Self::Acknowledged => "acknowledged",
                Self::Closed => "closed",
            }
        }
    }

    impl fmt::Display for AlertStatus {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.as_str())
        }
    }

    /// What a person found the alert to be. Separate from the status.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Verdict {
        TruePositive,
        Benign,
        FalsePositive,
        Duplicate,
    }

    /// Fields an alert key may have: a store writes an item for each, together with the matches.
    pub const MAX_KEY_PARTS: usize = 10;

    /// One field of an alert key. A missing value is its own bucket, never everybody's.
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    pub struct KeyPart {
        pub field: String,
        pub value: Option<String>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct AlertSnapshot {
        /// Derived from rule, key and start of the dedup window in event time.
        pub alert_id: AlertId,
        /// Grows by one with every change.
        pub revision: u64,
        pub rule: RuleRef,
        pub title: String,
        pub severity: Severity,
        pub status: AlertStatus,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub verdict: Option<Verdict>,
        pub alert_key: Vec<KeyPart>,
        /// Start of the dedup window: the event time of the match that opened the alert.
        pub dedup_from: Instant,
        pub dedup_to: Instant,
        pub first_event_at: Instant,
        pub last_event_at: Instant,
        pub opened_at: Instant,
        pub updated_at: Instant,
        pub n_matches: u64,
        /// Events of the largest match, or of all event matches together.
        pub n_events: u64,
        /// The first few events; the lake has the rest.
        pub evidence: Vec<Evidence>,
    }

    impl AlertSnapshot {
        /// What subscribers of the alert topics can filter on.
        pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
            vec![
                ("severity", self.severity.to_string()),
                ("rule_id", self.rule.rule_id.to_string()),
                ("log_source", self.rule.log_source.clone()),
            ]
        }
    }
}
