//! The AlertStore port on DynamoDB.

use super::item::{Attributes, Item, Key, Stored, instant, newest_first, number, text, to_json};
use super::outbox::Outbox;
use super::table::{Range, Table, settle};
use super::transaction::{Expression, Outcome, Transaction};
use async_trait::async_trait;
use chrono::{NaiveDate, TimeDelta};
use mantissa_contracts::ids::{AlertId, MatchId, RuleId, derive};
use mantissa_contracts::messages::{AlertContext, AlertSnapshot};
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_ports::stores::{
    AlertFilter, AlertRecord, AlertStore, ChangeCommit, CommitOutcome, KeyState, MatchCommit,
};
use mantissa_ports::{Outgoing, PortError};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

const ALERT: &str = "ALERT";
const CONTEXT: &str = "context";
const DAYS: &str = "DAYS";
const MAX_ATTEMPTS: u32 = 20;
/// Alerts read at a time while a list is filtered.
const PAGE: usize = 200;

pub struct DynamoAlertStore {
    pub(super) table: Table,
    pub(super) outbox: Outbox,
    /// Days this process knows to be in the set of days.
    pub(super) noted_days: Mutex<HashSet<NaiveDate>>,
}

fn alert_key(alert: &AlertId) -> Key {
    Key::new(format!("ALERT#{alert}"), ALERT)
}

fn key_partition(rule: &RuleId, digest: &str) -> String {
    format!("KEY#{rule}#{digest}")
}

fn match_key(rule: &RuleId, id: &MatchId) -> Key {
    Key::new(format!("MATCH#{rule}#{id}"), "MATCH")
}

/// By a digest of the value: a key has room for 2,048 bytes, a value for more.
fn entity_partition(value: &str) -> String {
    format!("ENTITY#{}", derive("Entity", &[value]))
}

fn entity_key(value: &str, opened_at: Instant, alert: &AlertId) -> Key {
    Key::new(entity_partition(value), opened_key(opened_at, alert))
}

/// Sorts the newest first, then by id.
fn opened_key(opened_at: Instant, alert: &AlertId) -> String {
    format!("{}#{alert}", newest_first(opened_at))
}

/// Values of an alert's key, each once.
fn entities(alert: &AlertSnapshot) -> BTreeSet<&str> {
    alert.alert_key.iter().filter_map(|part| part.value.as_deref()).collect()
}

/// What is stored of an alert beside its document.
struct Stub {
    revision: u64,
    key_digest: String,
    opened_at: Instant,
}

#[async_trait]
impl AlertStore for DynamoAlertStore {
    async fn key_state(&self, rule: &RuleId, key_digest: &str, span: TimeWindow) -> Result<KeyState, PortError> {
        let partition = key_partition(rule, key_digest);
        settle("read alert key of rule", rule.as_str(), MAX_ATTEMPTS, || self.try_key_state(&partition, span)).await
    }

    async fn commit_matches(&self, commit: &MatchCommit) -> Result<CommitOutcome, PortError> {
        let alert = &commit.alert;
        let rule = &alert.rule.rule_id;
        let stored = self.stub(&alert.alert_id).await?;
        let mut transaction = Transaction::new(&self.table, alert.alert_id.to_string());
        // A transaction names an item once.
        let mut named = HashSet::new();
        let match_ids: Vec<MatchId> = commit.match_ids.iter().copied().filter(|id| named.insert(*id)).collect();
        for id in &match_ids {
            let held = Attributes::default().text("alert", alert.alert_id.to_string());
            transaction.put(&self.table, held.with_key(&match_key(rule, id)), Some(&Expression::absent()))?;
        }
        let key = Key::new(key_partition(rule, &commit.key_digest), "KEY");
        let expected = commit.expected_key_revision;
        let is_expected = match expected {
            0 => Expression::absent(),
            _ => Expression::new("#revision = :expected", vec![(":expected", number(expected))]),
        };
        let advanced = Attributes::default()
            .number("revision", expected + 1)
            .text("last_alert", alert_key(&alert.alert_id).pk)
            .number("last_revision", alert.revision);
        transaction.put(&self.table, advanced.with_key(&key), Some(&is_expected))?;
        if stored.as_ref().map_or(0, |stored| stored.revision) + 1 != alert.revision {
            return self.seen_or_moved(rule, &match_ids).await;
        }
        self.write_alert(&mut transaction, alert, &commit.key_digest, stored.as_ref()).await?;
        match self.outbox.commit(transaction, &commit.outgoing).await? {
            Outcome::Committed => Ok(CommitOutcome::Committed),
            Outcome::Refused(places) => {
                let seen: Vec<MatchId> = places.iter().filter_map(|place| match_ids.get(*place)).copied().collect();
                Ok(if seen.is_empty() { CommitOutcome::Moved } else { CommitOutcome::MatchesSeen(seen) })
            }
        }
    }

    async fn commit_change(&self, commit: &ChangeCommit) -> Result<CommitOutcome, PortError> {
        let alert = &commit.alert;
        let Some(stored) = self.stub(&alert.alert_id).await?.filter(|stored| stored.revision + 1 == alert.revision)
        else {
            return Ok(CommitOutcome::Moved);
        };
        let mut transaction = Transaction::new(&self.table, alert.alert_id.to_string());
        self.write_alert(&mut transaction, alert, &stored.key_digest, Some(&stored)).await?;
        match self.outbox.commit(transaction, &commit.outgoing).await? {
            Outcome::Committed => Ok(CommitOutcome::Committed),
            Outcome::Refused(_) => Ok(CommitOutcome::Moved),
        }
    }

    async fn set_context(
        &self,
        alert: &AlertId,
        context: &AlertContext,
        outgoing: &[Outgoing],
    ) -> Result<bool, PortError> {
        let json = to_json(&alert.to_string(), context)?;
        let mut transaction = Transaction::new(&self.table, alert.to_string());
        let set = Expression::new("SET #context = :context", vec![(":context", text(json))]);
        let exists = Expression::new("attribute_exists(#revision)", Vec::new());
        transaction.update(&self.table, &alert_key(alert), &set, Some(&exists))?;
        Ok(self.outbox.commit(transaction, outgoing).await? == Outcome::Committed)
    }

    async fn get(&self, alert: &AlertId) -> Result<Option<AlertRecord>, PortError> {
        let Some(item) = self.table.get(&alert_key(alert)).await? else { return Ok(None) };
        let stored = self.stored(&item);
        let context = stored.optional_text(CONTEXT).map(|_| stored.parse(CONTEXT)).transpose()?;
        Ok(Some(AlertRecord { alert: stored.document()?, context }))
    }

    async fn list(
        &self,
        filter: &AlertFilter,
        limit: usize,
        after: Option<(Instant, AlertId)>,
    ) -> Result<Vec<AlertSnapshot>, PortError> {
        let mut found = Vec::new();
        for range in self.ranges(filter, after).await? {
            let mut range = range;
            loop {
                let items = self.table.query(&range, PAGE).await?;
                let last = items.last().and_then(|item| item.get("opened_key")).cloned();
                for item in &items {
                    let alert: AlertSnapshot = self.stored(item).document()?;
                    if filter.passes(&alert) {
                        found.push(alert);
                    }
                }
                if found.len() >= limit {
                    found.truncate(limit);
                    return Ok(found);
                }
                let Some(last) = last.filter(|_| items.len() == PAGE) else { break };
                range = range.when("#sk > :after", vec![(":after", last)]);
            }
        }
        Ok(found)
    }

    async fn related(
        &self,
        key_values: &[String],
        opened: TimeWindow,
        except: &AlertId,
        limit: usize,
    ) -> Result<(Vec<AlertSnapshot>, u64), PortError> {
        let mut found: BTreeMap<String, Key> = BTreeMap::new();
        if opened.is_empty() {
            return Ok((Vec::new(), 0));
        }
        // The newest sort first, so the span's end is the lower bound. `~` sorts behind every id.
        let first = newest_first(opened.to - TimeDelta::milliseconds(1));
        let last = format!("{}~", newest_first(opened.from));
        for value in key_values.iter().collect::<BTreeSet<_>>() {
            let range = Range::partition(entity_partition(value))
                .when("#sk BETWEEN :first AND :last", vec![(":first", text(&first)), (":last", text(&last))]);
            for item in self.table.query(&range, usize::MAX).await? {
                let stored = self.stored(&item);
                found.insert(stored.text("sk")?.to_owned(), Key::new(stored.text("alert")?, ALERT));
            }
        }
        found.retain(|_, key| *key != alert_key(except));
        let n_alerts = found.len() as u64;
        let keys: Vec<Key> = found.into_values().take(limit).collect();
        let mut alerts = self.read_all(&keys).await?;
        alerts.sort_by_key(|alert| opened_key(alert.opened_at, &alert.alert_id));
        Ok((alerts, n_alerts))
    }
}

impl DynamoAlertStore {
    fn stored<'a>(&self, item: &'a Item) -> Stored<'a> {
        Stored { table: self.table.name, item }
    }

    async fn read_all(&self, keys: &[Key]) -> Result<Vec<AlertSnapshot>, PortError> {
        self.table.get_many(keys).await?.iter().map(|item| self.stored(item).document()).collect()
    }

    /// `None` while a commit on the key is half visible.
    ///
    /// A read beside a transaction may see some of its items as they were: the key's new revision, and not yet the alert it
    /// opened. Whoever decided on that would open a second one. So the key names what its last commit wrote, and the state
    /// is taken only when that can be read too.
    async fn try_key_state(&self, partition: &str, span: TimeWindow) -> Result<Option<KeyState>, PortError> {
        let Some(item) = self.table.get(&Key::new(partition, "KEY")).await? else {
            return Ok(Some(KeyState::default()));
        };
        let key = self.stored(&item);
        let (last, last_revision) = (key.text("last_alert")?, key.number::<u64>("last_revision")?);
        let range = Range::partition(partition)
            .index("by_end", super::schema::PK, "dedup_to")
            .when("#sk > :from", vec![(":from", instant(span.from))]);
        let mut keys = BTreeSet::from([last.to_owned()]);
        for item in self.table.query(&range, usize::MAX).await? {
            let stored = self.stored(&item);
            if stored.instant("dedup_from")? < span.to {
                keys.insert(stored.text("alert")?.to_owned());
            }
        }
        let keys: Vec<Key> = keys.into_iter().map(|pk| Key::new(pk, ALERT)).collect();
        let mut alerts = self.read_all(&keys).await?;
        let is_whole = alerts.len() == keys.len()
            && alerts.iter().any(|alert| alert_key(&alert.alert_id).pk == last && alert.revision >= last_revision);
        alerts.retain(|alert| alert.dedup_from < span.to && alert.dedup_to > span.from);
        alerts.sort_by_key(|alert| (alert.dedup_from, alert.alert_id));
        Ok(is_whole.then_some(KeyState { key_revision: key.number("revision")?, alerts }))
    }

    async fn stub(&self, alert: &AlertId) -> Result<Option<Stub>, PortError> {
        let Some(item) = self.table.get(&alert_key(alert)).await? else { return Ok(None) };
        let stored = self.stored(&item);
        Ok(Some(Stub {
            revision: stored.number("revision")?,
            key_digest: stored.text("key_digest")?.to_owned(),
            opened_at: stored.instant("opened_at")?,
        }))
    }

    /// A match that is held stays held, also when the alert has moved on.
    async fn seen_or_moved(&self, rule: &RuleId, match_ids: &[MatchId]) -> Result<CommitOutcome, PortError> {
        let keys: Vec<Key> = match_ids.iter().map(|id| match_key(rule, id)).collect();
        let held = self.table.get_many(&keys).await?;
        let held: HashSet<&str> =
            held.iter().filter_map(|item| self.stored(item).item.get("pk")?.as_s().ok()).map(String::as_str).collect();
        let seen: Vec<MatchId> =
            match_ids.iter().zip(&keys).filter(|(_, key)| held.contains(key.pk.as_str())).map(|(id, _)| *id).collect();
        Ok(if seen.is_empty() { CommitOutcome::Moved } else { CommitOutcome::MatchesSeen(seen) })
    }

    /// Adds everything that is stored of an alert in place of revision `stored`.
    async fn write_alert(
        &self,
        transaction: &mut Transaction,
        alert: &AlertSnapshot,
        key_digest: &str,
        stored: Option<&Stub>,
    ) -> Result<(), PortError> {
        let id = alert.alert_id;
        self.note_day(alert.opened_at.date_naive()).await?;
        // An update, so that the context stays.
        let update = Expression::new(
            "SET #revision = :revision, #document = :document, #key_digest = :digest, #status = :status, \
             #opened_at = :opened_at, #opened_day = :day, #opened_key = :place",
            vec![
                (":revision", number(alert.revision)),
                (":document", text(to_json(&id.to_string(), alert)?)),
                (":digest", text(key_digest)),
                (":status", text(alert.status.as_str())),
                (":opened_at", instant(alert.opened_at)),
                (":day", text(alert.opened_at.date_naive())),
                (":place", text(opened_key(alert.opened_at, &id))),
            ],
        );
        let unchanged = match stored {
            Some(stored) => Expression::new("#revision = :was", vec![(":was", number(stored.revision))]),
            None => Expression::absent(),
        };
        transaction.update(&self.table, &alert_key(&id), &update, Some(&unchanged))?;
        let span = Attributes::default()
            .text("alert", alert_key(&id).pk)
            .instant("dedup_from", alert.dedup_from)
            .instant("dedup_to", alert.dedup_to);
        let span_key = Key::new(key_partition(&alert.rule.rule_id, key_digest), format!("SPAN#{id}"));
        transaction.put(&self.table, span.with_key(&span_key), None)?;
        // The key of an alert never changes: its id is derived from it.
        if stored.is_some_and(|stored| stored.opened_at == alert.opened_at) {
            return Ok(());
        }
        for value in entities(alert) {
            if let Some(stored) = stored {
                transaction.delete(&self.table, &entity_key(value, stored.opened_at, &id))?;
            }
            let named = Attributes::default().text("alert", alert_key(&id).pk);
            transaction.put(&self.table, named.with_key(&entity_key(value, alert.opened_at, &id)), None)?;
        }
        Ok(())
    }

    /// Adds the day to those on which alerts were opened, before the first alert of it. A day too many costs one query.
    async fn note_day(&self, day: NaiveDate) -> Result<(), PortError> {
        if self.noted_days.lock().unwrap_or_else(PoisonError::into_inner).contains(&day) {
            return Ok(());
        }
        let mut transaction = Transaction::new(&self.table, DAYS);
        let days = aws_sdk_dynamodb::types::AttributeValue::Ss(vec![day.to_string()]);
        transaction.update(
            &self.table,
            &Key::new(DAYS, DAYS),
            &Expression::new("ADD #days :day", vec![(":day", days)]),
            None,
        )?;
        transaction.commit().await?;
        self.noted_days.lock().unwrap_or_else(PoisonError::into_inner).insert(day);
        Ok(())
    }

    /// Where alerts that may pass the filter are, newest first: one range for a status, else one a day.
    async fn ranges(&self, filter: &AlertFilter, after: Option<(Instant, AlertId)>) -> Result<Vec<Range>, PortError> {
        let from_place = match (after, filter.opened) {
            (Some((opened_at, id)), _) => Some(opened_key(opened_at, &id)),
            (None, Some(opened)) => Some(newest_first(opened.to)),
            (None, None) => None,
        };
        let bounded = |range: Range| match &from_place {
            Some(place) => range.when("#sk > :after", vec![(":after", text(place))]),
            None => range,
        };
        if let Some(status) = filter.status {
            let range = Range::partition(status.as_str()).index("by_status", "status", "opened_key");
            return Ok(vec![bounded(range)]);
        }
        let item = self.table.get(&Key::new(DAYS, DAYS)).await?;
        let days = item.as_ref().and_then(|item| item.get("days")?.as_ss().ok()).map_or(&[][..], Vec::as_slice);
        let mut days: Vec<NaiveDate> = days.iter().filter_map(|day| day.parse().ok()).collect();
        days.sort_unstable_by(|a, b| b.cmp(a));
        let latest = after.map(|(opened_at, _)| opened_at.date_naive());
        days.retain(|day| {
            latest.is_none_or(|latest| *day <= latest)
                && filter.opened.is_none_or(|span| *day >= span.from.date_naive() && *day <= span.to.date_naive())
        });
        let of_day = |day: NaiveDate| Range::partition(day.to_string()).index("by_opening", "opened_day", "opened_key");
        Ok(days.into_iter().map(|day| bounded(of_day(day))).collect())
    }
}
