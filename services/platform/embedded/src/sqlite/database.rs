//! The database file: how it is opened, read and written.

use super::error::SqliteError;
use super::migrate_schema::migrate;
use super::write_in_groups::{WriteTx, Writer};
use mantissa_contracts::time::Instant;
use mantissa_ports::{Clock, PortError};
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// How long a transaction waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const N_READERS: usize = 4;
/// More than the statements of all adapters together, so that none is ever compiled twice.
const STATEMENT_CACHE: usize = 256;

/// An open database file. Several handles, also in several processes, may have the same file open.
pub struct SqliteDb {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    writer: Writer,
    readers: Arc<Readers>,
    arrivals: Arc<Arrivals>,
}

impl SqliteDb {
    /// Opens the file, creating or upgrading it where needed, and starts its writer.
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Arc<Self>, SqliteError> {
        let path = path.as_ref().to_owned();
        create_private(&path)?;
        let prepare = |path: &Path| -> Result<Connection, SqliteError> {
            let mut connection = connect(path)?;
            migrate(&mut connection, path)?;
            Ok(connection)
        };
        let connection = match prepare(&path) {
            Ok(connection) => connection,
            Err(error @ SqliteError::Sqlite(_)) => {
                return Err(SqliteError::Prepare { path, source: Box::new(error) });
            }
            Err(error) => return Err(error),
        };
        let arrivals = Arc::new(Arrivals::default());
        let writer = Writer::start(connection, clock.clone(), arrivals.clone())
            .map_err(|source| SqliteError::Open { path: path.clone(), source })?;
        let readers = Arc::new(Readers { idle: Mutex::default(), permits: Semaphore::new(N_READERS) });
        Ok(Arc::new(Self { path, clock, writer, readers, arrivals }))
    }

    /// Deletes dead messages that died before `before`; returns how many.
    pub async fn purge_dead_messages(&self, before: Instant) -> Result<u64, PortError> {
        let work = move |tx: &WriteTx<'_>| {
            let mut delete = tx.conn.prepare_cached("DELETE FROM dead_messages WHERE died_at < ?1")?;
            Ok(delete.execute(params![before.timestamp_millis()])? as u64)
        };
        self.write("purge dead messages", "mantissa.db", work).await
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Runs `work` in the writer's next transaction and returns after its commit. An error of `work` undoes what
    /// it did and nothing else.
    pub(crate) async fn write<T, F>(
        &self,
        operation: &'static str,
        subject: impl Into<String>,
        work: F,
    ) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> Result<T, SqliteError> + Send + 'static,
    {
        self.writer.write(work).await.map_err(|error| error.into_port(operation, subject))
    }

    /// Runs `work` on a read connection, in one snapshot of what is committed.
    pub(crate) async fn read<T, F>(
        &self,
        operation: &'static str,
        subject: impl Into<String>,
        work: F,
    ) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    {
        let result = match self.readers.permits.acquire().await {
            Ok(_permit) => {
                let (readers, path) = (self.readers.clone(), self.path.clone());
                let read = move || {
                    let idle = readers.lock().pop();
                    let connection = idle.map_or_else(|| connect_to_read(&path), Ok)?;
                    let snapshot = connection.unchecked_transaction()?;
                    let result = work(&snapshot);
                    drop(snapshot);
                    readers.lock().push(connection);
                    result
                };
                tokio::task::spawn_blocking(read).await.unwrap_or(Err(SqliteError::Closed))
            }
            Err(_) => Err(SqliteError::Closed),
        };
        result.map_err(|error| error.into_port(operation, subject))
    }

    /// Is notified whenever a message becomes visible on the queue through this handle.
    pub(crate) fn arrivals_on(&self, queue: &str) -> Arc<Notify> {
        self.arrivals.on(queue)
    }
}

struct Readers {
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes receivers of this process; those of others look again by themselves.
#[derive(Default)]
pub(super) struct Arrivals {
    queues: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Arrivals {
    pub(super) fn on(&self, queue: &str) -> Arc<Notify> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        match queues.get(queue) {
            Some(notify) => notify.clone(),
            None => queues.entry(queue.to_owned()).or_default().clone(),
        }
    }
}

/// Alerts hold evidence from logs, so the file is its owner's only; SQLite gives its side files the same mode.
fn create_private(path: &Path) -> Result<(), SqliteError> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| SqliteError::Open { path: path.to_owned(), source })?;
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, SqliteError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(connection)
}

fn connect_to_read(path: &Path) -> Result<Connection, SqliteError> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}
