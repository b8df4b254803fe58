//! The IngestStore port on DynamoDB.
//!
//! Sealing reads the open parts and moves the seal, which no transaction does over a range of items. What it rests on is
//! that one item, once written, is seen by every consistent read that begins afterwards:
//!
//! - A part's open pointer is written first, then the *gate* is read: a part before the gate is refused.
//! - A sealer raises the gate first, then reads the open pointers, then sets the seal and lowers the gate to it.
//!
//! So of a part and a seal that meet, one sees the other. Whoever seals meanwhile takes the gate over, and the first begins
//! anew. A sealer that dies leaves the gate up: later parts take later stamps. A part that dies leaves its pointer: it
//! holds the seal until it has lapsed. A pointer is deleted only after what it led to, the record of a completed part, can
//! be read.

use super::item::{Attributes, Item, Key, Stored, instant, sortable, text};
use super::table::{Range, Table, settle};
use super::transaction::{Expression, Outcome, Transaction};
use async_trait::async_trait;
use chrono::{NaiveDate, TimeDelta};
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_ports::PortError;
use mantissa_ports::stores::{BeginOutcome, EventSpan, IngestStore, IngestedObject, LakeCommit};
use std::sync::atomic::{AtomicU64, Ordering};

const MAX_ATTEMPTS: u32 = 60;
const LISTED: &str = "objects";

pub struct DynamoIngestStore {
    table: Table,
    /// Tells this process's seals apart from those of others.
    sealer: String,
    n_seals: AtomicU64,
}

fn part_key(object: &ObjectId, part: u32) -> Key {
    Key::new(format!("PART#{object}"), format!("{part:010}"))
}

fn stamp_place(object: &ObjectId, part: u32, stamp: Instant) -> String {
    format!("{}#{object}#{part:010}", sortable(stamp))
}

fn open_key(table: &str, object: &ObjectId, part: u32, stamp: Instant) -> Key {
    Key::new(format!("OPEN#{table}"), stamp_place(object, part, stamp))
}

fn done_partition(table: &str, day: NaiveDate) -> String {
    format!("DONE#{table}#{day}")
}

fn done_key(table: &str, object: &ObjectId, part: u32, stamp: Instant) -> Key {
    Key::new(done_partition(table, stamp.date_naive()), stamp_place(object, part, stamp))
}

fn seal_key(table: &str) -> Key {
    Key::new(format!("SEAL#{table}"), "SEAL")
}

/// A part as it is stored.
struct Part {
    state: String,
    table: String,
    stamp: Instant,
}

impl Part {
    fn read(stored: &Stored<'_>) -> Result<Self, PortError> {
        Ok(Self {
            state: stored.text("state")?.to_owned(),
            table: stored.text("table_name")?.to_owned(),
            stamp: stored.instant("stamp")?,
        })
    }

    fn is_open_at(&self, stamp: Instant) -> bool {
        self.state == "open" && self.stamp == stamp
    }

    /// That it is still what was read.
    fn unchanged(&self) -> Expression {
        Expression::new(
            "#state = :was AND #stamp = :was_stamp",
            vec![(":was", text(&self.state)), (":was_stamp", instant(self.stamp))],
        )
    }
}

/// What the item of a seal says.
struct Seal {
    until: Instant,
    gate: Instant,
}

impl DynamoIngestStore {
    /// `process` names this process among those that use the table.
    pub(super) fn new(table: Table, process: &str) -> Self {
        Self { table, sealer: process.to_owned(), n_seals: AtomicU64::new(0) }
    }

    async fn part(&self, object: &ObjectId, part: u32) -> Result<Option<Part>, PortError> {
        let item = self.table.get(&part_key(object, part)).await?;
        item.map(|item| Part::read(&Stored { table: self.table.name, item: &item })).transpose()
    }

    async fn seal_of(&self, table: &str) -> Result<Option<Seal>, PortError> {
        let Some(item) = self.table.get(&seal_key(table)).await? else { return Ok(None) };
        let stored = Stored { table: self.table.name, item: &item };
        let gate = stored.instant("gate")?;
        // Before the first seal is set there is a gate only.
        Ok(Some(Seal {
            until: if item.contains_key("until") { stored.instant("until")? } else { Instant::MIN_UTC },
            gate,
        }))
    }

    /// `None` when something changed meanwhile.
    async fn try_begin(&self, commit: &LakeCommit) -> Result<Option<BeginOutcome>, PortError> {
        let stored = self.part(&commit.object_id, commit.part).await?;
        if stored.as_ref().is_some_and(|part| part.state == "complete") {
            return Ok(Some(BeginOutcome::AlreadyComplete));
        }
        let open = open_key(&commit.table, &commit.object_id, commit.part, commit.stamp);
        let earlier = stored.as_ref().filter(|part| part.state == "open");
        let earlier = earlier.map(|part| open_key(&part.table, &commit.object_id, commit.part, part.stamp));
        let pointer = Attributes::default().text("object_id", commit.object_id.as_str()).number("part", commit.part);
        self.table.put(pointer.instant("stamp", commit.stamp).with_key(&open)).await?;
        if let Some(seal) = self.seal_of(&commit.table).await?
            && commit.stamp < seal.gate
        {
            self.take_back(commit, &open).await?;
            return Ok(Some(BeginOutcome::Sealed { until: seal.gate }));
        }
        let mut transaction = Transaction::new(&self.table, commit.object_id.as_str());
        let condition = stored.as_ref().map_or_else(Expression::absent, Part::unchanged);
        let key = part_key(&commit.object_id, commit.part);
        transaction.put(&self.table, part_item(commit, "open").with_key(&key), Some(&condition))?;
        // A sealer may have found that it lapsed.
        let is_there = Expression::new("attribute_exists(#stamp)", Vec::new());
        transaction.check(&self.table, &open, &is_there)?;
        if let Some(earlier) = earlier.filter(|earlier| *earlier != open) {
            transaction.delete(&self.table, &earlier)?;
        }
        if transaction.commit().await? == Outcome::Committed {
            return Ok(Some(BeginOutcome::Begun));
        }
        // The next try may find the part complete, and would leave a pointer that holds the seal until it lapses.
        self.take_back(commit, &open).await?;
        Ok(None)
    }

    /// Deletes the pointer of a part that was not begun. Another worker may have begun it with this very stamp: then the
    /// pointer stays its.
    async fn take_back(&self, commit: &LakeCommit, open: &Key) -> Result<(), PortError> {
        let mut transaction = Transaction::new(&self.table, commit.object_id.as_str());
        let is_not_begun = Expression::new(
            "attribute_not_exists(#state) OR #state <> :open OR #stamp <> :stamp",
            vec![(":open", text("open")), (":stamp", instant(commit.stamp))],
        );
        transaction.check(&self.table, &part_key(&commit.object_id, commit.part), &is_not_begun)?;
        transaction.delete(&self.table, open)?;
        transaction.commit().await.map(drop)
    }

    /// `None` when something changed meanwhile.
    async fn try_complete(&self, object: &ObjectId, part: u32, stamp: Instant) -> Result<Option<bool>, PortError> {
        let Some(item) = self.table.get(&part_key(object, part)).await? else { return Ok(Some(false)) };
        let stored = Stored { table: self.table.name, item: &item };
        let found = Part::read(&stored)?;
        let open = open_key(&found.table, object, part, stamp);
        if found.state == "complete" {
            if found.stamp == stamp {
                self.table.delete(&open).await?;
            }
            return Ok(Some(found.stamp == stamp));
        }
        if !found.is_open_at(stamp) {
            return Ok(Some(false));
        }
        let mut transaction = Transaction::new(&self.table, object.to_string());
        let complete = Expression::new("SET #state = :complete", vec![(":complete", text("complete"))]);
        transaction.update(&self.table, &part_key(object, part), &complete, Some(&found.unchanged()))?;
        let done = Attributes::default()
            .instant("event_from", stored.instant("event_from")?)
            .instant("event_to", stored.instant("event_to")?)
            .number("n_records", stored.number::<u64>("n_records")?);
        transaction.put(&self.table, done.with_key(&done_key(&found.table, object, part, stamp)), None)?;
        if transaction.commit().await? != Outcome::Committed {
            return Ok(None);
        }
        // Not before the record of it can be read: a seal that saw neither would pass it.
        self.table.delete(&open).await?;
        Ok(Some(true))
    }

    /// Takes the gate over in this sealer's name, raised to `until` where it is below it. `false` when another changed it
    /// between the two.
    async fn raise_gate(&self, table: &str, until: Instant, name: &str) -> Result<bool, PortError> {
        let values = vec![(":until", instant(until)), (":owner", text(name))];
        let raise = Expression::new("SET #gate = :until, #owner = :owner", values);
        let is_below = Expression::new("attribute_not_exists(#gate) OR #gate < :until", Vec::new());
        let mut transaction = Transaction::new(&self.table, table);
        transaction.update(&self.table, &seal_key(table), &raise, Some(&is_below))?;
        if transaction.commit().await? == Outcome::Committed {
            return Ok(true);
        }
        let take = Expression::new("SET #owner = :owner", vec![(":owner", text(name))]);
        let is_up = Expression::new("#gate >= :until", vec![(":until", instant(until))]);
        let mut transaction = Transaction::new(&self.table, table);
        transaction.update(&self.table, &seal_key(table), &take, Some(&is_up))?;
        Ok(transaction.commit().await? == Outcome::Committed)
    }

    /// The earliest open part before `until`. Pointers of completed parts, and of parts that lapsed, are cleared away.
    async fn earliest_open(
        &self,
        table: &str,
        until: Instant,
        lapsed_before: Instant,
    ) -> Result<Option<Instant>, PortError> {
        let range =
            Range::partition(format!("OPEN#{table}")).when("#sk < :until", vec![(":until", text(sortable(until)))]);
        for item in self.table.query(&range, usize::MAX).await? {
            let stored = Stored { table: self.table.name, item: &item };
            let stamp = stored.instant("stamp")?;
            let (object, part) = (ObjectId::new(stored.text("object_id")?), stored.number("part")?);
            if self.table.get(&done_key(table, &object, part, stamp)).await?.is_some() {
                // Whoever completed it died before it took the pointer away.
                self.table.delete(&open_key(table, &object, part, stamp)).await?;
            } else if stamp >= lapsed_before {
                return Ok(Some(stamp));
            } else {
                self.lapse(table, &object, part, stamp).await?;
            }
        }
        Ok(None)
    }

    /// Closes a part for good that was begun with this stamp; one that is not open with it only loses its pointer.
    async fn lapse(&self, table: &str, object: &ObjectId, part: u32, stamp: Instant) -> Result<(), PortError> {
        let pointer = open_key(table, object, part, stamp);
        if !self.part(object, part).await?.is_some_and(|part| part.is_open_at(stamp)) {
            return self.table.delete(&pointer).await.map(drop);
        }
        let mut transaction = Transaction::new(&self.table, object.as_str());
        let lapse = Expression::new("SET #state = :lapsed", vec![(":lapsed", text("lapsed"))]);
        let open = Part { state: "open".to_owned(), table: table.to_owned(), stamp };
        transaction.update(&self.table, &part_key(object, part), &lapse, Some(&open.unchanged()))?;
        transaction.delete(&self.table, &pointer)?;
        // Where it was refused, the part was completed or begun anew meanwhile: the seal's next try sees it.
        transaction.commit().await.map(drop)
    }

    /// `None` when another sealer took the gate over.
    async fn try_seal(
        &self,
        table: &str,
        until: Instant,
        lapsed_before: Instant,
    ) -> Result<Option<Instant>, PortError> {
        let name = format!("{}#{}", self.sealer, self.n_seals.fetch_add(1, Ordering::Relaxed));
        if !self.raise_gate(table, until, &name).await? {
            return Ok(None);
        }
        let open = self.earliest_open(table, until, lapsed_before).await?;
        let earlier = self.seal_of(table).await?.map_or(Instant::MIN_UTC, |seal| seal.until);
        let sealed = open.map_or(until, |open| open.min(until)).max(earlier);
        let mut transaction = Transaction::new(&self.table, table);
        let set = Expression::new("SET #until = :sealed, #gate = :sealed", vec![(":sealed", instant(sealed))]);
        let mine = Expression::new("#owner = :owner", vec![(":owner", text(&name))]);
        transaction.update(&self.table, &seal_key(table), &set, Some(&mine))?;
        Ok((transaction.commit().await? == Outcome::Committed).then_some(sealed))
    }
}

fn part_item(commit: &LakeCommit, state: &str) -> Attributes {
    Attributes::default()
        .text("state", state)
        .text("table_name", &commit.table)
        .instant("stamp", commit.stamp)
        .instant("event_from", commit.event_from)
        .instant("event_to", commit.event_to)
        .number("n_records", commit.n_records)
}

#[async_trait]
impl IngestStore for DynamoIngestStore {
    async fn begin(&self, commit: &LakeCommit) -> Result<BeginOutcome, PortError> {
        settle("begin part of object", commit.object_id.as_str(), MAX_ATTEMPTS, || self.try_begin(commit)).await
    }

    async fn complete(&self, object: &ObjectId, part: u32, stamp: Instant) -> Result<bool, PortError> {
        settle("complete part of object", object.as_str(), MAX_ATTEMPTS, || self.try_complete(object, part, stamp))
            .await
    }

    async fn seal(&self, table: &str, until: Instant, lapsed_before: Instant) -> Result<Instant, PortError> {
        settle("seal table", table, MAX_ATTEMPTS, || self.try_seal(table, until, lapsed_before)).await
    }

    async fn event_span(&self, table: &str, window: TimeWindow) -> Result<Option<EventSpan>, PortError> {
        let last = window.to - TimeDelta::milliseconds(1);
        let mut span: Option<EventSpan> = None;
        let mut day = window.from.date_naive();
        while !window.is_empty() && day <= last.date_naive() {
            // Ends with the last millisecond: what follows it in a place sorts behind `~`.
            let bounds = vec![(":from", text(sortable(window.from))), (":last", text(format!("{}~", sortable(last))))];
            let range = Range::partition(done_partition(table, day)).when("#sk BETWEEN :from AND :last", bounds);
            for item in self.table.query(&range, usize::MAX).await? {
                let stored = Stored { table: self.table.name, item: &item };
                let (from, to) = (stored.instant("event_from")?, stored.instant("event_to")?);
                let n_records = stored.number::<u64>("n_records")?;
                span = Some(span.map_or(EventSpan { from, to, n_records }, |span| EventSpan {
                    from: span.from.min(from),
                    to: span.to.max(to),
                    n_records: span.n_records + n_records,
                }));
            }
            day = day.succ_opt().unwrap_or(NaiveDate::MAX);
        }
        Ok(span)
    }

    async fn record_object(&self, object: &IngestedObject) -> Result<(), PortError> {
        let id = &object.object_id;
        let item = Attributes::default()
            .text("listed", LISTED)
            .text("ingested_key", format!("{}#{id}", sortable(object.ingested_at)))
            .document(id.as_str(), object)?;
        self.table.put(item.with_key(&object_key(id))).await
    }

    async fn object(&self, object: &ObjectId) -> Result<Option<IngestedObject>, PortError> {
        let item = self.table.get(&object_key(object)).await?;
        item.map(|item| self.read_object(&item)).transpose()
    }

    async fn objects(&self, limit: usize) -> Result<Vec<IngestedObject>, PortError> {
        let range = Range::partition(LISTED).index("by_ingestion", "listed", "ingested_key");
        let items = self.table.query(&Range { forward: false, ..range }, limit).await?;
        items.iter().map(|item| self.read_object(item)).collect()
    }
}

fn object_key(object: &ObjectId) -> Key {
    Key::new(format!("OBJECT#{object}"), "OBJECT")
}

impl DynamoIngestStore {
    fn read_object(&self, item: &Item) -> Result<IngestedObject, PortError> {
        Stored { table: self.table.name, item }.document()
    }
}
