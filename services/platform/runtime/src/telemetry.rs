//! Logs: pretty for people, JSON for machines. Always to standard error, so that output can be piped.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Pretty,
    Json,
}

/// Installs the process's log output. `filter` is in the syntax of `RUST_LOG`: `info,mantissa_dedup=debug`.
pub fn install(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(filter).map_err(|e| TelemetryError::new(format!("log filter `{filter}`: {e}")))?;
    let registry = tracing_subscriber::registry().with(filter);
    let installed = match format {
        LogFormat::Pretty => {
            registry.with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false)).try_init()
        }
        LogFormat::Json => registry
            .with(tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr).flatten_event(true))
            .try_init(),
    };
    installed.map_err(|e| TelemetryError::new(format!("logs: {e}")))
}

#[derive(Debug, thiserror::Error)]
#[error("set up {reason}")]
pub struct TelemetryError {
    reason: String,
}

impl TelemetryError {
    pub(crate) fn new(reason: String) -> Self {
        Self { reason }
    }
}
