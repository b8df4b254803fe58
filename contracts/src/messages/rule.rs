//! How messages name a rule.

pub use v1::*;

pub mod v1 {
    use crate::ids::{DestinationId, RuleId, RuleVersion};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use std::fmt;

    /// Ordered: `Info < Critical`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Severity {
        Info,
        Low,
        Medium,
        High,
        Critical,
    }

    impl Severity {
        pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

        pub fn as_str(self) -> &'static str {
            match self {
                Self::Info => "info",
                Self::Low => "low",
                Self::Medium => "medium",
                Self::High => "high",
                Self::Critical => "critical",
            }
        }

        pub fn parse(text: &str) -> Option<Self> {
            Self::ALL.into_iter().find(|severity| severity.as_str() == text)
        }
    }

    impl fmt::Display for Severity {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.as_str())
        }
    }

    /// The rule a message is about, as it was when the message was made.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    pub struct RuleRef {
        pub rule_id: RuleId,
        pub rule_version: RuleVersion,
        pub title: String,
        pub severity: Severity,
        /// `cloudtrail`, `vpc_flow`, `guardduty`, `application`, or `mantissa` for the platform's own alerts.
        pub log_source: String,
        /// ATT&CK and other tags, as the rule gives them.
        #[serde(default)]
        pub tags: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub runbook: Option<String>,
        /// Destinations the rule asks for, beside those the routes choose.
        #[serde(default)]
        pub destinations: Vec<DestinationId>,
    }
}
