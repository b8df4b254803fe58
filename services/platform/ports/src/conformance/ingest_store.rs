//! The contract of the IngestStore port.

use super::Fixture;
use super::fixture::skip_durability;
use super::samples::{at, window};
use crate::stores::{BeginOutcome, EventSpan, IngestedObject, LakeCommit};
use mantissa_contracts::ids::ObjectId;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

#[macro_export]
macro_rules! ingest_store_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { ingest_store, [$($how)*],
            stamp_before_the_seal_is_refused_and_changes_nothing
            stamp_at_the_seal_is_taken
            begin_again_replaces_the_earlier_intent
            begin_of_a_completed_part_is_already_complete
            seal_stops_at_the_earliest_open_intent
            seal_never_moves_back
            seals_of_tables_are_apart
            lapsed_intent_does_not_hold_the_seal_and_cannot_complete
            complete_is_true_again_and_false_for_another_stamp
            event_span_covers_completed_parts_in_the_window
            recorded_object_is_replaced
            objects_are_newest_first
            racing_begins_and_seals_leave_no_part_behind_the_seal
            racing_sealers_never_pass_an_open_part
            racing_begins_of_one_part_leave_nothing_that_holds_the_seal
            ingests_survive_a_restart
        }
    };
}

fn commit(object: &str, part: u32, stamp: i64) -> LakeCommit {
    LakeCommit {
        object_id: ObjectId::new(object),
        part,
        table: "t".to_owned(),
        stamp: at(stamp),
        event_from: at(stamp - 100),
        event_to: at(stamp - 50),
        n_records: 7,
    }
}

async fn complete(fixture: &dyn Fixture, object: &str, part: u32, stamp: i64) -> bool {
    fixture.ingests().complete(&ObjectId::new(object), part, at(stamp)).await.unwrap()
}

/// Seals with nothing lapsed.
async fn seal(fixture: &dyn Fixture, until: i64) -> i64 {
    let sealed = fixture.ingests().seal("t", at(until), at(-1_000_000)).await.unwrap();
    (sealed - at(0)).num_minutes()
}

async fn begin(fixture: &dyn Fixture, commit: &LakeCommit) -> BeginOutcome {
    fixture.ingests().begin(commit).await.unwrap()
}

pub async fn stamp_before_the_seal_is_refused_and_changes_nothing(fixture: &dyn Fixture) {
    assert_eq!(seal(fixture, 10).await, 10);
    assert_eq!(begin(fixture, &commit("o", 0, 9)).await, BeginOutcome::Sealed { until: at(10) });
    assert!(!complete(fixture, "o", 0, 9).await);
    assert_eq!(seal(fixture, 20).await, 20);
}

pub async fn stamp_at_the_seal_is_taken(fixture: &dyn Fixture) {
    seal(fixture, 10).await;
    assert_eq!(begin(fixture, &commit("o", 0, 10)).await, BeginOutcome::Begun);
}

pub async fn begin_again_replaces_the_earlier_intent(fixture: &dyn Fixture) {
    begin(fixture, &commit("o", 0, 5)).await;
    assert_eq!(begin(fixture, &commit("o", 0, 8)).await, BeginOutcome::Begun);
    assert_eq!(seal(fixture, 20).await, 8);
    assert!(!complete(fixture, "o", 0, 5).await);
    assert!(complete(fixture, "o", 0, 8).await);
}

pub async fn begin_of_a_completed_part_is_already_complete(fixture: &dyn Fixture) {
    begin(fixture, &commit("o", 0, 5)).await;
    assert!(complete(fixture, "o", 0, 5).await);
    assert_eq!(begin(fixture, &commit("o", 0, 9)).await, BeginOutcome::AlreadyComplete);
    seal(fixture, 20).await;
    assert_eq!(begin(fixture, &commit("o", 0, 9)).await, BeginOutcome::AlreadyComplete);
    assert_eq!(begin(fixture, &commit("o", 1, 21)).await, BeginOutcome::Begun);
}

pub async fn seal_stops_at_the_earliest_open_intent(fixture: &dyn Fixture) {
    for (part, stamp) in [(0, 5), (1, 7), (2, 3)] {
        begin(fixture, &commit("o", part, stamp)).await;
    }
    assert_eq!(seal(fixture, 20).await, 3);
    complete(fixture, "o", 2, 3).await;
    assert_eq!(seal(fixture, 20).await, 5);
    complete(fixture, "o", 0, 5).await;
    assert_eq!(seal(fixture, 6).await, 6);
    complete(fixture, "o", 1, 7).await;
    assert_eq!(seal(fixture, 20).await, 20);
}

pub async fn seal_never_moves_back(fixture: &dyn Fixture) {
    seal(fixture, 10).await;
    assert_eq!(seal(fixture, 4).await, 10);
    assert_eq!(begin(fixture, &commit("o", 0, 5)).await, BeginOutcome::Sealed { until: at(10) });
}

pub async fn seals_of_tables_are_apart(fixture: &dyn Fixture) {
    seal(fixture, 10).await;
    let other = LakeCommit { table: "u".to_owned(), ..commit("o", 0, 1) };
    assert_eq!(begin(fixture, &other).await, BeginOutcome::Begun);
    assert_eq!(seal(fixture, 20).await, 20);
}

pub async fn lapsed_intent_does_not_hold_the_seal_and_cannot_complete(fixture: &dyn Fixture) {
    begin(fixture, &commit("o", 0, 3)).await;
    begin(fixture, &commit("o", 1, 8)).await;
    assert_eq!(fixture.ingests().seal("t", at(20), at(8)).await.unwrap(), at(8));
    assert!(!complete(fixture, "o", 0, 3).await);
    assert!(complete(fixture, "o", 1, 8).await);
    assert_eq!(begin(fixture, &commit("o", 0, 9)).await, BeginOutcome::Begun);
    assert!(complete(fixture, "o", 0, 9).await);
}

pub async fn complete_is_true_again_and_false_for_another_stamp(fixture: &dyn Fixture) {
    assert!(!complete(fixture, "o", 0, 5).await);
    begin(fixture, &commit("o", 0, 5)).await;
    assert!(complete(fixture, "o", 0, 5).await);
    assert!(complete(fixture, "o", 0, 5).await);
    assert!(!complete(fixture, "o", 0, 6).await);
}

pub async fn event_span_covers_completed_parts_in_the_window(fixture: &dyn Fixture) {
    for (part, stamp) in [(0, 9), (1, 10), (2, 19), (3, 20), (4, 15)] {
        begin(fixture, &commit("o", part, stamp)).await;
        if part != 4 {
            complete(fixture, "o", part, stamp).await;
        }
    }
    let span = fixture.ingests().event_span("t", window(10, 20)).await.unwrap();
    assert_eq!(span, Some(EventSpan { from: at(-90), to: at(-31), n_records: 14 }));
    assert_eq!(fixture.ingests().event_span("t", window(11, 19)).await.unwrap(), None);
    assert_eq!(fixture.ingests().event_span("u", window(0, 30)).await.unwrap(), None);
}

fn object(id: &str, ingested: i64) -> IngestedObject {
    IngestedObject {
        object_id: ObjectId::new(id),
        location: format!("/logs/{id}.json.gz"),
        table: "t".to_owned(),
        size_bytes: 5_000_000_000,
        n_records: 3,
        n_quarantined: 1,
        ingested_at: at(ingested),
    }
}

pub async fn recorded_object_is_replaced(fixture: &dyn Fixture) {
    let store = fixture.ingests();
    assert_eq!(store.object(&ObjectId::new("a")).await.unwrap(), None);
    store.record_object(&object("a", 1)).await.unwrap();
    let changed = IngestedObject { n_quarantined: 0, ..object("a", 2) };
    store.record_object(&changed).await.unwrap();
    assert_eq!(store.object(&ObjectId::new("a")).await.unwrap(), Some(changed.clone()));
    assert_eq!(store.objects(10).await.unwrap(), [changed]);
}

pub async fn objects_are_newest_first(fixture: &dyn Fixture) {
    let store = fixture.ingests();
    for (id, ingested) in [("a", 1), ("c", 3), ("b", 3), ("d", 2)] {
        store.record_object(&object(id, ingested)).await.unwrap();
    }
    assert_eq!(store.objects(3).await.unwrap(), [object("c", 3), object("b", 3), object("d", 2)]);
}

pub async fn racing_begins_and_seals_leave_no_part_behind_the_seal(fixture: &dyn Fixture) {
    let mut tasks = Vec::new();
    for object in 0..10 {
        let store = fixture.ingests();
        tasks.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            for stamp in 0..10 {
                let commit = commit(&format!("o{object}"), stamp, i64::from(stamp));
                // What begin lets through must not be passed by a seal before it is completed.
                if store.begin(&commit).await.unwrap() == BeginOutcome::Begun {
                    let sealed = store.seal("t", at(i64::from(stamp) + 1), at(-1_000_000)).await.unwrap();
                    seen.push((sealed, commit.stamp));
                    assert!(store.complete(&commit.object_id, commit.part, commit.stamp).await.unwrap());
                }
            }
            seen
        }));
    }
    let store: Arc<_> = fixture.ingests();
    for task in tasks {
        for (sealed, stamp) in task.await.unwrap() {
            assert!(sealed <= stamp, "sealed to {sealed} past the open intent at {stamp}");
        }
    }
    assert_eq!(store.seal("t", at(10), at(-1_000_000)).await.unwrap(), at(10));
}

pub async fn racing_sealers_never_pass_an_open_part(fixture: &dyn Fixture) {
    // The furthest any seal said it got.
    let furthest = Arc::new(AtomicI64::new(i64::MIN));
    let sealers = [7, 4, 9].map(|step: i64| {
        let (store, furthest) = (fixture.ingests(), furthest.clone());
        tokio::spawn(async move {
            for round in 0..15 {
                // Each goes its own way up, and back below what another has sealed.
                let until = (round * step) % 40;
                let sealed = store.seal("t", at(until), at(-1_000_000)).await.unwrap();
                furthest.fetch_max((sealed - at(0)).num_minutes(), Ordering::SeqCst);
            }
        })
    });
    let beginners = (0..4).map(|object| {
        let (store, furthest) = (fixture.ingests(), furthest.clone());
        tokio::spawn(async move {
            for part in 0..15_u32 {
                let stamp = i64::from(part * 7 + object) % 40;
                let commit = commit(&format!("o{object}"), part, stamp);
                if store.begin(&commit).await.unwrap() == BeginOutcome::Begun {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    let sealed = furthest.load(Ordering::SeqCst);
                    assert!(sealed <= stamp, "sealed to {sealed} past the open part at {stamp}");
                    assert!(store.complete(&commit.object_id, commit.part, commit.stamp).await.unwrap());
                }
            }
        })
    });
    for task in sealers.into_iter().chain(beginners) {
        task.await.unwrap();
    }
}

pub async fn racing_begins_of_one_part_leave_nothing_that_holds_the_seal(fixture: &dyn Fixture) {
    for part in 0..15 {
        // The object was delivered several times, and each worker stamps the part anew.
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let store = fixture.ingests();
                let commit = commit("o", part, i64::from(part) * 10 + worker);
                tokio::spawn(async move {
                    if store.begin(&commit).await.unwrap() == BeginOutcome::Begun {
                        // Another may have begun it again with its own stamp.
                        store.complete(&commit.object_id, commit.part, commit.stamp).await.unwrap();
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        let until = i64::from(part) * 10 + 9;
        assert_eq!(seal(fixture, until).await, until, "part {part} is complete, and its seal is held");
    }
}

pub async fn ingests_survive_a_restart(fixture: &dyn Fixture) {
    begin(fixture, &commit("o", 0, 5)).await;
    begin(fixture, &commit("o", 1, 6)).await;
    complete(fixture, "o", 0, 5).await;
    fixture.ingests().record_object(&object("a", 1)).await.unwrap();
    let Some(reopened) = fixture.reopen().await else { return skip_durability() };
    let fixture = reopened.as_ref();
    assert_eq!(begin(fixture, &commit("o", 0, 9)).await, BeginOutcome::AlreadyComplete);
    assert_eq!(seal(fixture, 20).await, 6);
    assert!(fixture.ingests().object(&ObjectId::new("a")).await.unwrap().is_some());
}
