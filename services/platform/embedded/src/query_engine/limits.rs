//! The engine's own limits, which no configuration needs to touch.

/// Rows handled between two checks of cancellation and timeout.
pub(super) const BATCH_ROWS: usize = 8_192;
