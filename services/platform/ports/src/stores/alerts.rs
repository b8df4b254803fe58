//! Alerts, their keys, and which matches they hold.

use crate::{Outgoing, PortError};
use async_trait::async_trait;
use mantissa_contracts::ids::{AlertId, MatchId, RuleId};
use mantissa_contracts::messages::{AlertContext, AlertSnapshot, AlertStatus, Severity};
use mantissa_contracts::time::{Instant, TimeWindow};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertRecord {
    pub alert: AlertSnapshot,
    /// Set by enrichment.
    pub context: Option<AlertContext>,
}

/// The alerts of one (rule, alert key), and the revision that guards adding to them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyState {
    /// 0 when the key has no alert yet; grows by one with every commit on the key.
    pub key_revision: u64,
    /// Alerts of the key whose dedup window overlaps the span asked for, oldest window first.
    pub alerts: Vec<AlertSnapshot>,
}

/// Match ids one commit may hold: DynamoDB writes a hundred items together, and an alert's own, of which there are two for
/// each part of its key, are among them.
pub const MAX_COMMIT_MATCHES: usize = 70;

/// Matches that open an alert or attach to one.
#[derive(Debug, Clone)]
pub struct MatchCommit {
    /// Digest of the alert key.
    pub key_digest: String,
    pub expected_key_revision: u64,
    pub match_ids: Vec<MatchId>,
    /// The alert after the change. Revision 1 creates it; a higher one replaces the revision before it.
    pub alert: AlertSnapshot,
    pub outgoing: Vec<Outgoing>,
}

/// A change of one alert by a person or by enrichment.
#[derive(Debug, Clone)]
pub struct ChangeCommit {
    /// The alert after the change; replaces exactly the revision before it.
    pub alert: AlertSnapshot,
    pub outgoing: Vec<Outgoing>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    Committed,
    /// Some of the matches are held by an alert already; nothing was changed.
    MatchesSeen(Vec<MatchId>),
    /// The key or the alert changed since it was read; read again and decide again.
    Moved,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlertFilter {
    pub status: Option<AlertStatus>,
    pub min_severity: Option<Severity>,
    pub rule_id: Option<RuleId>,
    /// Opened in this span.
    pub opened: Option<TimeWindow>,
}

impl AlertFilter {
    pub fn passes(&self, alert: &AlertSnapshot) -> bool {
        self.status.is_none_or(|status| alert.status == status)
            && self.min_severity.is_none_or(|severity| alert.severity >= severity)
            && self.rule_id.as_ref().is_none_or(|rule| alert.rule.rule_id == *rule)
            && self.opened.is_none_or(|span| span.contains(alert.opened_at))
    }
}

/// Alerts.
///
/// - [`commit_matches`](AlertStore::commit_matches) stores the alert, the match ids and the messages together, or nothing. It
///   is `Moved` unless the key's revision is the expected one and the stored alert's revision is one less than the
///   given one (or there is none, for revision 1). It is `MatchesSeen`, with those of them, when the rule already holds
///   some of the match ids, also when it would be `Moved`: a match that is held stays held.
/// - Of two commits with the same expected key revision at most one succeeds.
/// - A commit of [`MAX_COMMIT_MATCHES`] match ids on a key of [`MAX_KEY_PARTS`](mantissa_contracts::messages::MAX_KEY_PARTS) parts is taken, however long the key's values are;
///   an adapter may refuse more as a permanent error.
/// - [`commit_change`](AlertStore::commit_change) is `Moved` unless the stored revision is one less than the given one,
///   and when there is no such alert. The key's revision stays; the alert's own guards against matches.
/// - A commit leaves the alert's context as it is.
/// - [`set_context`](AlertStore::set_context) stores the context and the messages together; it leaves the revision alone and
///   replaces an earlier context. `false`, and nothing published, when there is no such alert.
/// - [`list`](AlertStore::list) is newest opened first, then by id; `after` is the last alert of the page before.
/// - [`related`](AlertStore::related) returns alerts opened in the span whose key has one of the values, without `except`,
///   newest first, and how many there are in all.
#[async_trait]
pub trait AlertStore: Send + Sync {
    async fn key_state(&self, rule: &RuleId, key_digest: &str, span: TimeWindow) -> Result<KeyState, PortError>;

    async fn commit_matches(&self, commit: &MatchCommit) -> Result<CommitOutcome, PortError>;

    async fn commit_change(&self, commit: &ChangeCommit) -> Result<CommitOutcome, PortError>;

    async fn set_context(
        &self,
        alert: &AlertId,
        context: &AlertContext,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError>;

    async fn get(&self, alert: &AlertId) -> Result<Option<AlertRecord>, PortError>;

    async fn list(
        &self,
        filter: &AlertFilter,
        limit: usize,
        after: Option<(Instant, AlertId)>,
    ) -> Result<Vec<AlertSnapshot>, PortError>;

    async fn related(
        &self,
        key_values: &[String],
        opened: TimeWindow,
        except: &AlertId,
        limit: usize,
    ) -> Result<(Vec<AlertSnapshot>, u64), PortError>;
}
