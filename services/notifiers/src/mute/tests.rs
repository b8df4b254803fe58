use super::*;
use crate::test_send::sample_alert;
use crate::why::tests::record_of;
use mantissa_contracts::ids::{AlertId, DestinationId, RuleId};
use mantissa_contracts::messages::{DestinationType, KeyPart, NotificationReason, Severity};
use mantissa_domain::system_alert::SystemAlert;

fn now() -> Instant {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

fn destination(enabled: bool) -> Destination {
    Destination {
        destination_id: DestinationId::new("ops"),
        destination_type: DestinationType::Webhook,
        enabled,
        disabled_reason: None,
        settings: BTreeMap::new(),
    }
}

fn request(intent: Intent, alert_revision: u64) -> NotificationRequested {
    NotificationRequested {
        alert_id: AlertId::derive(&["a"]),
        alert_revision,
        destination_id: DestinationId::new("ops"),
        destination_type: DestinationType::Webhook,
        intent,
        reason: NotificationReason::FirstNotification,
        severity: Severity::High,
        rule_id: RuleId::new("r"),
        log_source: "cloudtrail".to_owned(),
    }
}

fn alert(status: AlertStatus) -> AlertSnapshot {
    AlertSnapshot { status, ..sample_alert(now()) }
}

fn opening(state: DeliveryState) -> DeliveryRecord {
    let mut record = record_of(&[]);
    record.state = state;
    record.lease_until = (state == DeliveryState::Sending).then(|| now() + chrono::TimeDelta::seconds(30));
    record
}

fn ruling(intent: Intent, status: AlertStatus, earlier: &[DeliveryRecord]) -> Ruling {
    mute(&request(intent, 3), &alert(status), Some(&destination(true)), earlier, now())
}

const CLOSED: AlertStatus = AlertStatus::Closed;
const OPEN: AlertStatus = AlertStatus::Open;

#[test]
fn an_opening_for_a_closed_alert_is_suppressed() {
    assert_eq!(ruling(Intent::Open, CLOSED, &[]), Ruling::Suppress(SuppressReason::AlertAlreadyClosed));
    assert_eq!(ruling(Intent::Update, CLOSED, &[]), Ruling::Suppress(SuppressReason::AlertAlreadyClosed));
    assert_eq!(ruling(Intent::Open, OPEN, &[]), Ruling::Deliver);
    assert_eq!(ruling(Intent::Open, AlertStatus::Acknowledged, &[]), Ruling::Deliver);
}

#[test]
fn a_closing_is_sent_only_where_something_may_stand() {
    use DeliveryState::{Dead, Delivered, Failed, Pending, Posted, Suppressed, Unknown};
    let nothing = Ruling::Suppress(SuppressReason::NothingOpenedHere);
    assert_eq!(ruling(Intent::Close, CLOSED, &[]), nothing);
    for state in [Dead, Failed, Pending, Suppressed] {
        assert_eq!(ruling(Intent::Close, CLOSED, &[opening(state)]), nothing, "{state}");
        let maybe = DeliveryRecord { possible_duplicate: true, ..opening(state) };
        assert_eq!(ruling(Intent::Close, CLOSED, &[maybe]), Ruling::Deliver, "{state} after a lapsed claim");
        let unanswered = DeliveryRecord { state, ..record_of(&[AttemptOutcome::Unknown]) };
        assert_eq!(ruling(Intent::Close, CLOSED, &[unanswered]), Ruling::Deliver, "{state} after no answer");
    }
    for state in [Delivered, Posted, Unknown] {
        assert_eq!(ruling(Intent::Close, CLOSED, &[opening(state)]), Ruling::Deliver, "{state}");
    }
}

#[test]
fn what_stands_at_another_destination_is_not_closed_here() {
    let mut elsewhere = opening(DeliveryState::Delivered);
    elsewhere.key.destination_id = DestinationId::new("other");
    assert_eq!(ruling(Intent::Close, CLOSED, &[elsewhere]), Ruling::Suppress(SuppressReason::NothingOpenedHere));
}

#[test]
fn a_closing_waits_for_an_opening_that_is_being_sent() {
    let sending = opening(DeliveryState::Sending);
    let until = sending.lease_until.unwrap();
    assert_eq!(ruling(Intent::Close, CLOSED, std::slice::from_ref(&sending)), Ruling::Wait { until });
    assert_eq!(ruling(Intent::Update, OPEN, std::slice::from_ref(&sending)), Ruling::Wait { until });
    let lapsed = DeliveryRecord { lease_until: Some(now()), ..sending };
    assert_eq!(ruling(Intent::Close, CLOSED, &[lapsed]), Ruling::Deliver);
}

#[test]
fn an_update_is_sent_unless_something_shows_it() {
    use DeliveryState::{Dead, Delivered, Failed};
    assert_eq!(ruling(Intent::Update, OPEN, &[]), Ruling::Deliver);
    assert_eq!(ruling(Intent::Update, OPEN, &[opening(Dead)]), Ruling::Deliver);
    let will = Ruling::Suppress(SuppressReason::OpeningShowsIt);
    assert_eq!(ruling(Intent::Update, OPEN, &[opening(Failed)]), will);
    for (shown, expected) in [
        ("2", Ruling::Deliver),
        ("3", Ruling::Suppress(SuppressReason::AlreadyShown)),
        ("4", Ruling::Suppress(SuppressReason::AlreadyShown)),
    ] {
        let mut stands = opening(Delivered);
        stands.provider_ids.insert(SHOWN_REVISION.to_owned(), shown.to_owned());
        assert_eq!(ruling(Intent::Update, OPEN, &[stands]), expected, "shown revision {shown}");
    }
}

#[test]
fn destinations_that_are_off_or_gone_get_nothing() {
    let rule =
        |destination: Option<&Destination>| mute(&request(Intent::Open, 1), &alert(OPEN), destination, &[], now());
    assert_eq!(rule(None), Ruling::Suppress(SuppressReason::DestinationRemoved));
    assert_eq!(rule(Some(&destination(false))), Ruling::Suppress(SuppressReason::DestinationDisabled));
}

#[test]
fn a_system_alert_about_a_destination_is_not_sent_to_it() {
    let about = |name: &str| {
        let mut alert = alert(OPEN);
        alert.rule.rule_id = SystemAlert::DestinationFailing.rule_id();
        alert.alert_key = vec![KeyPart { field: "subject".to_owned(), value: Some(name.to_owned()) }];
        mute(&request(Intent::Open, 1), &alert, Some(&destination(true)), &[], now())
    };
    assert_eq!(about("ops"), Ruling::Suppress(SuppressReason::AboutThisDestination));
    assert_eq!(about("other"), Ruling::Deliver);
}

#[test]
fn opening_that_some_of_its_recipients_got_is_updated_and_closed() {
    for state in [DeliveryState::Failed, DeliveryState::Dead] {
        let nobody_got = opening(state);
        assert_ne!(ruling(Intent::Close, CLOSED, &[nobody_got]), Ruling::Deliver);
        let mut some_got = opening(state);
        some_got.provider_ids.insert(TAKEN_FOR.to_owned(), "[\"a@b.c\"]".to_owned());
        some_got.provider_ids.insert(SHOWN_REVISION.to_owned(), "2".to_owned());
        assert_eq!(ruling(Intent::Close, CLOSED, &[some_got.clone()]), Ruling::Deliver);
        assert_eq!(ruling(Intent::Update, OPEN, &[some_got]), Ruling::Deliver);
    }
}
