//! What a killed process held is free at once, instead of after the longest time a living one may hold it.

use super::database::SqliteDb;
use super::documents::Millis;
use super::lock_data_dir::DataDirLock;
use super::write_in_groups::WriteTx;
use mantissa_ports::PortError;
use rusqlite::params;

/// A message that was in the hands of more processes than this when they were killed may be the reason why: it waits out
/// its visibility, so that a message that kills its reader cannot do so without a pause.
const FREE_RECEIVES: u32 = 2;

/// What the process before held when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    pub n_messages: usize,
    /// Parts of objects that were being written into the lake.
    pub n_commits: usize,
}

impl SqliteDb {
    /// Makes messages in hand visible and forgets commits in progress. The lock proves that whoever held them is gone.
    ///
    /// A commit that goes on all the same (of a `mantissa ingest` beside the services) finds itself forgotten when it
    /// completes, and is done again under a newer stamp.
    pub async fn release_held(&self, _lock: &DataDirLock) -> Result<Released, PortError> {
        let release = |tx: &WriteTx<'_>| {
            let mut show = tx.conn.prepare_cached(
                "UPDATE messages SET visible_at = ?1, in_hand = 0
                 WHERE in_hand = 1 AND visible_at > ?1 AND receive_count <= ?2",
            )?;
            let n_messages = show.execute(params![Millis(tx.now), FREE_RECEIVES])?;
            let n_commits = tx.conn.prepare_cached("DELETE FROM lake_commits WHERE complete = 0")?.execute([])?;
            Ok(Released { n_messages, n_commits })
        };
        self.write("release what was held in", "the database", release).await
    }
}
