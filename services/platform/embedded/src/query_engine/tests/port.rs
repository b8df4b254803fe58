//! The engine behind the port: states, pages, limits.

use super::{engine, rows};
use mantissa_contracts::ids::EngineQueryId;
use mantissa_contracts::messages::FailureKind;
use mantissa_ports::tracked_queries::PAGE_ROWS;
use mantissa_ports::{QueryEngine, QueryRequest, QueryStatus};
use std::time::Duration;

fn request(token: &str, sql: &str) -> QueryRequest {
    QueryRequest { token: token.into(), sql: sql.into(), max_rows: 10_000, timeout: Duration::from_secs(30) }
}

async fn ended(engine: &dyn QueryEngine, id: &EngineQueryId) -> QueryStatus {
    for _ in 0..3_000 {
        let status = engine.status(id).await.unwrap();
        if status.is_final() {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the query did not end");
}

/// Rows that cost nothing to name: 8 columns of 10 values joined.
fn many_rows(n_digits: usize) -> String {
    let digits = "(VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9))";
    let from: Vec<String> = (0..n_digits).map(|i| format!("{digits} AS t{i}(a{i})")).collect();
    let number: Vec<String> = (0..n_digits).map(|i| format!("a{i} * {}", 10_i64.pow(i as u32))).collect();
    format!("SELECT {} AS n FROM {}", number.join(" + "), from.join(" CROSS JOIN "))
}

#[tokio::test]
async fn every_row_is_on_exactly_one_page() {
    let engine = engine();
    let id = engine.start(&request("pages", &format!("{} ORDER BY n LIMIT 2500", many_rows(4)))).await.unwrap();
    assert!(matches!(ended(&engine, &id).await, QueryStatus::Succeeded(_)));
    let (mut page, mut seen, mut tokens) = (None::<String>, Vec::new(), Vec::new());
    loop {
        let result = engine.results(&id, page.as_deref()).await.unwrap();
        assert_eq!(result, engine.results(&id, page.as_deref()).await.unwrap());
        assert_eq!(result.columns[0].data_type, "bigint");
        assert!(result.rows.len() <= PAGE_ROWS);
        seen.extend(result.rows.into_iter().map(|row| row[0].clone().unwrap().parse::<u64>().unwrap()));
        page = result.next_page;
        tokens.push(page.clone());
        if page.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..2_500).collect::<Vec<_>>());
    assert_eq!(tokens.len(), 3);
    assert!(engine.results(&id, Some("7")).await.is_err());
}

#[tokio::test]
async fn null_and_empty_text_differ() {
    let engine = engine();
    let id = engine.start(&request("null", "SELECT NULL AS a, '' AS b")).await.unwrap();
    ended(&engine, &id).await;
    assert_eq!(engine.results(&id, None).await.unwrap().rows, [vec![None, Some(String::new())]]);
}

#[tokio::test]
async fn more_rows_than_allowed_fail_for_good() {
    let engine = engine();
    let id = engine.start(&QueryRequest { max_rows: 99, ..request("rows", &many_rows(2)) }).await.unwrap();
    let status = ended(&engine, &id).await;
    assert!(matches!(&status, QueryStatus::Failed { kind: FailureKind::Permanent, reason } if reason.contains("99")));
    let refused = engine.results(&id, None).await.unwrap_err();
    assert!(!refused.is_transient(), "{refused}");
    let id = engine.start(&QueryRequest { max_rows: 100, ..request("rows 2", &many_rows(2)) }).await.unwrap();
    assert!(matches!(ended(&engine, &id).await, QueryStatus::Succeeded(_)));
}

#[tokio::test]
async fn sql_that_does_not_plan_fails_for_good_and_says_why() {
    let engine = engine();
    for (sql, why) in
        [("SELEKT", "SELEKT"), ("SELECT nothing FROM cloudtrail_logs", "nothing"), ("SELECT 'a' + 1", "a")]
    {
        let id = engine.start(&request(sql, sql)).await.unwrap();
        let status = ended(&engine, &id).await;
        assert!(
            matches!(&status, QueryStatus::Failed { kind: FailureKind::Permanent, reason } if reason.contains(why)),
            "{status:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn timeout_may_be_tried_again_and_cancel_is_final() {
    let engine = engine();
    let slow = format!("SELECT count(DISTINCT n * 7 % 1000003) FROM ({})", many_rows(8));
    let id =
        engine.start(&QueryRequest { timeout: Duration::from_millis(50), ..request("slow", &slow) }).await.unwrap();
    let status = ended(&engine, &id).await;
    assert!(matches!(status, QueryStatus::Failed { kind: FailureKind::Transient, .. }), "{status:?}");
    let id = engine.start(&request("slow 2", &slow)).await.unwrap();
    engine.cancel(&id).await.unwrap();
    assert_eq!(engine.status(&id).await.unwrap(), QueryStatus::Cancelled);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(engine.status(&id).await.unwrap(), QueryStatus::Cancelled);
}

#[tokio::test]
async fn query_the_engine_does_not_know_is_unknown() {
    let engine = engine();
    let id = EngineQueryId::new("embedded-of another process");
    assert_eq!(engine.status(&id).await.unwrap(), QueryStatus::Unknown);
    assert!(!engine.results(&id, None).await.unwrap_err().is_transient());
    engine.cancel(&id).await.unwrap();
    assert_eq!(engine.status(&id).await.unwrap(), QueryStatus::Unknown);
}

/// A statement that ends the thread's stack ends the process, and everybody's queries with it.
#[tokio::test]
async fn longest_chains_that_are_parsed_are_run() {
    let engine = engine();
    let chain = |operator: &str, term: &str| vec![term; 400].join(operator);
    for predicate in [chain(" OR ", "year"), chain(" OR ", "event_id").replace("event_id", "(event_id = 'x')")] {
        let found = engine.collect(&format!("SELECT count(*) FROM cloudtrail_logs WHERE {predicate}")).await;
        assert_eq!(found.is_ok(), predicate.contains('x'), "{found:?}");
    }
    let sum = format!("SELECT {}", chain(" + ", "1"));
    assert_eq!(rows(&engine, &sum).await, ["400"]);
    let error = engine.collect(&format!("SELECT 1{}", " + 1".repeat(20_000))).await.unwrap_err().to_string();
    assert!(error.contains("operators, selects or joins in a row"), "{error}");
}
