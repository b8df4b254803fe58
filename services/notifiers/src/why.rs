//! A delivery's record in words, for `mantissa deliveries why`.

use mantissa_contracts::messages::DeliveryState;
use mantissa_contracts::time::format_instant;
use mantissa_ports::stores::DeliveryRecord;

/// One line for what it is, one a try, one for what comes next.
pub fn explain(record: &DeliveryRecord) -> Vec<String> {
    let key = &record.key;
    let mut lines = vec![format!(
        "delivery {} ({} of alert {} at {} `{}`) is {} since {}",
        record.delivery_id,
        key.intent,
        key.alert_id,
        record.destination_type,
        key.destination_id,
        record.state,
        format_instant(record.updated_at)
    )];
    lines.push(format!("created {}", format_instant(record.created_at)));
    if let Some(reopened_at) = record.reopened_at {
        lines.push(format!("tried anew since {}: a person replayed it from the DLQ", format_instant(reopened_at)));
    }
    for attempt in &record.attempts {
        lines.push(format!(
            "try {} at {}, {} ms: {}",
            attempt.number,
            format_instant(attempt.at),
            attempt.duration_ms,
            attempt.reason
        ));
    }
    if record.possible_duplicate {
        lines.push(
            "the receiver may have seen it twice: a try ended without an answer, or its worker died while sending"
                .to_owned(),
        );
    }
    for (name, id) in &record.provider_ids {
        lines.push(format!("{name}: {id}"));
    }
    lines.push(next_line(record));
    lines
}

fn next_line(record: &DeliveryRecord) -> String {
    match (record.state, record.next_attempt_at, record.lease_until) {
        (DeliveryState::Sending, _, Some(until)) => {
            format!("a worker is sending it; if it does not report by {}, another takes over", format_instant(until))
        }
        (DeliveryState::Dead, ..) => "no further try is made; the notification is in the DLQ".to_owned(),
        (state, ..) if state.is_final() => "no further try is needed".to_owned(),
        (_, Some(at), _) => format!("the next try is at {}", format_instant(at)),
        _ => "the next try is due".to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use mantissa_contracts::ids::{AlertId, DestinationId};
    use mantissa_contracts::messages::{AttemptOutcome, DestinationType, Intent};
    use mantissa_ports::stores::{Attempt, DeliveryKey};
    use std::collections::BTreeMap;

    /// A delivery to a webhook that is being sent, after tries that ended so.
    pub(crate) fn record_of(outcomes: &[AttemptOutcome]) -> DeliveryRecord {
        let created_at = "2026-01-01T00:00:00Z".parse().unwrap();
        let key = DeliveryKey {
            alert_id: AlertId::derive(&["a"]),
            destination_id: DestinationId::new("ops"),
            intent: Intent::Open,
            about_revision: 0,
        };
        let attempts = outcomes.iter().zip(1..).map(|(outcome, number)| Attempt {
            number,
            at: created_at,
            outcome: *outcome,
            http_status: Some(500),
            reason: format!("ended {outcome:?}"),
            duration_ms: 12,
        });
        DeliveryRecord {
            delivery_id: key.delivery_id(),
            key,
            destination_type: DestinationType::Webhook,
            state: DeliveryState::Sending,
            attempts: attempts.collect(),
            created_at,
            updated_at: created_at,
            next_attempt_at: None,
            owner: Some("w".to_owned()),
            lease_until: Some(created_at),
            possible_duplicate: false,
            provider_ids: BTreeMap::new(),
            reopened_at: None,
        }
    }

    #[test]
    fn every_try_and_what_comes_next_is_told() {
        let mut record = record_of(&[AttemptOutcome::Transient, AttemptOutcome::Unknown]);
        record.state = DeliveryState::Unknown;
        record.possible_duplicate = true;
        record.next_attempt_at = Some("2026-01-01T00:10:00Z".parse().unwrap());
        let lines = explain(&record);
        assert!(lines[0].contains("webhook `ops`) is unknown"), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("try 2 ") && line.ends_with("12 ms: ended Unknown")));
        assert!(lines.iter().any(|line| line.contains("seen it twice")));
        assert_eq!(lines.last().unwrap(), "the next try is at 2026-01-01T00:10:00.000Z");
    }

    #[test]
    fn a_dead_delivery_names_the_dlq() {
        let mut record = record_of(&[AttemptOutcome::Permanent]);
        record.state = DeliveryState::Dead;
        assert!(explain(&record).last().unwrap().contains("DLQ"));
    }
}
