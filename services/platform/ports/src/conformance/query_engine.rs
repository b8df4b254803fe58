//! The contract of the QueryEngine port.

use super::samples::{NO_WAIT, at};
use crate::{Column, QueryEngine, QueryRequest, QueryStats, QueryStatus, ResultPage};
use mantissa_contracts::ids::EngineQueryId;
use mantissa_contracts::messages::FailureKind;
use mantissa_contracts::time::Instant;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Every sentence but the memory limit, which each engine is given its own way and tests itself.
#[macro_export]
macro_rules! query_engine_conformance {
    ($($how:tt)*) => {
        $crate::query_life_conformance!($($how)*);
        $crate::query_sql_conformance!($($how)*);
    };
}

/// The life of a query: tokens, status, limits, pages, cancelling.
#[macro_export]
macro_rules! query_life_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { query_engine, [$($how)*],
            start_returns_before_the_query_ends
            same_token_is_the_same_query
            same_token_with_other_sql_is_another_query
            final_status_stays
            query_past_its_timeout_fails_transiently
            query_with_too_many_rows_fails_permanently
            query_with_exactly_the_allowed_rows_succeeds
            results_have_every_row_once
            same_page_token_gives_the_same_page
            results_of_a_query_that_did_not_succeed_are_a_permanent_error
            cancelled_query_stops
            cancelling_what_ended_does_nothing
            unknown_query_is_unknown
        }
    };
}

/// What the engine makes of SQL, and how it prints values: nothing to ask of a fake that is told its answers.
#[macro_export]
macro_rules! query_sql_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { query_engine, [$($how)*],
            sql_that_does_not_parse_fails_permanently_with_a_reason
            unknown_column_fails_permanently_and_is_named
            null_differs_from_the_empty_text
            values_are_printed_as_trino_prints_them
            result_without_rows_has_its_columns
            scanned_bytes_count_what_was_read
            time_bounds_are_half_open
        }
    };
}

/// An engine over a small known lake.
///
/// The lake holds [`lake_rows`] in table [`LAKE_TABLE`] and nothing else in it; its own columns, beside the common
/// ones, are null. Where it is files, the rows are in at least two of them, in the partition of their event date.
pub trait EngineFixture: Send + Sync {
    fn engine(&self) -> Arc<dyn QueryEngine>;

    /// False where the rows are in memory: then no file is read.
    fn lake_is_files(&self) -> bool {
        true
    }
}

pub const LAKE_TABLE: &str = "application_logs";
/// More than any engine returns in one page.
pub const N_LAKE_ROWS: usize = 1500;

/// Runs for minutes on any engine: three thousand million combinations of rows.
pub const SLOW: &str = "SELECT count(*) FROM application_logs a CROSS JOIN application_logs b \
                        CROSS JOIN application_logs c WHERE a.event_id || b.event_id || c.event_id = 'x'";
/// No engine parses it.
pub const BROKEN: &str = "SELECT FROM WHERE";
/// One column of every row.
pub const EVENT_IDS: &str = "SELECT event_id FROM application_logs";
/// Two columns of every row.
pub const EVENTS: &str = "SELECT event_id, raw FROM application_logs";
/// One row.
pub const ONE_EVENT_ID: &str = "SELECT event_id FROM application_logs LIMIT 1";

/// The common columns of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeRow {
    pub event_id: String,
    pub event_time: Instant,
    pub ingested_at: Instant,
    pub source_object: String,
    pub raw: String,
}

/// One event a second from 2026-03-01T12:00:00Z, ingested an hour later: `event-0000`, `event-0001` …
pub fn lake_rows() -> Vec<LakeRow> {
    let row = |i: usize| {
        let event_time = at(0) + Duration::from_secs(i as u64);
        LakeRow {
            event_id: format!("event-{i:04}"),
            event_time,
            ingested_at: event_time + Duration::from_secs(3600),
            source_object: "conformance.log".to_owned(),
            raw: if i == 0 { String::new() } else { format!("line {i} with a \"quote\" and ü") },
        }
    };
    (0..N_LAKE_ROWS).map(row).collect()
}

fn request(token: &str, sql: &str) -> QueryRequest {
    QueryRequest { token: token.to_owned(), sql: sql.to_owned(), max_rows: 10_000, timeout: Duration::from_secs(60) }
}

async fn start(fixture: &dyn EngineFixture, request: &QueryRequest) -> EngineQueryId {
    fixture.engine().start(request).await.unwrap()
}

async fn wait(fixture: &dyn EngineFixture, query: &EngineQueryId) -> QueryStatus {
    for _ in 0..6_000 {
        let status = fixture.engine().status(query).await.unwrap();
        if status.is_final() {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("query {query} did not end within a minute");
}

async fn run(fixture: &dyn EngineFixture, request: &QueryRequest) -> (EngineQueryId, QueryStatus) {
    let query = start(fixture, request).await;
    let status = wait(fixture, &query).await;
    (query, status)
}

async fn succeed(fixture: &dyn EngineFixture, sql: &str) -> (EngineQueryId, QueryStats) {
    match run(fixture, &request("succeed", sql)).await {
        (query, QueryStatus::Succeeded(stats)) => (query, stats),
        (_, other) => panic!("`{sql}` ended as {other:?}"),
    }
}

async fn pages(fixture: &dyn EngineFixture, query: &EngineQueryId) -> Vec<ResultPage> {
    let mut pages: Vec<ResultPage> = Vec::new();
    loop {
        let token = pages.last().and_then(|page| page.next_page.clone());
        if !pages.is_empty() && token.is_none() {
            return pages;
        }
        pages.push(fixture.engine().results(query, token.as_deref()).await.unwrap());
    }
}

async fn rows(fixture: &dyn EngineFixture, sql: &str) -> Vec<Vec<Option<String>>> {
    let (query, _) = succeed(fixture, sql).await;
    pages(fixture, &query).await.into_iter().flat_map(|page| page.rows).collect()
}

fn assert_failed(status: &QueryStatus, expected: FailureKind) -> String {
    match status {
        QueryStatus::Failed { kind, reason } if *kind == expected => {
            assert!(!reason.is_empty());
            reason.clone()
        }
        other => panic!("expected a {expected:?} failure, got {other:?}"),
    }
}

pub async fn start_returns_before_the_query_ends(fixture: &dyn EngineFixture) {
    let query = start(fixture, &request("slow", SLOW)).await;
    let status = fixture.engine().status(&query).await.unwrap();
    assert!(!status.is_final(), "{status:?}");
    fixture.engine().cancel(&query).await.unwrap();
}

pub async fn same_token_is_the_same_query(fixture: &dyn EngineFixture) {
    let first = start(fixture, &request("a", ONE_EVENT_ID)).await;
    assert_eq!(start(fixture, &request("a", ONE_EVENT_ID)).await, first);
    wait(fixture, &first).await;
    assert_eq!(start(fixture, &request("a", ONE_EVENT_ID)).await, first);
    assert_ne!(start(fixture, &request("b", ONE_EVENT_ID)).await, first);
}

pub async fn same_token_with_other_sql_is_another_query(fixture: &dyn EngineFixture) {
    let first = start(fixture, &request("a", ONE_EVENT_ID)).await;
    assert_ne!(start(fixture, &request("a", EVENT_IDS)).await, first);
}

pub async fn sql_that_does_not_parse_fails_permanently_with_a_reason(fixture: &dyn EngineFixture) {
    let (_, status) = run(fixture, &request("bad", BROKEN)).await;
    let reason = assert_failed(&status, FailureKind::Permanent);
    assert!(reason.contains("FROM"), "{reason}");
}

pub async fn unknown_column_fails_permanently_and_is_named(fixture: &dyn EngineFixture) {
    let (_, status) = run(fixture, &request("bad", "SELECT no_such_column FROM application_logs")).await;
    let reason = assert_failed(&status, FailureKind::Permanent);
    assert!(reason.contains("no_such_column"), "{reason}");
}

pub async fn final_status_stays(fixture: &dyn EngineFixture) {
    let (query, stats) = succeed(fixture, EVENT_IDS).await;
    assert_eq!(stats.n_rows, N_LAKE_ROWS as u64);
    for _ in 0..3 {
        assert_eq!(fixture.engine().status(&query).await.unwrap(), QueryStatus::Succeeded(stats));
    }
    let (query, failed) = run(fixture, &request("bad", BROKEN)).await;
    for _ in 0..3 {
        assert_eq!(fixture.engine().status(&query).await.unwrap(), failed);
    }
}

pub async fn query_past_its_timeout_fails_transiently(fixture: &dyn EngineFixture) {
    let (_, status) =
        run(fixture, &QueryRequest { timeout: Duration::from_millis(300), ..request("slow", SLOW) }).await;
    assert_failed(&status, FailureKind::Transient);
}

pub async fn query_with_too_many_rows_fails_permanently(fixture: &dyn EngineFixture) {
    let few = QueryRequest { max_rows: N_LAKE_ROWS as u64 - 1, ..request("rows", EVENT_IDS) };
    let (_, status) = run(fixture, &few).await;
    assert_failed(&status, FailureKind::Permanent);
}

pub async fn query_with_exactly_the_allowed_rows_succeeds(fixture: &dyn EngineFixture) {
    let enough = QueryRequest { max_rows: N_LAKE_ROWS as u64, ..request("rows", EVENT_IDS) };
    let (_, status) = run(fixture, &enough).await;
    assert!(matches!(status, QueryStatus::Succeeded(_)), "{status:?}");
}

pub async fn results_have_every_row_once(fixture: &dyn EngineFixture) {
    let (query, _) = succeed(fixture, EVENT_IDS).await;
    let pages = pages(fixture, &query).await;
    assert!(pages.len() > 1, "the result came in one page, so that nothing is known of the others");
    let rows: Vec<_> = pages.into_iter().flat_map(|page| page.rows).collect();
    assert_eq!(rows.len(), N_LAKE_ROWS);
    let found: HashSet<String> = rows.into_iter().filter_map(|mut row| row.remove(0)).collect();
    let expected: HashSet<String> = lake_rows().into_iter().map(|row| row.event_id).collect();
    assert_eq!(found, expected);
}

pub async fn same_page_token_gives_the_same_page(fixture: &dyn EngineFixture) {
    let (query, _) = succeed(fixture, EVENTS).await;
    let first = fixture.engine().results(&query, None).await.unwrap();
    assert_eq!(fixture.engine().results(&query, None).await.unwrap(), first);
    for page in pages(fixture, &query).await {
        let Some(token) = page.next_page else { continue };
        let once = fixture.engine().results(&query, Some(&token)).await.unwrap();
        assert_eq!(fixture.engine().results(&query, Some(&token)).await.unwrap(), once);
    }
}

pub async fn null_differs_from_the_empty_text(fixture: &dyn EngineFixture) {
    let sql = "SELECT raw, CAST(NULL AS varchar) FROM application_logs WHERE event_id = 'event-0000'";
    assert_eq!(rows(fixture, sql).await, [vec![Some(String::new()), None]]);
}

pub async fn values_are_printed_as_trino_prints_them(fixture: &dyn EngineFixture) {
    let sql = "SELECT event_time, 1 = 1, CAST(42 AS bigint), raw FROM application_logs WHERE event_id = 'event-0001'";
    let row = ["2026-03-01 12:00:01.000", "true", "42", "line 1 with a \"quote\" and ü"];
    assert_eq!(rows(fixture, sql).await, [row.map(|text| Some(text.to_owned())).to_vec()]);
}

pub async fn result_without_rows_has_its_columns(fixture: &dyn EngineFixture) {
    let sql = "SELECT event_id, event_time AS at FROM application_logs WHERE event_id = 'none'";
    let (query, stats) = succeed(fixture, sql).await;
    let page = pages(fixture, &query).await.remove(0);
    let column = |name: &str, data_type: &str| Column { name: name.to_owned(), data_type: data_type.to_owned() };
    assert_eq!(page.columns, [column("event_id", "varchar"), column("at", "timestamp(3)")]);
    assert_eq!((stats.n_rows, page.rows.len()), (0, 0));
}

pub async fn results_of_a_query_that_did_not_succeed_are_a_permanent_error(fixture: &dyn EngineFixture) {
    let (failed, _) = run(fixture, &request("bad", BROKEN)).await;
    let cancelled = start(fixture, &request("cancelled", SLOW)).await;
    fixture.engine().cancel(&cancelled).await.unwrap();
    let running = start(fixture, &request("slow", SLOW)).await;
    for query in [&failed, &cancelled, &running] {
        let error = fixture.engine().results(query, None).await.expect_err("a query that did not succeed");
        assert!(!error.is_transient(), "{error}");
    }
    fixture.engine().cancel(&running).await.unwrap();
}

pub async fn cancelled_query_stops(fixture: &dyn EngineFixture) {
    let query = start(fixture, &request("slow", SLOW)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    fixture.engine().cancel(&query).await.unwrap();
    assert_eq!(wait(fixture, &query).await, QueryStatus::Cancelled);
    tokio::time::sleep(NO_WAIT).await;
    assert_eq!(fixture.engine().status(&query).await.unwrap(), QueryStatus::Cancelled);
}

pub async fn cancelling_what_ended_does_nothing(fixture: &dyn EngineFixture) {
    let (query, stats) = succeed(fixture, ONE_EVENT_ID).await;
    fixture.engine().cancel(&query).await.unwrap();
    assert_eq!(fixture.engine().status(&query).await.unwrap(), QueryStatus::Succeeded(stats));
    assert_eq!(fixture.engine().results(&query, None).await.unwrap().rows.len(), 1);
}

pub async fn unknown_query_is_unknown(fixture: &dyn EngineFixture) {
    let nobody = EngineQueryId::new("no-such-query");
    assert_eq!(fixture.engine().status(&nobody).await.unwrap(), QueryStatus::Unknown);
    fixture.engine().cancel(&nobody).await.unwrap();
    let error = fixture.engine().results(&nobody, None).await.expect_err("an unknown query");
    assert!(!error.is_transient(), "{error}");
}

pub async fn scanned_bytes_count_what_was_read(fixture: &dyn EngineFixture) {
    let (_, none) = succeed(fixture, "SELECT 1 AS one").await;
    assert_eq!(none.scanned_bytes, 0);
    let (_, some) = succeed(fixture, "SELECT event_id AS narrow FROM application_logs").await;
    assert_eq!(some.scanned_bytes > 0, fixture.lake_is_files());
}

pub async fn time_bounds_are_half_open(fixture: &dyn EngineFixture) {
    let sql = "SELECT count(*), min(event_id), max(event_id) FROM application_logs \
               WHERE ingested_at >= TIMESTAMP '2026-03-01 13:00:10.000' \
               AND ingested_at < TIMESTAMP '2026-03-01 13:00:20.000'";
    let expected = ["10", "event-0010", "event-0019"].map(|text| Some(text.to_owned())).to_vec();
    assert_eq!(rows(fixture, sql).await, [expected]);
}
