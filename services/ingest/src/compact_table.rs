//! Merges small files of a table.

use crate::{Error, IngestDeps};
use mantissa_lake::catalogue::catalogue;
use mantissa_lake::compact::{merge_files, plan_merges};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompactReport {
    pub n_files_merged: usize,
    pub n_files_written: usize,
}

/// Merges the small files of each partition. The merged file is durable before the ones it replaces are deleted; done
/// again after it died in between, it deletes what is left.
pub async fn compact_table(deps: &IngestDeps, table: &str) -> Result<CompactReport, Error> {
    let table = catalogue().table(table).ok_or_else(|| Error::UnknownTable { table: table.to_owned() })?;
    let settled_before = deps.clock.now() - deps.config.compact_after;
    let files = deps.lake.list(&format!("{}/", table.name)).await?;
    let files: Vec<_> = files
        .into_iter()
        .filter(|file| file.modified_at <= settled_before)
        .map(|file| (file.key, file.size_bytes))
        .collect();
    let mut report = CompactReport::default();
    for merge in plan_merges(&files, deps.config.compact_limits) {
        let mut contents = Vec::with_capacity(merge.keys.len());
        for key in &merge.keys {
            contents.extend(deps.lake.get(key).await?);
        }
        if contents.len() < merge.keys.len() {
            // Another compaction was quicker.
            continue;
        }
        let keys = merge.keys.clone();
        let merged = tokio::task::spawn_blocking(move || merge_files(table, &merge, contents));
        let merged = merged.await.map_err(|source| Error::Thread { location: table.name.to_owned(), source })?;
        let file = merged.map_err(|source| Error::Compact { table: table.name, source })?;
        deps.lake.put(&file.key, file.bytes).await?;
        for key in keys.iter().filter(|key| **key != file.key) {
            deps.lake.delete(key).await?;
        }
        report.n_files_merged += keys.len();
        report.n_files_written += 1;
    }
    Ok(report)
}
