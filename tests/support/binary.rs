//! The binaries that were built beside the tests.

use std::path::{Path, PathBuf};

/// The one-machine binary.
pub fn mantissa_binary() -> Result<PathBuf, String> {
    built_binary("mantissa")
}

/// A binary of the same profile as the running test.
///
/// Fails with what to do when it was not built: a test that is skipped for that would pass for ever.
pub fn built_binary(name: &str) -> Result<PathBuf, String> {
    let test = std::env::current_exe().map_err(|error| format!("the test's own path is not known: {error}"))?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let found = test.ancestors().skip(1).take(3).map(|folder| folder.join(&file)).find(|path| path.is_file());
    found.ok_or_else(|| {
        let folder = test.ancestors().nth(2).unwrap_or(Path::new("target"));
        format!("no {file} in {}: run `cargo build --workspace --bin {name}` first", folder.display())
    })
}
