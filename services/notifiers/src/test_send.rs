//! Sends a sample alert to a destination, once, as a person asks for it. It takes the way of every notification, but
//! leaves no delivery record and disables nothing.

use crate::destinations::{Endpoint, Sending};
use crate::render::{Notification, render};
use crate::send::{send_rendered, unusable_failure};
use crate::{NotifierDeps, NotifierError};
use mantissa_contracts::ids::{AlertId, DeliveryId, DestinationId, RuleId, RuleVersion};
use mantissa_contracts::messages::{
    AlertSnapshot, AlertStatus, AttemptOutcome, Evidence, Intent, KeyPart, RuleRef, Severity,
};
use mantissa_contracts::time::{Instant, format_instant};
use std::collections::BTreeMap;

/// How the test went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestSend {
    pub outcome: AttemptOutcome,
    pub http_status: Option<u16>,
    pub reason: String,
}

pub async fn test_send(deps: &NotifierDeps, destination_id: &DestinationId) -> Result<TestSend, NotifierError> {
    let failed = |reason: String| NotifierError::Destination { destination: destination_id.to_string(), reason };
    let destination = deps
        .destinations
        .get(destination_id)
        .await?
        .ok_or_else(|| failed("there is no such destination".to_owned()))?;
    let now = deps.clock.now();
    let judgement = match Endpoint::load(&destination, destination.destination_type, deps.secrets.as_ref()).await {
        Err(unusable) => unusable_failure(&unusable),
        Ok(endpoint) => {
            let alert = sample_alert(now);
            let notification = Notification {
                alert: &alert,
                context: None,
                intent: Intent::Open,
                base_url: deps.config.base_url.as_ref(),
            };
            let rendered = render(&endpoint, &notification).map_err(|e| failed(e.to_string()))?;
            let sending = Sending {
                http: &deps.http,
                mail: deps.mail.as_ref(),
                alert_id: alert.alert_id,
                delivery_id: DeliveryId::derive(&["test", destination_id.as_str(), &format_instant(now)]),
                earlier_ids: &BTreeMap::new(),
                tried_ids: &BTreeMap::new(),
                now,
            };
            send_rendered(&endpoint, &rendered, &sending).await
        }
    };
    Ok(TestSend { outcome: judgement.outcome, http_status: judgement.http_status, reason: judgement.reason })
}

/// Says in every place a person may look that it is a test.
pub(crate) fn sample_alert(now: Instant) -> AlertSnapshot {
    AlertSnapshot {
        alert_id: AlertId::derive(&["test", &format_instant(now)]),
        revision: 1,
        rule: RuleRef {
            rule_id: RuleId::new("mantissa.test_alert"),
            rule_version: RuleVersion::new("1"),
            title: "Test of a destination".to_owned(),
            severity: Severity::Info,
            log_source: "mantissa".to_owned(),
            tags: Vec::new(),
            runbook: Some("Nothing is to be done: a person asked for this test.".to_owned()),
            destinations: Vec::new(),
        },
        title: "Test: this destination receives alerts".to_owned(),
        severity: Severity::Info,
        status: AlertStatus::Open,
        verdict: None,
        alert_key: vec![KeyPart { field: "test".to_owned(), value: Some("yes".to_owned()) }],
        dedup_from: now,
        dedup_to: now,
        first_event_at: now,
        last_event_at: now,
        opened_at: now,
        updated_at: now,
        n_matches: 1,
        n_events: 1,
        evidence: vec![Evidence {
            event_id: "test".to_owned(),
            event_time: now,
            raw: "{\"test\":true}".to_owned(),
            truncated: false,
        }],
    }
}
