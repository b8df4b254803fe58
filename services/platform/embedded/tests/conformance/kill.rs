//! A process that sends and acknowledges is killed in the middle, again and again, and nothing it was told is untrue.
//!
//! The child is this test binary, told by a file which database to use. It writes a line to a log after each
//! answer: `sent N` once a send returned, `acked N` once an acknowledgement returned; and `acking N` before it asks.
//! What was asked and not answered may have happened or not; what was answered has.

use mantissa_contracts::topology::{QueueSpec, find_queue};
use mantissa_embedded::sqlite::{SqliteDb, SqliteQueue};
use mantissa_ports::memory::TestClock;
use mantissa_ports::{Clock, Outgoing, Queue, SystemClock};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const N_KILLS: u64 = 12;
/// Longer than the test: no receipt of a child goes stale.
const HIDDEN: Duration = Duration::from_secs(600);
const CHILD_DIR: &str = "MANTISSA_KILL_TEST_DIR";

fn spec() -> &'static QueueSpec {
    find_queue("dedup-rule_matched").unwrap()
}

fn message(number: u64) -> Outgoing {
    Outgoing {
        message_name: "rule_matched".to_owned(),
        id: mantissa_contracts::ids::derive("kill", &[&number.to_string()]),
        body: number.to_string(),
        attributes: BTreeMap::new(),
        delay: Duration::ZERO,
    }
}

fn open(dir: &Path, clock: impl Clock + 'static) -> Arc<SqliteQueue> {
    let db = SqliteDb::open(dir.join("mantissa.db"), Arc::new(clock)).unwrap();
    Arc::new(SqliteQueue::new(db, spec()))
}

/// What the child does until it is killed. A no-op when the tests are run by anyone else.
#[test]
#[expect(clippy::disallowed_methods, reason = "a child is told by its environment that it is one")]
fn child() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let dir = Path::new(&dir);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let queue = open(dir, SystemClock);
        let log = |line: String| {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(dir.join("log")).unwrap();
            file.write_all(line.as_bytes()).unwrap();
        };
        let first = std::fs::read_to_string(dir.join("first")).unwrap().trim().parse::<u64>().unwrap();
        let sender = {
            let queue = queue.clone();
            async move {
                for number in (first..).step_by(4) {
                    let batch: Vec<_> = (number..number + 4).map(message).collect();
                    queue.send(&batch).await.unwrap();
                    log((number..number + 4).map(|n| format!("sent {n}\n")).collect());
                }
            }
        };
        let receiver = async move {
            loop {
                let received = queue.receive(8, HIDDEN, Duration::from_millis(20)).await.unwrap();
                // Half are left to come back.
                let acked: Vec<_> = received.iter().filter(|m| m.body.parse::<u64>().unwrap() % 2 == 0).collect();
                let receipts: Vec<_> = acked.iter().map(|message| message.receipt.clone()).collect();
                log(acked.iter().map(|message| format!("acking {}\n", message.body)).collect());
                queue.ack(&receipts).await.unwrap();
                log(acked.iter().map(|message| format!("acked {}\n", message.body)).collect());
            }
        };
        tokio::join!(sender, receiver);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_process_loses_no_send_and_revives_no_acknowledged_message() {
    let dir = tempfile::tempdir().unwrap();
    let mut sent = BTreeSet::new();
    let (mut acking, mut acked) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..N_KILLS {
        std::fs::write(dir.path().join("first"), (round * 1_000_000).to_string()).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--test-threads=1"])
            .env(CHILD_DIR, dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Each round dies at another moment, the first ones while the file is being made.
        tokio::time::sleep(Duration::from_millis(20 + round * 37)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let log = std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
        for line in log.lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next().and_then(|word| word.parse::<u64>().ok())) {
                (Some("sent"), Some(number)) => _ = sent.insert(number),
                (Some("acking"), Some(number)) => _ = acking.insert(number),
                (Some("acked"), Some(number)) => _ = acked.insert(number),
                _ => panic!("the child wrote `{line}`"),
            }
        }
    }
    assert!(sent.len() > 100, "the children sent only {} messages", sent.len());
    assert!(acked.len() > 20, "the children acknowledged only {} messages", acked.len());

    // Everything the children held is visible again by then.
    let queue = open(dir.path(), TestClock::new(SystemClock.now() + HIDDEN * 2));
    let mut left: BTreeMap<u64, u32> = BTreeMap::new();
    loop {
        let received = queue.receive(100, HIDDEN, Duration::ZERO).await.unwrap();
        if received.is_empty() {
            break;
        }
        for message in received {
            *left.entry(message.body.parse().unwrap()).or_default() += 1;
        }
    }
    let lost: Vec<_> = sent.iter().filter(|number| !left.contains_key(number) && !acking.contains(number)).collect();
    assert!(lost.is_empty(), "sent, never acknowledged, and gone: {lost:?}");
    let doubled: Vec<_> = left.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "sent once and there twice: {doubled:?}");
    let revived: Vec<_> = acked.iter().filter(|number| left.contains_key(number)).collect();
    assert!(revived.is_empty(), "acknowledged and still there: {revived:?}");
}
