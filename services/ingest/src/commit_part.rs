//! The three steps that make a part visible: begin with a stamp, write the files, complete.

use crate::{Error, IngestDeps};
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::Instant;
use mantissa_lake::parse::Part;
use mantissa_lake::write_parquet::{LakeFile, earlier_tries, event_span, write_parquet};
use mantissa_ports::stores::{BeginOutcome, LakeCommit};
use std::sync::Arc;
use tracing::debug;

/// The seal moves on while a part is written only when writing takes longer than the scheduler waits for it.
const MAX_TRIES: u32 = 10;

/// Commits a part's records, if it has any. On return they are in the lake, once.
pub(crate) async fn commit_part(
    deps: &IngestDeps,
    object_id: &ObjectId,
    location: &str,
    part: &Arc<Part>,
) -> Result<(), Error> {
    let Some((event_from, event_to)) = event_span(&part.records) else { return Ok(()) };
    let mut stamp = deps.clock.now();
    for _ in 0..MAX_TRIES {
        let commit = LakeCommit {
            object_id: object_id.clone(),
            part: part.number,
            table: part.table.name.to_owned(),
            stamp,
            event_from,
            event_to,
            n_records: part.records.num_rows() as u64,
        };
        match deps.ingests.begin(&commit).await? {
            BeginOutcome::AlreadyComplete => return Ok(()),
            BeginOutcome::Sealed { until } => {
                stamp = deps.clock.now().max(until);
                continue;
            }
            BeginOutcome::Begun => {}
        }
        let files = encode(object_id, location, part, stamp).await?;
        for file in &files {
            deps.lake.put(&file.key, file.bytes.clone()).await?;
        }
        if deps.ingests.complete(object_id, part.number, stamp).await? {
            remove_other_tries(deps, &files).await?;
            return Ok(());
        }
        // The stamp was sealed while the files were written, or another worker began the part anew.
        debug!(object.id = %object_id, "part {} of `{location}` is stamped and written again", part.number);
        for file in &files {
            deps.lake.delete(&file.key).await?;
        }
        stamp = deps.clock.now();
    }
    Err(Error::AlwaysSealed { location: location.to_owned(), part: part.number, n_tries: MAX_TRIES })
}

async fn encode(
    object_id: &ObjectId,
    location: &str,
    part: &Arc<Part>,
    stamp: Instant,
) -> Result<Vec<LakeFile>, Error> {
    let (object_id, part) = (object_id.clone(), part.clone());
    let written =
        tokio::task::spawn_blocking(move || write_parquet(part.table, &object_id, part.number, &part.records, stamp));
    let written = written.await.map_err(|source| Error::Thread { location: location.to_owned(), source })?;
    written.map_err(|source| Error::Lake { location: location.to_owned(), source })
}

/// A try that died before it completed has left files with another stamp.
async fn remove_other_tries(deps: &IngestDeps, files: &[LakeFile]) -> Result<(), Error> {
    for file in files {
        let Some(prefix) = earlier_tries(&file.key) else { continue };
        for other in deps.lake.list(prefix).await? {
            if other.key != file.key {
                deps.lake.delete(&other.key).await?;
            }
        }
    }
    Ok(())
}
