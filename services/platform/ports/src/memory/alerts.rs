//! Alerts in maps.

use super::bus::{MemoryBus, route};
use super::locked;
use crate::stores::{AlertFilter, AlertRecord, AlertStore, ChangeCommit, CommitOutcome, KeyState, MatchCommit};
use crate::{Outgoing, PortError};
use async_trait::async_trait;
use mantissa_contracts::ids::{AlertId, MatchId, RuleId};
use mantissa_contracts::messages::{AlertContext, AlertSnapshot};
use mantissa_contracts::time::{Instant, TimeWindow};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};

pub struct MemoryAlertStore {
    bus: Arc<MemoryBus>,
    state: Mutex<State>,
}

type KeyId = (RuleId, String);

#[derive(Default)]
struct State {
    alerts: HashMap<AlertId, AlertRecord>,
    keys: HashMap<KeyId, Key>,
    matches: HashSet<(RuleId, MatchId)>,
}

#[derive(Default)]
struct Key {
    revision: u64,
    alerts: BTreeSet<AlertId>,
}

impl MemoryAlertStore {
    pub fn new(bus: Arc<MemoryBus>) -> Self {
        Self { bus, state: Mutex::default() }
    }
}

impl State {
    /// 0 when there is no such alert.
    fn revision_of(&self, alert: &AlertId) -> u64 {
        self.alerts.get(alert).map_or(0, |record| record.alert.revision)
    }

    fn replace(&mut self, alert: &AlertSnapshot) {
        let record =
            self.alerts.entry(alert.alert_id).or_insert_with(|| AlertRecord { alert: alert.clone(), context: None });
        record.alert = alert.clone();
    }

    fn newest_first(&self, wanted: impl Fn(&AlertSnapshot) -> bool) -> Vec<AlertSnapshot> {
        let mut found: Vec<_> = self.alerts.values().map(|r| &r.alert).filter(|alert| wanted(alert)).cloned().collect();
        found.sort_by_key(|alert| (Reverse(alert.opened_at), alert.alert_id));
        found
    }
}

#[async_trait]
impl AlertStore for MemoryAlertStore {
    async fn key_state(&self, rule: &RuleId, key_digest: &str, span: TimeWindow) -> Result<KeyState, PortError> {
        let state = locked(&self.state);
        let Some(key) = state.keys.get(&(rule.clone(), key_digest.to_owned())) else {
            return Ok(KeyState::default());
        };
        let alerts = key.alerts.iter().filter_map(|id| state.alerts.get(id)).map(|record| &record.alert);
        let mut alerts: Vec<_> =
            alerts.filter(|alert| alert.dedup_from < span.to && alert.dedup_to > span.from).cloned().collect();
        alerts.sort_by_key(|alert| (alert.dedup_from, alert.alert_id));
        Ok(KeyState { key_revision: key.revision, alerts })
    }

    async fn commit_matches(&self, commit: &MatchCommit) -> Result<CommitOutcome, PortError> {
        let routed = route(&commit.outgoing)?;
        let mut state = locked(&self.state);
        let rule_id = &commit.alert.rule.rule_id;
        let held = |id: &MatchId| state.matches.contains(&(rule_id.clone(), *id));
        let seen: Vec<MatchId> = commit.match_ids.iter().copied().filter(held).collect();
        if !seen.is_empty() {
            return Ok(CommitOutcome::MatchesSeen(seen));
        }
        let key_id = (rule_id.clone(), commit.key_digest.clone());
        let key_revision = state.keys.get(&key_id).map_or(0, |key| key.revision);
        let alert = &commit.alert;
        if key_revision != commit.expected_key_revision || state.revision_of(&alert.alert_id) + 1 != alert.revision {
            return Ok(CommitOutcome::Moved);
        }
        state.matches.extend(commit.match_ids.iter().map(|id| (rule_id.clone(), *id)));
        state.replace(alert);
        let key = state.keys.entry(key_id).or_default();
        key.revision += 1;
        key.alerts.insert(alert.alert_id);
        self.bus.deliver(routed);
        Ok(CommitOutcome::Committed)
    }

    async fn commit_change(&self, commit: &ChangeCommit) -> Result<CommitOutcome, PortError> {
        let routed = route(&commit.outgoing)?;
        let mut state = locked(&self.state);
        let stored = state.revision_of(&commit.alert.alert_id);
        if stored == 0 || stored + 1 != commit.alert.revision {
            return Ok(CommitOutcome::Moved);
        }
        state.replace(&commit.alert);
        self.bus.deliver(routed);
        Ok(CommitOutcome::Committed)
    }

    async fn set_context(
        &self,
        alert: &AlertId,
        context: &AlertContext,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError> {
        let routed = route(outgoing)?;
        let mut state = locked(&self.state);
        let Some(record) = state.alerts.get_mut(alert) else { return Ok(false) };
        record.context = Some(context.clone());
        self.bus.deliver(routed);
        Ok(true)
    }

    async fn get(&self, alert: &AlertId) -> Result<Option<AlertRecord>, PortError> {
        Ok(locked(&self.state).alerts.get(alert).cloned())
    }

    async fn list(
        &self,
        filter: &AlertFilter,
        limit: usize,
        after: Option<(Instant, AlertId)>,
    ) -> Result<Vec<AlertSnapshot>, PortError> {
        let mut alerts = locked(&self.state).newest_first(|alert| {
            filter.passes(alert)
                && after.is_none_or(|(at, id)| (Reverse(alert.opened_at), alert.alert_id) > (Reverse(at), id))
        });
        alerts.truncate(limit);
        Ok(alerts)
    }

    async fn related(
        &self,
        key_values: &[String],
        opened: TimeWindow,
        except: &AlertId,
        limit: usize,
    ) -> Result<(Vec<AlertSnapshot>, u64), PortError> {
        let mut alerts = locked(&self.state).newest_first(|alert| {
            let mut values = alert.alert_key.iter().filter_map(|part| part.value.as_ref());
            alert.alert_id != *except
                && opened.contains(alert.opened_at)
                && values.any(|value| key_values.contains(value))
        });
        let n_alerts = alerts.len() as u64;
        alerts.truncate(limit);
        Ok((alerts, n_alerts))
    }
}
