//! Raw logs on disk, as they come from a bucket.

use anyhow::Context as _;
use mantissa_generators::bench::delivery_files;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What a busy account's delivery file holds.
const RECORDS_PER_FILE: usize = 5000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Gzip,
    Plain,
}

pub(crate) struct RawLogs {
    pub(crate) files: Vec<PathBuf>,
    /// Of the JSON text, decompressed.
    pub(crate) json_bytes: u64,
}

/// Writes `n` records below the folder.
pub(crate) fn write_logs(folder: &Path, seed: u64, n: u64, form: Form) -> anyhow::Result<RawLogs> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    let mut logs = RawLogs { files: Vec::new(), json_bytes: 0 };
    for object in delivery_files(seed, n, RECORDS_PER_FILE) {
        let mut text = Vec::new();
        flate2::read::MultiGzDecoder::new(object.bytes.as_slice())
            .read_to_end(&mut text)
            .with_context(|| format!("decompress {}", object.key))?;
        logs.json_bytes += text.len() as u64;
        let (name, bytes) = match form {
            Form::Gzip => (object.key.as_str(), &object.bytes),
            Form::Plain => (object.key.trim_end_matches(".gz"), &text),
        };
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("make {}", parent.display()))?;
        }
        std::fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        logs.files.push(path);
    }
    Ok(logs)
}
