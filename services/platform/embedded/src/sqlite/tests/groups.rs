//! Many writes in one transaction, each on its own.

use super::super::error::SqliteError;
use super::super::write_in_groups::WriteTx;
use super::*;
use mantissa_contracts::time::Instant;
use mantissa_ports::{Clock, Queue};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;

/// Each transaction gets another time.
struct CountingClock(AtomicI64);

impl Clock for CountingClock {
    fn now(&self) -> Instant {
        Instant::from_timestamp_millis(self.0.fetch_add(1, Ordering::SeqCst)).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_wait_share_one_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(CountingClock(AtomicI64::new(0)));
    let db = SqliteDb::open(dir.path().join("mantissa.db"), clock).unwrap();
    let (release, released) = mpsc::channel::<()>();
    let write = |work: Box<dyn FnOnce() + Send>| {
        let db = db.clone();
        tokio::spawn(async move {
            let run = move |tx: &WriteTx<'_>| {
                work();
                Ok(tx.now)
            };
            db.write("test", "group", run).await.unwrap()
        })
    };
    let first = write(Box::new(move || released.recv().unwrap()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let others: Vec<_> = (0..100).map(|_| write(Box::new(|| ()))).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    release.send(()).unwrap();
    first.await.unwrap();
    let mut transactions = BTreeSet::new();
    for other in others {
        transactions.insert(other.await.unwrap());
    }
    assert_eq!(transactions.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_write_undoes_itself_and_nothing_else_of_its_group() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir);
    let insert = |id: i64, fails: bool| {
        let db = db.clone();
        async move {
            let work = move |tx: &WriteTx<'_>| {
                let sql = "INSERT INTO destinations (destination_id, document) VALUES (?1, '{}')";
                tx.conn.prepare_cached(sql)?.execute([id.to_string()])?;
                if fails { Err(SqliteError::Refused { reason: "on purpose" }) } else { Ok(()) }
            };
            db.write("test", "group", work).await
        }
    };
    let results = futures::future::join_all((0..50).map(|id| insert(id, id % 5 == 0))).await;
    for (id, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), id % 5 == 0, "{result:?}");
    }
    let n_rows: i64 = stranger(&dir).query_row("SELECT count(*) FROM destinations", [], |row| row.get(0)).unwrap();
    assert_eq!(n_rows, 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_handles_on_one_file_do_not_fail_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let handles = [queue(&open(&dir)), queue(&open(&dir))];
    let sends = (0..200).map(|i| {
        let queue = handles[i % 2].clone();
        tokio::spawn(async move { queue.send(&[message(&i.to_string())]).await.unwrap() })
    });
    for send in futures::future::join_all(sends).await {
        send.unwrap();
    }
    assert_eq!(handles[0].depth().await.unwrap().n_visible, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receiver_sees_what_another_handle_sent_without_being_woken() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (queue(&open(&dir)), queue(&open(&dir)));
    let waiting = tokio::spawn(async move { here.receive(1, Duration::from_secs(60), Duration::from_secs(20)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    there.send(&[message("a")]).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().len(), 1);
}

/// Not a measurement to rely on, but printed with `--nocapture` it tells how far group commit carries.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_small_writes_go_through() {
    const N_WRITES: usize = 4_000;
    let dir = tempfile::tempdir().unwrap();
    let queue = queue(&open(&dir));
    let started = std::time::Instant::now();
    let sends = (0..N_WRITES).map(|i| {
        let queue = queue.clone();
        tokio::spawn(async move { queue.send(&[message(&i.to_string())]).await.unwrap() })
    });
    for send in futures::future::join_all(sends).await {
        send.unwrap();
    }
    println!("{:.0} writes a second", N_WRITES as f64 / started.elapsed().as_secs_f64());
    assert_eq!(queue.depth().await.unwrap().n_visible, N_WRITES as u64);
}
