//! Chooses the destinations of an alert.

use crate::{EnrichmentDeps, Error};
use mantissa_contracts::ids::DestinationId;
use mantissa_contracts::messages::{AlertSnapshot, NotificationRequested};
use mantissa_domain::notify::{AlertChange, intent_of};
use mantissa_domain::routing;
use tracing::{debug, warn};

/// One request per chosen destination; none when the change is not worth telling.
pub(crate) async fn request_notifications(
    deps: &EnrichmentDeps,
    alert: &AlertSnapshot,
    change: AlertChange,
) -> Result<Vec<NotificationRequested>, Error> {
    let Some((intent, reason)) = intent_of(change) else { return Ok(Vec::new()) };
    let decision = routing::route(alert, &deps.routing.routes, &deps.routing.defaults);
    debug!(alert.id = %alert.alert_id, "routed alert: {}", decision.trace.join("; "));
    if decision.destinations.is_empty() {
        warn!(alert.id = %alert.alert_id, "no destination is configured, alert `{}` is only in the store", alert.title);
    }
    let mut requests = Vec::new();
    for destination_id in decision.destinations {
        match deps.destinations.get(&destination_id).await? {
            Some(destination) => requests.push(NotificationRequested {
                alert_id: alert.alert_id,
                alert_revision: alert.revision,
                destination_type: destination.destination_type,
                destination_id,
                intent,
                reason,
                severity: alert.severity,
                rule_id: alert.rule.rule_id.clone(),
                log_source: alert.rule.log_source.clone(),
            }),
            None => warn_of_unknown(alert, &destination_id),
        }
    }
    Ok(requests)
}

fn warn_of_unknown(alert: &AlertSnapshot, destination: &DestinationId) {
    warn!(
        alert.id = %alert.alert_id, destination.id = %destination,
        "alert `{}` names destination `{destination}`, which is not configured", alert.title
    );
}
