//! The contract of the DeliveryStore port.

use super::Fixture;
use super::fixture::skip_durability;
use super::samples::{alert, at, publishable, published, unroutable};
use crate::stores::{Attempt, AttemptRecord, ClaimOutcome, DeliveryKey, DeliveryRecord};
use mantissa_contracts::ids::DestinationId;
use mantissa_contracts::messages::{AttemptOutcome, DeliveryState, DestinationType, Intent};
use std::collections::BTreeMap;

#[macro_export]
macro_rules! delivery_store_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { delivery_store, [$($how)*],
            first_claim_creates_the_record
            racing_claims_succeed_once
            claimed_delivery_is_busy_until_its_lease
            lapsed_claim_is_taken_over_and_marked_a_possible_duplicate
            delivery_waits_for_its_next_attempt
            final_delivery_is_final_until_it_is_reopened
            dead_delivery_is_reopened_once_and_tried_anew
            reopening_what_is_not_dead_changes_nothing
            recorded_attempt_sets_everything_and_publishes
            attempts_and_provider_ids_add_up
            record_of_another_owner_does_nothing
            record_after_the_claim_ended_does_nothing
            record_whose_message_cannot_be_published_changes_nothing
            possible_duplicate_is_never_unset
            deliveries_of_an_alert_are_oldest_first
            counts_are_per_state
            deliveries_survive_a_restart
        }
    };
}

fn key(destination: &str, intent: Intent) -> DeliveryKey {
    DeliveryKey {
        alert_id: alert("r", "a", 0).alert_id,
        destination_id: DestinationId::new(destination),
        intent,
        about_revision: 0,
    }
}

fn soc() -> DeliveryKey {
    key("soc", Intent::Open)
}

/// Claims at minute `now` with a lease of two minutes.
async fn claim_key(fixture: &dyn Fixture, key: &DeliveryKey, owner: &str, now: i64) -> ClaimOutcome {
    fixture.deliveries().claim(key, DestinationType::Slack, owner, at(now), at(now + 2)).await.unwrap()
}

async fn claim(fixture: &dyn Fixture, owner: &str, now: i64) -> ClaimOutcome {
    claim_key(fixture, &soc(), owner, now).await
}

async fn claimed(fixture: &dyn Fixture, owner: &str, now: i64) -> DeliveryRecord {
    match claim(fixture, owner, now).await {
        ClaimOutcome::Claimed(record) => record,
        other => panic!("expected a claim, got {other:?}"),
    }
}

fn ended(owner: &str, now: i64, state: DeliveryState, next: Option<i64>) -> AttemptRecord {
    AttemptRecord {
        delivery_id: soc().delivery_id(),
        owner: owner.to_owned(),
        attempt: Attempt {
            number: 1,
            at: at(now),
            outcome: AttemptOutcome::Transient,
            http_status: Some(503),
            reason: "the server answered 503".to_owned(),
            duration_ms: 20,
        },
        state,
        next_attempt_at: next.map(at),
        possible_duplicate: false,
        provider_ids: BTreeMap::new(),
        outgoing: publishable(&format!("{owner} {now}")).0,
    }
}

async fn record(fixture: &dyn Fixture, record: &AttemptRecord) -> bool {
    fixture.deliveries().record(record).await.unwrap()
}

async fn stored(fixture: &dyn Fixture) -> DeliveryRecord {
    fixture.deliveries().get(&soc().delivery_id()).await.unwrap().expect("the delivery is stored")
}

pub async fn first_claim_creates_the_record(fixture: &dyn Fixture) {
    assert_eq!(fixture.deliveries().get(&soc().delivery_id()).await.unwrap(), None);
    let expected = DeliveryRecord {
        delivery_id: soc().delivery_id(),
        key: soc(),
        destination_type: DestinationType::Slack,
        state: DeliveryState::Sending,
        attempts: Vec::new(),
        created_at: at(0),
        updated_at: at(0),
        next_attempt_at: None,
        owner: Some("w1".to_owned()),
        lease_until: Some(at(2)),
        possible_duplicate: false,
        provider_ids: BTreeMap::new(),
        reopened_at: None,
    };
    assert_eq!(claim(fixture, "w1", 0).await, ClaimOutcome::Claimed(expected.clone()));
    assert_eq!(stored(fixture).await, expected);
}

pub async fn racing_claims_succeed_once(fixture: &dyn Fixture) {
    let claims = (0..8).map(|i| {
        let deliveries = fixture.deliveries();
        tokio::spawn(async move {
            let owner = format!("w{i}");
            deliveries.claim(&soc(), DestinationType::Slack, &owner, at(0), at(2)).await.unwrap()
        })
    });
    let outcomes: Vec<_> = futures::future::join_all(claims).await.into_iter().map(|o| o.unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, ClaimOutcome::Claimed(_))).count(), 1);
    assert_eq!(outcomes.iter().filter(|o| **o == ClaimOutcome::Busy { until: at(2) }).count(), 7);
}

pub async fn claimed_delivery_is_busy_until_its_lease(fixture: &dyn Fixture) {
    claimed(fixture, "w1", 0).await;
    assert_eq!(claim(fixture, "w2", 1).await, ClaimOutcome::Busy { until: at(2) });
    assert_eq!(claim(fixture, "w1", 1).await, ClaimOutcome::Busy { until: at(2) });
}

pub async fn lapsed_claim_is_taken_over_and_marked_a_possible_duplicate(fixture: &dyn Fixture) {
    claimed(fixture, "w1", 0).await;
    let record = claimed(fixture, "w2", 2).await;
    assert_eq!((record.owner.as_deref(), record.lease_until), (Some("w2"), Some(at(4))));
    assert!(record.possible_duplicate);
    assert!(stored(fixture).await.possible_duplicate);
}

pub async fn delivery_waits_for_its_next_attempt(fixture: &dyn Fixture) {
    claimed(fixture, "w1", 0).await;
    assert!(record(fixture, &ended("w1", 1, DeliveryState::Failed, Some(5))).await);
    assert_eq!(claim(fixture, "w2", 4).await, ClaimOutcome::Waiting { until: at(5) });
    let again = claimed(fixture, "w2", 5).await;
    assert!(!again.possible_duplicate);
    assert_eq!((again.state, again.attempts.len()), (DeliveryState::Sending, 1));
}

pub async fn final_delivery_is_final_until_it_is_reopened(fixture: &dyn Fixture) {
    claimed(fixture, "w1", 0).await;
    assert!(record(fixture, &ended("w1", 1, DeliveryState::Posted, None)).await);
    for now in [1, 1_000_000] {
        match claim(fixture, "w2", now).await {
            ClaimOutcome::Final(record) => assert_eq!(record.state, DeliveryState::Posted),
            other => panic!("expected it to be final, got {other:?}"),
        }
    }
    assert!(!record(fixture, &ended("w2", 2, DeliveryState::Failed, None)).await);
}

async fn reopen(fixture: &dyn Fixture, now: i64) -> bool {
    fixture.deliveries().reopen(&soc().delivery_id(), at(now)).await.unwrap()
}

pub async fn dead_delivery_is_reopened_once_and_tried_anew(fixture: &dyn Fixture) {
    claimed(fixture, "w1", 0).await;
    assert!(record(fixture, &ended("w1", 1, DeliveryState::Dead, None)).await);
    let before = stored(fixture).await;
    assert!(reopen(fixture, 5).await);
    let expected =
        DeliveryRecord { state: DeliveryState::Pending, updated_at: at(5), reopened_at: Some(at(5)), ..before.clone() };
    assert_eq!(stored(fixture).await, expected);
    assert_eq!(expected.tried_since(), at(5));
    assert!(!reopen(fixture, 6).await);
    let again = claimed(fixture, "w2", 6).await;
    assert_eq!((again.attempts, again.created_at), (before.attempts, before.created_at));
}

pub async fn reopening_what_is_not_dead_changes_nothing(fixture: &dyn Fixture) {
    assert!(!reopen(fixture, 0).await);
    assert_eq!(fixture.deliveries().get(&soc().delivery_id()).await.unwrap(), None);
    claimed(fixture, "w1", 0).await;
    for state in [DeliveryState::Failed, DeliveryState::Unknown, DeliveryState::Posted] {
        let before = stored(fixture).await;
        assert!(!reopen(fixture, 1).await);
        assert_eq!(stored(fixture).await, before);
        assert!(record(fixture, &ended("w1", 2, state, None)).await);
        if !state.is_final() {
            claimed(fixture, "w1", 3).await;
        }
    }
    assert!(!reopen(fixture, 4).await);
}

pub async fn recorded_attempt_sets_everything_and_publishes(fixture: &dyn Fixture) {
    let before = claimed(fixture, "w1", 0).await;
    let mut end = ended("w1", 1, DeliveryState::Unknown, Some(9));
    end.possible_duplicate = true;
    end.provider_ids.insert("ts".to_owned(), "1.2".to_owned());
    assert!(record(fixture, &end).await);
    let expected = DeliveryRecord {
        state: DeliveryState::Unknown,
        attempts: vec![end.attempt.clone()],
        updated_at: at(1),
        next_attempt_at: Some(at(9)),
        owner: None,
        lease_until: None,
        possible_duplicate: true,
        provider_ids: end.provider_ids.clone(),
        ..before
    };
    assert_eq!(stored(fixture).await, expected);
    assert_eq!(published(fixture).await, publishable("w1 1").1);
}

pub async fn attempts_and_provider_ids_add_up(fixture: &dyn Fixture) {
    for (n, name) in [(0, "ts"), (5, "channel")] {
        claimed(fixture, "w1", n).await;
        let mut end = ended("w1", n + 1, DeliveryState::Failed, None);
        end.provider_ids.insert(name.to_owned(), n.to_string());
        assert!(record(fixture, &end).await);
    }
    let stored = stored(fixture).await;
    assert_eq!(stored.attempts.iter().map(|attempt| attempt.at).collect::<Vec<_>>(), [at(1), at(6)]);
    assert_eq!(
        stored.provider_ids.into_iter().collect::<Vec<_>>(),
        [("channel".to_owned(), "5".to_owned()), ("ts".to_owned(), "0".to_owned()),]
    );
}

pub async fn record_of_another_owner_does_nothing(fixture: &dyn Fixture) {
    assert!(!record(fixture, &ended("w1", 1, DeliveryState::Posted, None)).await);
    claimed(fixture, "w1", 0).await;
    claimed(fixture, "w2", 3).await;
    let before = stored(fixture).await;
    // The first worker comes back after its claim was taken over.
    assert!(!record(fixture, &ended("w1", 4, DeliveryState::Posted, None)).await);
    assert_eq!(stored(fixture).await, before);
    assert!(published(fixture).await.is_empty());
}

pub async fn record_after_the_claim_ended_does_nothing(fixture: &dyn Fixture) {
    claimed(fixture, "w1", 0).await;
    assert!(record(fixture, &ended("w1", 1, DeliveryState::Failed, None)).await);
    assert!(!record(fixture, &ended("w1", 2, DeliveryState::Posted, None)).await);
    assert_eq!(stored(fixture).await.attempts.len(), 1);
    assert_eq!(published(fixture).await.len(), 1);
}

pub async fn record_whose_message_cannot_be_published_changes_nothing(fixture: &dyn Fixture) {
    let before = claimed(fixture, "w1", 0).await;
    let mut end = ended("w1", 1, DeliveryState::Posted, None);
    end.outgoing.extend(unroutable());
    fixture.deliveries().record(&end).await.expect_err("a message without a target");
    assert_eq!(stored(fixture).await, before);
    assert!(published(fixture).await.is_empty());
}

pub async fn possible_duplicate_is_never_unset(fixture: &dyn Fixture) {
    claimed(fixture, "w1", 0).await;
    let end = AttemptRecord { possible_duplicate: true, ..ended("w1", 1, DeliveryState::Failed, None) };
    record(fixture, &end).await;
    claimed(fixture, "w1", 2).await;
    record(fixture, &ended("w1", 3, DeliveryState::Posted, None)).await;
    assert!(stored(fixture).await.possible_duplicate);
}

pub async fn deliveries_of_an_alert_are_oldest_first(fixture: &dyn Fixture) {
    for (destination, intent, now) in [("b", Intent::Close, 3), ("a", Intent::Open, 1), ("a", Intent::Update, 2)] {
        claim_key(fixture, &key(destination, intent), "w1", now).await;
    }
    let other = DeliveryKey { alert_id: alert("r", "other", 0).alert_id, ..soc() };
    claim_key(fixture, &other, "w1", 0).await;
    let found = fixture.deliveries().for_alert(&soc().alert_id).await.unwrap();
    let intents: Vec<_> = found.iter().map(|record| record.key.intent).collect();
    assert_eq!(intents, [Intent::Open, Intent::Update, Intent::Close]);
}

pub async fn counts_are_per_state(fixture: &dyn Fixture) {
    assert!(fixture.deliveries().counts().await.unwrap().is_empty());
    claim_key(fixture, &key("b", Intent::Open), "w1", 0).await;
    claim_key(fixture, &key("c", Intent::Open), "w1", 0).await;
    claimed(fixture, "w1", 0).await;
    record(fixture, &ended("w1", 1, DeliveryState::Posted, None)).await;
    let counts = fixture.deliveries().counts().await.unwrap();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("posted".to_owned(), 1), ("sending".to_owned(), 2)]);
}

pub async fn deliveries_survive_a_restart(fixture: &dyn Fixture) {
    let record = claimed(fixture, "w1", 0).await;
    let Some(reopened) = fixture.reopen().await else { return skip_durability() };
    assert_eq!(stored(reopened.as_ref()).await, record);
    assert_eq!(claim(reopened.as_ref(), "w2", 1).await, ClaimOutcome::Busy { until: at(2) });
}
