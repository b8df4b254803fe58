//! What a message says of an alert, in no destination's markup. Texts of rules and logs are as they came: each destination
//! cleans and escapes them its own way.

use crate::clean_text::clean_line;
use crate::render::Notification;
use mantissa_contracts::messages::Intent;
use mantissa_contracts::time::format_instant;
use serde_json::json;

/// How many entities' facts are shown.
const MAX_ENTITIES: usize = 5;

impl Notification<'_> {
    /// What stands before the title of an alert that was told of before.
    pub(crate) fn change(&self) -> &'static str {
        match self.intent {
            Intent::Open => "",
            Intent::Update => "Updated: ",
            Intent::Close => "Closed: ",
        }
    }

    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let alert = self.alert;
        let status = match alert.verdict {
            Some(verdict) => format!("{}, {}", alert.status, json!(verdict).as_str().unwrap_or_default()),
            None => alert.status.to_string(),
        };
        vec![
            ("Alert", alert.alert_id.to_string()),
            ("Status", status),
            ("Rule", alert.rule.title.clone()),
            ("Log source", alert.rule.log_source.clone()),
            ("First event", format_instant(alert.first_event_at)),
            ("Last event", format_instant(alert.last_event_at)),
            ("Matches", alert.n_matches.to_string()),
            ("Events", alert.n_events.to_string()),
        ]
    }

    /// The fields that group its matches.
    pub(crate) fn key_fields(&self) -> Vec<(&str, &str)> {
        let key = self.alert.alert_key.iter();
        key.map(|part| (part.field.as_str(), part.value.as_deref().unwrap_or("(none)"))).collect()
    }

    /// What is known about its entities.
    pub(crate) fn context_lines(&self) -> Vec<String> {
        let Some(context) = self.context else { return Vec::new() };
        let entities = context.entities.iter().take(MAX_ENTITIES).map(|entity| {
            let facts: Vec<String> = entity.facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
            format!("{}: {}", entity.value, facts.join(", "))
        });
        let mut lines: Vec<String> = entities.collect();
        if context.n_related_24h > 0 {
            lines.push(format!("{} other alerts of these entities in 24 hours", context.n_related_24h));
        }
        lines
    }

    /// The rule's author wrote them, so their links stay readable.
    pub(crate) fn runbook_steps(&self) -> Vec<String> {
        let runbook = self.alert.rule.runbook.as_deref().unwrap_or_default();
        runbook.lines().map(clean_line).filter(|line| !line.is_empty()).collect()
    }

    /// As the first event was logged.
    pub(crate) fn first_event(&self) -> Option<&str> {
        self.alert.evidence.first().map(|event| event.raw.as_str())
    }
}
