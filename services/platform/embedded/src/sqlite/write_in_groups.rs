//! The writer thread: many writes, one transaction, one fsync.
//!
//! Writes wait in a channel. The thread takes what is there, runs each in a savepoint of its own inside one
//! `BEGIN IMMEDIATE` transaction, commits, and only then answers. While it commits the next group gathers, so the
//! group grows with the load and nobody waits for a timer.

use super::database::Arrivals;
use super::error::SqliteError;
use mantissa_contracts::time::Instant;
use mantissa_ports::Clock;
use rusqlite::Connection;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Bounds how long the first write of a group waits for the last, and what a failed commit takes with it.
const MAX_GROUP: usize = 256;
const MAX_WAITING: usize = 4096;

/// What a write works on: the connection inside the transaction, and the time the transaction began.
pub(crate) struct WriteTx<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) now: Instant,
    arrived: RefCell<BTreeSet<String>>,
}

impl WriteTx<'_> {
    /// Wakes the queue's receivers after the commit.
    pub(crate) fn wake(&self, queue: &str) {
        let mut arrived = self.arrived.borrow_mut();
        if !arrived.contains(queue) {
            arrived.insert(queue.to_owned());
        }
    }
}

pub(super) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, clock: Arc<dyn Clock>, arrivals: Arc<Arrivals>) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(MAX_WAITING);
        let thread = WriterThread { connection, clock, arrivals, waiting };
        std::thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || thread.run())?;
        Ok(Self { jobs })
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, SqliteError>
    where
        T: Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> Result<T, SqliteError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = WriteJob { work: Some(work), result: None, reply };
        self.jobs.send(Box::new(job)).await.map_err(|_| SqliteError::Closed)?;
        answer.await.unwrap_or(Err(SqliteError::Closed))
    }
}

/// Why a whole group failed; every write of it gets a copy.
#[derive(Clone)]
struct GroupFailure {
    transient: bool,
    reason: String,
}

impl From<SqliteError> for GroupFailure {
    fn from(error: SqliteError) -> Self {
        Self { transient: error.is_transient(), reason: error.to_string() }
    }
}

trait Job: Send {
    /// The caller has gone; nobody would learn of the result.
    fn is_abandoned(&self) -> bool;

    /// Does the work and keeps its result; `false` when it failed and is to be undone.
    fn run(&mut self, tx: &WriteTx<'_>) -> bool;

    fn answer(self: Box<Self>, group: Result<(), GroupFailure>);
}

struct WriteJob<T, F> {
    work: Option<F>,
    result: Option<Result<T, SqliteError>>,
    reply: oneshot::Sender<Result<T, SqliteError>>,
}

impl<T, F> Job for WriteJob<T, F>
where
    T: Send,
    F: FnOnce(&WriteTx<'_>) -> Result<T, SqliteError> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(&mut self, tx: &WriteTx<'_>) -> bool {
        let Some(work) = self.work.take() else { return false };
        let result = work(tx);
        let succeeded = result.is_ok();
        self.result = Some(result);
        succeeded
    }

    fn answer(self: Box<Self>, group: Result<(), GroupFailure>) {
        let answer = match (self.result, group) {
            // Its own error says more than that of the group, and it was undone either way.
            (Some(Err(error)), _) => Err(error),
            (_, Err(GroupFailure { transient, reason })) => Err(SqliteError::Group { transient, reason }),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(SqliteError::Closed),
        };
        // The caller may have gone meanwhile; what it asked for is done.
        let _ = self.reply.send(answer);
    }
}

struct WriterThread {
    connection: Connection,
    clock: Arc<dyn Clock>,
    arrivals: Arc<Arrivals>,
    waiting: mpsc::Receiver<Box<dyn Job>>,
}

impl WriterThread {
    fn run(mut self) {
        let mut group: Vec<Box<dyn Job>> = Vec::with_capacity(MAX_GROUP);
        while self.waiting.blocking_recv_many(&mut group, MAX_GROUP) > 0 {
            group.retain(|job| !job.is_abandoned());
            if group.is_empty() {
                continue;
            }
            let outcome = self.commit(&mut group);
            if !self.connection.is_autocommit() {
                // Nothing better can be done when this fails too: the next BEGIN then says so.
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            if let Ok(arrived) = &outcome {
                for queue in arrived {
                    self.arrivals.on(queue).notify_waiters();
                }
            }
            let outcome = outcome.map(drop).map_err(GroupFailure::from);
            for job in group.drain(..) {
                job.answer(outcome.clone());
            }
        }
    }

    /// Runs and commits a group; returns the queues on which messages arrived.
    fn commit(&self, group: &mut [Box<dyn Job>]) -> Result<BTreeSet<String>, SqliteError> {
        let conn = &self.connection;
        let execute = |sql: &str| conn.prepare_cached(sql)?.execute([]);
        execute("BEGIN IMMEDIATE")?;
        let tx = WriteTx { conn, now: self.clock.now(), arrived: RefCell::default() };
        for job in group {
            execute("SAVEPOINT job")?;
            if !job.run(&tx) {
                // A full disk or a failing one ends the whole transaction, and the writes before this one with it.
                if conn.is_autocommit() {
                    return Err(SqliteError::Group {
                        transient: true,
                        reason: "the transaction was rolled back because another write in it failed".to_owned(),
                    });
                }
                execute("ROLLBACK TO job")?;
            }
            execute("RELEASE job")?;
        }
        execute("COMMIT")?;
        Ok(tx.arrived.into_inner())
    }
}
