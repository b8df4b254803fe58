//! Which files there are.

use std::path::{Path, PathBuf};

/// Every Rust file of the workspace, sorted.
pub(crate) fn rust_files() -> Vec<PathBuf> {
    let root = mantissa_tests::workspace_root();
    let mut files = Vec::new();
    for folder in ["contracts", "services", "tests", "loadtest"] {
        walk(&root.join(folder), &mut files);
    }
    files.sort();
    assert!(files.len() > 50, "the walk found only {} files", files.len());
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target" && name != "node_modules") {
                walk(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(mantissa_tests::workspace_root()).unwrap_or(path).display().to_string()
}
