//! The platform's own alerts: what failed becomes a match of a built-in rule and takes an alert's whole way.

use mantissa_contracts::ids::{MatchId, RuleId, RuleVersion};
use mantissa_contracts::messages::{Evidence, KeyPart, RuleMatched, RuleRef, Severity};
use mantissa_contracts::time::Instant;

/// `log_source` of the platform's own alerts.
pub const LOG_SOURCE: &str = "mantissa";

/// What can go wrong with the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemAlert {
    /// A rule cannot be judged as it is.
    RuleFailing,
    /// A message went to a DLQ.
    MessageDead,
    /// A destination refuses notifications or does not answer.
    DestinationFailing,
    /// Parts of a raw object could not be read.
    RecordsQuarantined,
    /// A rule's title template could not be rendered.
    TemplateFailing,
}

impl SystemAlert {
    fn id(self) -> &'static str {
        match self {
            Self::RuleFailing => "mantissa.rule_failing",
            Self::MessageDead => "mantissa.message_dead",
            Self::DestinationFailing => "mantissa.destination_failing",
            Self::RecordsQuarantined => "mantissa.records_quarantined",
            Self::TemplateFailing => "mantissa.template_failing",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::RuleFailing => "Rule cannot be judged",
            Self::MessageDead => "Message went to a dead-letter queue",
            Self::DestinationFailing => "Destination does not take notifications",
            Self::RecordsQuarantined => "Log records were quarantined",
            Self::TemplateFailing => "Template could not be rendered",
        }
    }

    fn severity(self) -> Severity {
        match self {
            Self::RuleFailing | Self::MessageDead | Self::DestinationFailing => Severity::High,
            Self::RecordsQuarantined | Self::TemplateFailing => Severity::Medium,
        }
    }

    pub fn rule_id(self) -> RuleId {
        RuleId::new(self.id())
    }
}

/// The match that says so. `subject` is what failed (a rule, a queue, a destination) and groups occurrences;
/// `occurrence` names this one, so that saying it twice is the same match.
pub fn rule_matched(kind: SystemAlert, subject: &str, occurrence: &str, detail: &str, at: Instant) -> RuleMatched {
    RuleMatched {
        match_id: MatchId::derive(&[kind.id(), subject, occurrence]),
        rule: RuleRef {
            rule_id: kind.rule_id(),
            rule_version: RuleVersion::new("1"),
            title: kind.title().to_owned(),
            severity: kind.severity(),
            log_source: LOG_SOURCE.to_owned(),
            tags: Vec::new(),
            runbook: None,
            destinations: Vec::new(),
        },
        title: format!("{}: {subject}", kind.title()),
        query_run_id: None,
        window: None,
        alert_key: vec![KeyPart { field: "subject".to_owned(), value: Some(subject.to_owned()) }],
        event_time: at,
        n_events: 1,
        dedup_window_s: 6 * 3600,
        evidence: vec![Evidence {
            event_id: occurrence.to_owned(),
            event_time: at,
            raw: detail.to_owned(),
            truncated: false,
        }],
    }
}
