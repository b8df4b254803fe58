//! A destination that does not take notifications becomes an alert of the platform's own, told by other destinations.

use mantissa_contracts::ids::{DestinationId, MatchId, RuleId, RuleVersion};
use mantissa_contracts::messages::{AlertSnapshot, Evidence, KeyPart, RuleMatched, RuleRef, Severity};
use mantissa_contracts::time::Instant;
use mantissa_ports::stores::DeliveryRecord;
use serde_json::json;

/// The system rule. Its alerts have one key field, `destination_id`.
pub const DESTINATION_FAILING_RULE: &str = "mantissa.destination_failing";

const KEY_FIELD: &str = "destination_id";
/// One alert a destination and day, however many deliveries it fails: this also ends the exchange between two
/// failing destinations that are each told about the other.
const DEDUP_WINDOW_S: u64 = 24 * 3600;

/// The match id follows from the destination and the delivery, so a replay raises nothing new.
pub(crate) fn destination_failing(record: &DeliveryRecord, reason: &str, now: Instant) -> RuleMatched {
    let destination = record.key.destination_id.as_str();
    let delivery_id = record.delivery_id.to_string();
    let title = format!("Destination `{destination}` does not take notifications: {reason}");
    let raw = json!({
        "delivery_id": delivery_id,
        "destination_id": destination,
        "destination_type": record.destination_type,
        "alert_id": record.key.alert_id,
        "intent": record.key.intent,
        "reason": reason,
    });
    RuleMatched {
        match_id: MatchId::derive(&[DESTINATION_FAILING_RULE, destination, &delivery_id]),
        rule: RuleRef {
            rule_id: RuleId::new(DESTINATION_FAILING_RULE),
            rule_version: RuleVersion::new("1"),
            title: "A destination does not take notifications".to_owned(),
            severity: Severity::High,
            log_source: "mantissa".to_owned(),
            tags: Vec::new(),
            runbook: Some(
                "See why: `mantissa deliveries why <alert id>`. Correct the destination's settings or secrets, test it, and \
                 enable it if it was disabled."
                    .to_owned(),
            ),
            destinations: Vec::new(),
        },
        title,
        query_run_id: None,
        window: None,
        alert_key: vec![KeyPart { field: KEY_FIELD.to_owned(), value: Some(destination.to_owned()) }],
        event_time: now,
        n_events: 1,
        dedup_window_s: DEDUP_WINDOW_S,
        evidence: vec![Evidence { event_id: delivery_id, event_time: now, raw: raw.to_string(), truncated: false }],
    }
}

pub(crate) fn is_about_destination(alert: &AlertSnapshot, destination: &DestinationId) -> bool {
    alert.rule.rule_id.as_str() == DESTINATION_FAILING_RULE
        && alert
            .alert_key
            .iter()
            .any(|part| part.field == KEY_FIELD && part.value.as_deref() == Some(destination.as_str()))
}
