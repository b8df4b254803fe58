//! A destination that does not take notifications becomes an alert of the platform's own, told by other destinations.

use mantissa_contracts::ids::DestinationId;
use mantissa_contracts::messages::{AlertSnapshot, RuleMatched};
use mantissa_contracts::time::Instant;
use mantissa_domain::system_alert::{self, SystemAlert};
use mantissa_ports::stores::DeliveryRecord;
use serde_json::json;

/// The match id follows from the destination and the delivery, so a replay raises nothing new.
pub(crate) fn destination_failing(record: &DeliveryRecord, reason: &str, now: Instant) -> RuleMatched {
    let destination = record.key.destination_id.as_str();
    let delivery_id = record.delivery_id.to_string();
    let detail = json!({
        "delivery_id": delivery_id,
        "destination_id": destination,
        "destination_type": record.destination_type,
        "alert_id": record.key.alert_id,
        "intent": record.key.intent,
        "reason": reason,
    });
    system_alert::rule_matched(SystemAlert::DestinationFailing, destination, &delivery_id, &detail.to_string(), now)
}

pub(crate) fn is_about_destination(alert: &AlertSnapshot, destination: &DestinationId) -> bool {
    system_alert::is_about(alert, SystemAlert::DestinationFailing, destination.as_str())
}
