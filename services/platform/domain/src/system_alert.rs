//! The platform's own alerts: what failed becomes a match of a built-in rule and takes an alert's whole way.

use mantissa_contracts::ids::{MatchId, RuleId, RuleVersion};
use mantissa_contracts::messages::{AlertSnapshot, Evidence, KeyPart, RuleMatched, RuleRef, Severity};
use mantissa_contracts::time::Instant;

/// `log_source` of the platform's own alerts.
pub const LOG_SOURCE: &str = "mantissa";

const KEY_FIELD: &str = "subject";
/// One alert a subject and day, however often it fails: this also ends the exchange between two failing destinations
/// that are each told about the other.
const DEDUP_WINDOW_S: u64 = 24 * 3600;

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

    fn runbook(self) -> &'static str {
        match self {
            Self::RuleFailing => {
                "The evidence has the error. `mantissa rules lint` checks the rule; `mantissa rules prove` shows the windows \
                 that are not judged. Correct the rule and restart."
            }
            Self::MessageDead => {
                "`mantissa dlq list` shows what died and why, `mantissa dlq show` one message whole. When the cause is \
                 mended, `mantissa dlq replay --dry-run`, then without."
            }
            Self::DestinationFailing => {
                "`mantissa deliveries why` with an alert's id shows every try. Correct the destination's settings or \
                 secrets, `mantissa config check`, and restart."
            }
            Self::RecordsQuarantined => {
                "The files under `quarantine/` in the lake hold each record with file, line and reason. Correct the source; \
                 the rest of the object was kept."
            }
            Self::TemplateFailing => "Correct the rule's `title`; its alerts carry the plain title until then.",
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
            runbook: Some(kind.runbook().to_owned()),
            destinations: Vec::new(),
        },
        title: format!("{}: {subject}", kind.title()),
        query_run_id: None,
        window: None,
        alert_key: vec![KeyPart { field: KEY_FIELD.to_owned(), value: Some(subject.to_owned()) }],
        event_time: at,
        n_events: 1,
        dedup_window_s: DEDUP_WINDOW_S,
        evidence: vec![Evidence {
            event_id: occurrence.to_owned(),
            event_time: at,
            raw: detail.to_owned(),
            truncated: false,
        }],
    }
}

/// Whether an alert is the platform's own about that subject.
pub fn is_about(alert: &AlertSnapshot, kind: SystemAlert, subject: &str) -> bool {
    alert.rule.rule_id.as_str() == kind.id()
        && alert.alert_key.iter().any(|part| part.field == KEY_FIELD && part.value.as_deref() == Some(subject))
}
