//! What the port suites do not cover: groups, failures, corruption, other processes.

mod failures;
mod files;
mod groups;
mod held;

use super::{SqliteDb, SqliteQueue};
use mantissa_contracts::topology::{QueueSpec, find_queue};
use mantissa_ports::Outgoing;
use mantissa_ports::memory::TestClock;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

fn spec() -> &'static QueueSpec {
    find_queue("dedup-rule_matched").unwrap()
}

fn message(body: &str) -> Outgoing {
    Outgoing {
        message_name: "rule_matched".to_owned(),
        id: mantissa_contracts::ids::derive("test", &[body]),
        body: body.to_owned(),
        attributes: [("type".to_owned(), "mantissa.rule_matched.v1".to_owned())].into(),
        delay: Duration::ZERO,
    }
}

fn open(dir: &TempDir) -> Arc<SqliteDb> {
    SqliteDb::open(dir.path().join("mantissa.db"), Arc::new(TestClock::default())).unwrap()
}

fn queue(db: &Arc<SqliteDb>) -> Arc<SqliteQueue> {
    Arc::new(SqliteQueue::new(db.clone(), spec()))
}

/// A connection that is none of ours, as a person's or another program's.
fn stranger(dir: &TempDir) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(dir.path().join("mantissa.db")).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection
}
