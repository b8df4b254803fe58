//! Which windows cover a span, and which stretches none does.

use crate::Error;
use mantissa_contracts::ids::RuleId;
use mantissa_contracts::time::TimeWindow;
use mantissa_ports::stores::{LedgerRow, LedgerStore};

/// More rows than this in one span are not a question a person asks.
const MAX_ROWS: usize = 1_000_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// Rows that overlap the span, oldest first.
    pub rows: Vec<LedgerRow>,
    /// Stretches of the span that no judged window covers, oldest first.
    pub gaps: Vec<TimeWindow>,
    /// Stretches that more than one row covers.
    pub overlaps: Vec<TimeWindow>,
}

pub async fn prove_coverage(ledger: &dyn LedgerStore, rule: &RuleId, span: TimeWindow) -> Result<Coverage, Error> {
    let rows = ledger.windows(rule, span, MAX_ROWS).await?;
    let mut gaps = Vec::new();
    let mut overlaps = Vec::new();
    let mut covered_to = span.from;
    let mut seen_to = span.from;
    for row in &rows {
        if row.window.from < seen_to {
            overlaps.push(TimeWindow::new(row.window.from, seen_to.min(row.window.to)));
        }
        seen_to = seen_to.max(row.window.to);
        if row.state.is_judged() {
            if row.window.from > covered_to {
                gaps.push(TimeWindow::new(covered_to, row.window.from));
            }
            covered_to = covered_to.max(row.window.to);
        }
    }
    if covered_to < span.to {
        gaps.push(TimeWindow::new(covered_to, span.to));
    }
    // The first row may begin before the span: that is no overlap with another.
    overlaps.retain(|overlap| overlap.from >= span.from && !overlap.is_empty());
    Ok(Coverage { rows, gaps, overlaps })
}
