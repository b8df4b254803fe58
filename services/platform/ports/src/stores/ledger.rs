//! The ledger of judged windows: one row per (rule, window).

use crate::{Outgoing, PortError};
use async_trait::async_trait;
use mantissa_contracts::ids::{RuleId, RuleVersion};
use mantissa_contracts::messages::FailureKind;
use mantissa_contracts::time::{Instant, TimeWindow};
use serde::{Deserialize, Serialize};

/// A rule comes into force, or a new version of it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleActivation {
    pub rule_id: RuleId,
    pub rule_version: RuleVersion,
    /// The table whose ingestion time the rule follows.
    pub table: String,
    pub every_s: u64,
    /// Where judging starts if the rule was never active before.
    pub from: Instant,
}

/// How far a rule has been planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSchedule {
    pub rule_id: RuleId,
    pub rule_version: RuleVersion,
    pub table: String,
    pub every_s: u64,
    /// Judging is without a gap from here …
    pub active_from: Instant,
    /// … to here, as far as windows were planned.
    pub planned_to: Instant,
    pub enabled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum WindowState {
    /// Requested and not answered yet.
    Planned,
    /// Judged: the query succeeded, untruncated, and its matches were published.
    Judged { n_rows: u64, n_matches: u64, scanned_bytes: u64, duration_ms: u64 },
    /// The last try failed. A transient failure is tried again.
    Failed { kind: FailureKind, reason: String },
}

impl WindowState {
    /// Nothing was ingested in the window, so there was nothing to ask.
    pub const EMPTY: Self = Self::Judged { n_rows: 0, n_matches: 0, scanned_bytes: 0, duration_ms: 0 };

    /// What stores search by. A failure that waits for another try is told apart from one for good.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Judged { .. } => "judged",
            Self::Failed { kind: FailureKind::Transient, .. } => "failed",
            Self::Failed { kind: FailureKind::Permanent, .. } => "failed_for_good",
        }
    }

    pub fn is_judged(&self) -> bool {
        matches!(self, Self::Judged { .. })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedWindow {
    pub rule_id: RuleId,
    pub rule_version: RuleVersion,
    pub window: TimeWindow,
    /// `Planned`, or `Judged` at once when nothing was ingested in it.
    pub state: WindowState,
    pub planned_at: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    pub rule_id: RuleId,
    pub rule_version: RuleVersion,
    pub window: TimeWindow,
    pub attempt: u32,
    pub state: WindowState,
    pub updated_at: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanOutcome {
    Planned,
    /// Another scheduler planned past the window's start; here is where planning goes on.
    Moved {
        planned_to: Instant,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnjudgedCounts {
    pub n_planned: u64,
    /// For a passing reason or for good.
    pub n_failed: u64,
}

/// The ledger.
///
/// - [`activate`](LedgerStore::activate) of a rule never seen starts its schedule at `from`. Of a rule seen before it changes
///   version, table and interval and enables it, and judging goes on where it was planned to: no gap.
/// - [`deactivate`](LedgerStore::deactivate) disables the rule; its rows stay. `false` when there is no such rule.
/// - [`plan`](LedgerStore::plan) adds a row and its messages if, and only if, the window starts exactly where the rule was
///   planned to; the rule is then planned to the window's end. Otherwise nothing changes and `Moved` says where it is. A rule that was never
///   activated, and an empty window, are permanent errors.
/// - [`finish`](LedgerStore::finish) sets the state of a row if its attempt is that one and it is not judged, and publishes
///   the messages with it; otherwise it changes nothing, publishes nothing and returns `false`.
/// - [`retry`](LedgerStore::retry) puts a failed row back to planned with the next attempt and publishes the messages, if
///   its attempt is that one and its state is failed; otherwise nothing, and `false`.
/// - [`windows`](LedgerStore::windows) returns the rows that overlap the span, oldest first.
#[async_trait]
pub trait LedgerStore: Send + Sync {
    async fn activate(&self, activation: &RuleActivation) -> Result<RuleSchedule, PortError>;

    async fn deactivate(&self, rule: &RuleId) -> Result<bool, PortError>;

    /// Every rule ever activated, sorted by id.
    async fn schedules(&self) -> Result<Vec<RuleSchedule>, PortError>;

    async fn plan(&self, planned: &PlannedWindow, outgoing: &[Outgoing]) -> Result<PlanOutcome, PortError>;

    async fn finish(
        &self,
        rule: &RuleId,
        window_from: Instant,
        attempt: u32,
        state: &WindowState,
        at: Instant,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError>;

    async fn retry(
        &self,
        rule: &RuleId,
        window_from: Instant,
        attempt: u32,
        at: Instant,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError>;

    async fn windows(&self, rule: &RuleId, span: TimeWindow, limit: usize) -> Result<Vec<LedgerRow>, PortError>;

    /// Rows that wait for something: planned, or failed for a passing reason, oldest update first. Rows that failed for
    /// good come after all of them, so that they never crowd the others out.
    async fn unjudged(&self, limit: usize) -> Result<Vec<LedgerRow>, PortError>;

    /// How many rows there are that [`unjudged`](LedgerStore::unjudged) lists without a limit.
    async fn count_unjudged(&self) -> Result<UnjudgedCounts, PortError>;
}
