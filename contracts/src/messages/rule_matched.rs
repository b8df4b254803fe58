//! A query run returned rows for a rule.

pub use v1::*;

pub mod v1 {
    use super::super::alert::v1::KeyPart;
    use super::super::rule::v1::RuleRef;
    use crate::envelope::Message;
    use crate::ids::{MatchId, QueryRunId};
    use crate::time::{Instant, TimeWindow};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct RuleMatched {
        /// Derived from rule, key and event id: the same event matches the same rule once.
        pub match_id: MatchId,
        pub rule: RuleRef,
        /// The rule's title, rendered with the fields of this match.
        pub title: String,
        /// Absent for the platform's own alerts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub query_run_id: Option<QueryRunId>,
        /// The judged span of ingestion time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub window: Option<TimeWindow>,
        pub alert_key: Vec<KeyPart>,
        /// When it happened, in event time.
        pub event_time: Instant,
        /// Events behind the match: 1 for an event rule, the count reached for a threshold.
        pub n_events: u64,
        /// How long matches attach to one alert, from the first.
        pub dedup_window_s: u64,
        pub evidence: Vec<Evidence>,
    }

    /// One event behind a match.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Evidence {
        pub event_id: String,
        pub event_time: Instant,
        /// The record as delivered; cut where the message would grow past its limit.
        pub raw: String,
        /// True when `raw` was cut: the lake has the whole record under `event_id`.
        #[serde(default)]
        pub truncated: bool,
    }

    impl Message for RuleMatched {
        const NAME: &'static str = "rule_matched";
        const VERSION: u32 = 1;

        fn subject(&self) -> String {
            self.rule.rule_id.to_string()
        }

        fn identity(&self) -> Vec<String> {
            vec![self.match_id.to_string()]
        }
    }
}
