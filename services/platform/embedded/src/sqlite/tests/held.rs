//! What a killed process held, and the files of the version before.

use super::super::migrate_schema::{APPLICATION_ID, STEPS};
use super::super::{DataDirLock, SqliteIngestStore};
use super::*;
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::Instant;
use mantissa_ports::Queue as _;
use mantissa_ports::stores::{BeginOutcome, IngestStore as _, LakeCommit};

const LONG: Duration = Duration::from_secs(900);

async fn take(queue: &SqliteQueue) -> Vec<String> {
    let taken = queue.receive(10, LONG, Duration::ZERO).await.unwrap();
    taken.into_iter().map(|message| message.body).collect()
}

/// The process ends as by SIGKILL, and the next one begins.
async fn restart(dir: &TempDir, db: Arc<SqliteDb>) -> Arc<SqliteDb> {
    drop(db);
    let lock = DataDirLock::acquire(dir.path()).unwrap();
    let db = open(dir);
    db.release_held(&lock).await.unwrap();
    db
}

#[tokio::test]
async fn message_in_hand_at_the_end_is_seen_at_once_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir);
    let waiting = Outgoing { delay: LONG, ..message("delayed") };
    queue(&db).send(&[message("held"), waiting]).await.unwrap();
    assert_eq!(take(&queue(&db)).await, ["held"]);
    assert!(take(&queue(&db)).await.is_empty());

    let db = restart(&dir, db).await;
    assert_eq!(take(&queue(&db)).await, ["held"]);
}

#[tokio::test]
async fn message_that_was_put_back_to_wait_goes_on_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir);
    queue(&db).send(&[message("failed before")]).await.unwrap();
    let taken = queue(&db).receive(1, LONG, Duration::ZERO).await.unwrap();
    queue(&db).change_visibility(&taken[0].receipt, LONG).await.unwrap();

    let db = restart(&dir, db).await;
    assert!(take(&queue(&db)).await.is_empty());
}

#[tokio::test]
async fn message_that_was_in_hand_of_several_killed_processes_waits_out_its_visibility() {
    let dir = tempfile::tempdir().unwrap();
    let mut db = open(&dir);
    queue(&db).send(&[message("deadly")]).await.unwrap();
    for _ in 0..3 {
        assert_eq!(take(&queue(&db)).await, ["deadly"]);
        db = restart(&dir, db).await;
    }
    assert!(take(&queue(&db)).await.is_empty());
    assert_eq!(queue(&db).depth().await.unwrap().n_in_flight, 1);
}

#[tokio::test]
async fn commit_in_progress_at_the_end_holds_the_seal_no_longer() {
    let at = |millis| Instant::from_timestamp_millis(millis).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir);
    let commit = LakeCommit {
        object_id: ObjectId::new("object"),
        part: 0,
        table: "cloudtrail_logs".to_owned(),
        stamp: at(5_000),
        event_from: at(1),
        event_to: at(2),
        n_records: 3,
    };
    let ingests = SqliteIngestStore::new(db.clone());
    assert_eq!(ingests.begin(&commit).await.unwrap(), BeginOutcome::Begun);
    assert_eq!(ingests.seal(&commit.table, at(9_000), at(0)).await.unwrap(), at(5_000));
    drop(ingests);

    let db = restart(&dir, db).await;
    let ingests = SqliteIngestStore::new(db);
    assert_eq!(ingests.seal(&commit.table, at(9_000), at(0)).await.unwrap(), at(9_000));
    assert!(!ingests.complete(&commit.object_id, commit.part, commit.stamp).await.unwrap());
}

#[tokio::test]
async fn database_of_the_first_version_is_brought_up_with_its_messages() {
    let dir = tempfile::tempdir().unwrap();
    let first = stranger(&dir);
    first.execute_batch(STEPS[0]).unwrap();
    first.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    first.pragma_update(None, "user_version", 1).unwrap();
    let insert = "INSERT INTO messages (queue, body, attributes, receive_count, sent_at, visible_at)
                  VALUES (?1, 'of before', '{}', 0, 0, 0)";
    first.execute(insert, [spec().name]).unwrap();
    drop(first);
    assert_eq!(take(&queue(&open(&dir))).await, ["of before"]);
}
