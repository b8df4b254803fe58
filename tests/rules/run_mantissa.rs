//! The real binary, run in a folder of its own.

use anyhow::{Context, bail};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Runs `mantissa` with JSON output; exit code 1 (done, with something to report) is no failure.
pub(crate) fn run_mantissa(data: &Path, arguments: &[&str]) -> anyhow::Result<Value> {
    let binary = mantissa_tests::mantissa_binary().map_err(anyhow::Error::msg)?;
    let output = Command::new(&binary)
        .env_remove("MANTISSA_CONFIG")
        .env_remove("MANTISSA_DATA")
        .env_remove("MANTISSA_LOG")
        .current_dir(data)
        .arg("--data")
        .arg(data.join("installation"))
        .args(["--format", "json"])
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {}", binary.display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !matches!(output.status.code(), Some(0 | 1)) {
        bail!("mantissa {arguments:?} ended with {}: {errors}", output.status);
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("mantissa {arguments:?} printed no JSON: {errors}"))
}
