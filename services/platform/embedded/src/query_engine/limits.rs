//! The engine's own limits, which no configuration needs to touch.

use std::time::Duration;

/// Rows of a result page.
pub(super) const PAGE_ROWS: usize = 1_000;

/// How long a finished query and its result can be asked for.
pub(super) const KEEP_FINISHED: Duration = Duration::from_secs(600);

/// How many finished queries are kept at most; the oldest go first.
pub(super) const MAX_FINISHED: usize = 512;

/// Rows handled between two checks of cancellation and timeout.
pub(super) const BATCH_ROWS: usize = 8_192;
