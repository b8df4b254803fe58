//! A destination is to be made to agree with an alert's state.

pub use v1::*;

pub mod v1 {
    use super::super::rule::v1::Severity;
    use crate::envelope::Message;
    use crate::ids::{AlertId, DestinationId, RuleId};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use std::fmt;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum DestinationType {
        Slack,
        Webhook,
        Email,
    }

    impl DestinationType {
        pub const ALL: [Self; 3] = [Self::Slack, Self::Webhook, Self::Email];

        pub fn as_str(self) -> &'static str {
            match self {
                Self::Slack => "slack",
                Self::Webhook => "webhook",
                Self::Email => "email",
            }
        }
    }

    impl fmt::Display for DestinationType {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.as_str())
        }
    }

    /// What the destination should show.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Intent {
        Open,
        Update,
        Close,
    }

    impl Intent {
        pub fn as_str(self) -> &'static str {
            match self {
                Self::Open => "open",
                Self::Update => "update",
                Self::Close => "close",
            }
        }
    }

    impl fmt::Display for Intent {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.as_str())
        }
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum NotificationReason {
        FirstNotification,
        SeverityRaised,
        AlertClosed,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct NotificationRequested {
        pub alert_id: AlertId,
        /// Revision the decision was made on; the notifier reads the current one.
        pub alert_revision: u64,
        pub destination_id: DestinationId,
        pub destination_type: DestinationType,
        pub intent: Intent,
        pub reason: NotificationReason,
        pub severity: Severity,
        pub rule_id: RuleId,
        pub log_source: String,
    }

    impl Message for NotificationRequested {
        const NAME: &'static str = "notification_requested";
        const VERSION: u32 = 1;

        fn subject(&self) -> String {
            self.alert_id.to_string()
        }

        fn identity(&self) -> Vec<String> {
            vec![
                self.alert_id.to_string(),
                self.alert_revision.to_string(),
                self.destination_id.to_string(),
                self.intent.to_string(),
            ]
        }

        fn attributes(&self) -> Vec<(&'static str, String)> {
            vec![
                ("severity", self.severity.to_string()),
                ("rule_id", self.rule_id.to_string()),
                ("destination_type", self.destination_type.to_string()),
                ("log_source", self.log_source.clone()),
            ]
        }
    }
}
