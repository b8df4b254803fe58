//! A try to deliver a notification was recorded.

pub use v1::*;

pub mod v1 {
    use super::super::notification_requested::v1::{DestinationType, Intent};
    use crate::envelope::Message;
    use crate::ids::{AlertId, DeliveryId, DestinationId};
    use crate::time::Instant;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use std::fmt;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum DeliveryState {
        /// Waiting for its first try or for `next_attempt_at`.
        Pending,
        /// A worker holds the claim.
        Sending,
        /// The provider took it; whether a person sees it is not known (e-mail, PagerDuty, Teams).
        Accepted,
        /// It stands in the destination (Slack).
        Posted,
        /// The receiver answered 2xx (webhook).
        Delivered,
        Acknowledged,
        /// A silence or a state change made it unnecessary.
        Suppressed,
        /// The last try failed; another follows.
        Failed,
        /// No further try; it is in the DLQ.
        Dead,
        /// The request was sent and no answer came.
        Unknown,
    }

    impl DeliveryState {
        pub fn as_str(self) -> &'static str {
            match self {
                Self::Pending => "pending",
                Self::Sending => "sending",
                Self::Accepted => "accepted",
                Self::Posted => "posted",
                Self::Delivered => "delivered",
                Self::Acknowledged => "acknowledged",
                Self::Suppressed => "suppressed",
                Self::Failed => "failed",
                Self::Dead => "dead",
                Self::Unknown => "unknown",
            }
        }

        /// No further try is made.
        pub fn is_final(self) -> bool {
            !matches!(self, Self::Pending | Self::Sending | Self::Failed | Self::Unknown)
        }
    }

    impl fmt::Display for DeliveryState {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.as_str())
        }
    }

    /// How one try ended.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum AttemptOutcome {
        Succeeded,
        Transient,
        Throttled,
        Auth,
        Permanent,
        Gone,
        Unknown,
        Suppressed,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct DeliveryRecorded {
        pub delivery_id: DeliveryId,
        pub alert_id: AlertId,
        pub destination_id: DestinationId,
        pub destination_type: DestinationType,
        pub intent: Intent,
        pub state: DeliveryState,
        /// 1 for the first try.
        pub attempt: u32,
        pub outcome: AttemptOutcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub http_status: Option<u16>,
        /// What was decided and why, without secrets.
        pub reason: String,
        /// The receiver may have seen this notification before.
        pub possible_duplicate: bool,
        pub recorded_at: Instant,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub next_attempt_at: Option<Instant>,
    }

    impl Message for DeliveryRecorded {
        const NAME: &'static str = "delivery_recorded";
        const VERSION: u32 = 1;

        fn subject(&self) -> String {
            self.delivery_id.to_string()
        }

        fn identity(&self) -> Vec<String> {
            vec![self.delivery_id.to_string(), self.attempt.to_string()]
        }
    }
}
