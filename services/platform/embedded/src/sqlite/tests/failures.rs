//! A full disk and corrupted rows.

use super::super::write_in_groups::WriteTx;
use super::*;
use mantissa_ports::{Clock, Queue};

async fn limit_pages(db: &SqliteDb, n_pages: u32) {
    let limit = move |tx: &WriteTx<'_>| {
        Ok(tx.conn.query_row(&format!("PRAGMA max_page_count = {n_pages}"), [], |row| row.get::<_, i64>(0))?)
    };
    db.write("test", "pages", limit).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_is_a_transient_error_that_says_so_and_passes() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir);
    let queue = queue(&db);
    queue.send(&[message("kept")]).await.unwrap();
    // SQLite reports a file at its page limit as it reports a full disk.
    limit_pages(&db, 1).await;
    let large = message(&"x".repeat(100_000));
    let error = queue.send(std::slice::from_ref(&large)).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(queue.depth().await.unwrap().n_visible, 1);
    limit_pages(&db, 1_000_000).await;
    queue.send(&[large]).await.unwrap();
    assert_eq!(queue.depth().await.unwrap().n_visible, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn corrupted_message_goes_to_the_dlq_with_a_reason_and_the_rest_is_received() {
    let dir = tempfile::tempdir().unwrap();
    let queue = queue(&open(&dir));
    queue.send(&["a", "b", "c", "d"].map(message)).await.unwrap();
    let stranger = stranger(&dir);
    stranger.execute("UPDATE messages SET body = CAST(X'62FF' AS TEXT) WHERE body = 'b'", []).unwrap();
    stranger.execute("UPDATE messages SET attributes = '{\"type\": 7' WHERE body = 'c'", []).unwrap();

    let received = queue.receive(10, Duration::from_secs(60), Duration::ZERO).await.unwrap();
    let mut bodies: Vec<_> = received.iter().map(|message| message.body.as_str()).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["a", "d"]);
    let dead = queue.dead(10, None).await.unwrap();
    assert_eq!(dead.len(), 2);
    let by_body = |body: &str| dead.iter().find(|dead| dead.body == body).unwrap();
    assert!(by_body("b\u{fffd}").reason.contains("body is not UTF-8"), "{}", by_body("b\u{fffd}").reason);
    assert!(by_body("c").reason.contains("attributes cannot be read"), "{}", by_body("c").reason);
    let kept: Vec<u8> = stranger
        .query_row("SELECT CAST(body AS BLOB) FROM dead_messages WHERE reason LIKE '%UTF-8%'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, b"b\xff");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receive_fills_up_to_max_past_corrupted_messages() {
    let dir = tempfile::tempdir().unwrap();
    let queue = queue(&open(&dir));
    queue.send(&(0..20).map(|i| message(&i.to_string())).collect::<Vec<_>>()).await.unwrap();
    stranger(&dir).execute("UPDATE messages SET attributes = 'no' WHERE id <= 10", []).unwrap();
    let received = queue.receive(5, Duration::from_secs(60), Duration::ZERO).await.unwrap();
    assert_eq!(received.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purge_deletes_only_what_died_before() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::default();
    let db = SqliteDb::open(dir.path().join("mantissa.db"), Arc::new(clock.clone())).unwrap();
    let queue = queue(&db);
    for body in ["old", "new"] {
        queue.send(&[message(body)]).await.unwrap();
        let received = queue.receive(1, Duration::from_secs(60), Duration::ZERO).await.unwrap();
        queue.dead_letter(&received[0].receipt, "bad").await.unwrap();
        clock.advance(Duration::from_secs(10));
    }
    assert_eq!(db.purge_dead_messages(clock.now() - Duration::from_secs(10)).await.unwrap(), 1);
    assert_eq!(queue.dead(10, None).await.unwrap()[0].body, "new");
}
