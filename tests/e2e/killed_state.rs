//! What a killed process was in the middle of, read from the files it left.

use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Stages, in the order of an alert's way, and how many kills hit each.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    counts: BTreeMap<&'static str, u32>,
    pub(crate) n_kills: u32,
}

/// A message in flight on the queue is a stage at work.
const QUEUES: &[(&str, &str, i64)] = &[
    ("ingest-object_received", "ingest holds an object", 900_000),
    ("query-worker-query_requested", "query-worker starts a query", 60_000),
    ("result-poller-query_started", "result-poller waits for a query or reads its rows", 60_000),
    ("dedup-rule_matched", "dedup groups matches", 60_000),
    ("scheduler-query_completed", "scheduler writes a judged window", 60_000),
    ("scheduler-rule_failed", "scheduler writes a failed window", 60_000),
    ("enrichment-alert_opened", "enrichment adds context to a new alert", 60_000),
    ("enrichment-alert_updated", "enrichment looks at an updated alert", 60_000),
    ("notifiers-webhook", "notifier holds a notification", 60_000),
];

const STARTING: &str = "the process was starting";
const BEGUN: &str = "ingest had begun a part and not completed it";
const SENDING: &str = "notifier had claimed a delivery and not recorded it";
const WAITING: &str = "messages waited in a queue, none in hand";
const IDLE: &str = "nothing was under way";

impl Hits {
    /// Looks at a copy: opening the files themselves would repair what the next start has to repair.
    pub(crate) fn look(&mut self, data: &Path, started_at_ms: i64, was_serving: bool) {
        self.n_kills += 1;
        let hits = match was_serving {
            true => stages_hit(data, started_at_ms),
            false => BTreeSet::from([STARTING]),
        };
        for stage in hits {
            *self.counts.entry(stage).or_default() += 1;
        }
    }

    pub(crate) fn count_of_work(&self) -> u32 {
        self.n_kills - self.counts.get(IDLE).unwrap_or(&0) - self.counts.get(STARTING).unwrap_or(&0)
    }

    pub(crate) fn n_stages(&self) -> usize {
        self.counts.keys().filter(|stage| ![IDLE, STARTING, WAITING].contains(stage)).count()
    }

    pub(crate) fn table(&self) -> String {
        let known = QUEUES.iter().map(|(_, stage, _)| *stage);
        let mut text = format!("{} kills; one can hit several stages\n", self.n_kills);
        for stage in [STARTING, BEGUN].into_iter().chain(known).chain([SENDING, WAITING, IDLE]) {
            text += &format!("{:>6}  {stage}\n", self.counts.get(stage).unwrap_or(&0));
        }
        text
    }
}

fn stages_hit(data: &Path, started_at_ms: i64) -> BTreeSet<&'static str> {
    let copy = tempfile::tempdir().unwrap();
    for name in ["mantissa.db", "mantissa.db-wal"] {
        if data.join(name).exists() {
            std::fs::copy(data.join(name), copy.path().join(name)).unwrap();
        }
    }
    let conn = Connection::open(copy.path().join("mantissa.db")).unwrap();
    let count = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> i64 {
        conn.query_row(sql, values, |row| row.get(0)).unwrap_or_else(|e| panic!("{sql}: {e}"))
    };
    let mut hits = BTreeSet::new();
    for (queue, stage, visibility_ms) in QUEUES {
        // Received by this process: what an earlier one held is hidden too.
        let n_held = count(
            "SELECT count(*) FROM messages WHERE queue = ?1 AND receive_count > 0 AND visible_at >= ?2 + ?3",
            params![queue, started_at_ms, visibility_ms],
        );
        if n_held > 0 {
            hits.insert(*stage);
        }
    }
    if count("SELECT count(*) FROM lake_commits WHERE complete = 0 AND stamp >= ?1", params![started_at_ms]) > 0 {
        hits.insert(BEGUN);
    }
    let sending = "SELECT count(*) FROM deliveries WHERE state = 'sending'
                   AND unixepoch(json_extract(document, '$.updated_at'), 'subsec') * 1000 >= ?1";
    if count(sending, params![started_at_ms]) > 0 {
        hits.insert(SENDING);
    }
    if hits.is_empty() {
        let n_waiting = count("SELECT count(*) FROM messages WHERE visible_at <= ?1", params![i64::MAX])
            - count("SELECT count(*) FROM messages WHERE receive_count > 0", &[]);
        hits.insert(if n_waiting > 0 { WAITING } else { IDLE });
    }
    hits
}

/// From when to when a rule's ingestion time was planned, as the ledger says.
pub(crate) fn planned_span(data: &Path, rule_id: &str) -> (i64, i64) {
    let conn = Connection::open(data.join("mantissa.db")).unwrap();
    let span = "SELECT active_from, planned_to FROM schedules WHERE rule_id = ?1";
    conn.query_row(span, params![rule_id], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

/// Messages of the pipeline that are not done, commits begun and not completed, and windows that are not judged.
///
/// Left out is what a killed process held of the announcements of objects, which stays hidden for 15 minutes: the watched
/// folder announced these objects again, and whether all of them were ingested is seen from the matches.
pub(crate) fn n_undone(data: &Path) -> i64 {
    let conn = Connection::open(data.join("mantissa.db")).unwrap();
    conn.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let undone = "SELECT (SELECT count(*) FROM messages WHERE queue <> 'ingest-object_received' OR receive_count = 0)
                       + (SELECT count(*) FROM windows WHERE state <> 'judged')
                       + (SELECT count(*) FROM lake_commits WHERE complete = 0)";
    conn.query_row(undone, [], |row| row.get(0)).unwrap()
}
