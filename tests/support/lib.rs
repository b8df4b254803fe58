//! What the test binaries of this folder share.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails where it stands")]

mod binary;
pub mod cloudtrail;
pub mod installation;
pub mod lake_files;
pub mod receiver;
pub mod smtp_server;
pub mod trino;

pub use binary::{built_binary, mantissa_binary};

use std::path::{Path, PathBuf};

/// The workspace's root.
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Real logs and rules that nobody of this project wrote, where the machine has them.
///
/// Prints why when they are absent: a test that uses them returns then.
pub fn shared_data() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tests are told by the environment where the data is")]
    let named = std::env::var("MANTISSA_SHARED_DATA").ok().map(PathBuf::from);
    let folder = named.unwrap_or_else(|| workspace_root().join("../shared/data"));
    if folder.join("expected").is_dir() {
        return folder.canonicalize().ok();
    }
    #[expect(clippy::print_stderr, reason = "the reason for skipping belongs in the test's output")]
    {
        eprintln!("skipped: no shared data at {} (set MANTISSA_SHARED_DATA)", folder.display());
    }
    None
}
