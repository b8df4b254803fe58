//! Many small files of a partition → few large ones.
//!
//! A merge reads whole files and writes one; the new file is there before the old ones go, so a reader may for a moment
//! see records twice, which is harmless because events are counted by distinct `event_id`.

use crate::arrow_schema::arrow_schema;
use crate::catalogue::Table;
use crate::error::LakeError;
use crate::write_parquet::{LakeFile, write_dates};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// When merging pays.
#[derive(Debug, Clone, Copy)]
pub struct CompactLimits {
    /// A file of this size or more is left alone.
    pub small_bytes: u64,
    /// Merged files hold about this much.
    pub target_bytes: u64,
    /// Fewer small files than this in a partition are left alone.
    pub min_files: usize,
}

impl Default for CompactLimits {
    fn default() -> Self {
        Self { small_bytes: 16 * 1024 * 1024, target_bytes: 64 * 1024 * 1024, min_files: 8 }
    }
}

/// Files of one partition to be merged into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// `<table>/year=…/month=…/day=…`
    pub partition: String,
    /// Sorted.
    pub keys: Vec<String>,
}

/// Decides which files to merge, of `(key, size)` of one table.
pub fn plan_merges(files: &[(String, u64)], limits: CompactLimits) -> Vec<Merge> {
    let mut partitions: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
    for (key, size_bytes) in files {
        if let Some((partition, _)) = key.rsplit_once('/')
            && key.ends_with(".parquet")
            && *size_bytes < limits.small_bytes
        {
            partitions.entry(partition).or_default().push((key, *size_bytes));
        }
    }
    let mut merges = Vec::new();
    for (partition, mut small) in partitions {
        if small.len() < limits.min_files.max(2) {
            continue;
        }
        small.sort_unstable();
        let mut keys: Vec<String> = Vec::new();
        let mut held_bytes = 0;
        for (key, size_bytes) in small {
            if held_bytes + size_bytes > limits.target_bytes && keys.len() > 1 {
                merges.push(Merge { partition: partition.to_owned(), keys: std::mem::take(&mut keys) });
                held_bytes = 0;
            }
            held_bytes += size_bytes;
            keys.push(key.to_owned());
        }
        if keys.len() > 1 {
            merges.push(Merge { partition: partition.to_owned(), keys });
        }
    }
    merges
}

/// Merges files' contents into one file, whose key is derived from theirs.
pub fn merge_files(table: &Table, merge: &Merge, contents: Vec<Bytes>) -> Result<LakeFile, LakeError> {
    let schema = arrow_schema(table);
    let mut batches: Vec<RecordBatch> = Vec::new();
    for (key, content) in merge.keys.iter().zip(contents) {
        let failed = |source| LakeError::ReadParquet { key: key.clone(), source };
        let reader = ParquetRecordBatchReaderBuilder::try_new(content).map_err(failed)?.build().map_err(failed)?;
        for batch in reader {
            let batch = batch.map_err(|e| failed(e.into()))?;
            // The metadata of the schema may differ between files; names and types may not.
            let batch = RecordBatch::try_new(schema.clone(), batch.columns().to_vec())
                .map_err(|source| LakeError::BuildBatch { table: table.name, source })?;
            batches.push(batch);
        }
    }
    let merged =
        concat_batches(&schema, &batches).map_err(|source| LakeError::BuildBatch { table: table.name, source })?;
    let key = merged_key(merge);
    let files = write_dates(table, &merged, |_| key.clone())?;
    match <[LakeFile; 1]>::try_from(files) {
        Ok([file]) => Ok(file),
        Err(files) => Err(LakeError::UnexpectedContent {
            key: merge.partition.clone(),
            reason: format!("the partition's records are of {} dates, expected 1", files.len()),
        }),
    }
}

/// The same files always merge into the same key.
fn merged_key(merge: &Merge) -> String {
    let digest = Sha256::digest(merge.keys.join("\n"));
    let digest: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}/merged-{digest}.parquet", merge.partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_of_one_partition_are_merged_up_to_the_target_size() {
        let limits = CompactLimits { small_bytes: 100, target_bytes: 150, min_files: 3 };
        let files: Vec<(String, u64)> = [
            ("t/d=1/a", 60),
            ("t/d=1/b", 60),
            ("t/d=1/c", 60),
            ("t/d=1/d", 60),
            ("t/d=1/big", 500),
            ("t/d=2/a", 1),
            ("t/d=2/b", 1),
        ]
        .map(|(key, size)| (format!("{key}.parquet"), size))
        .into();
        let merges = plan_merges(&files, limits);
        let keys: Vec<_> = merges.iter().map(|merge| merge.keys.join(" ")).collect();
        assert_eq!(keys, ["t/d=1/a.parquet t/d=1/b.parquet", "t/d=1/c.parquet t/d=1/d.parquet"]);
    }
}
