//! Functions against results that Trino documents or gives.

use super::{engine, error, rows, value};

/// The expressions that a real Trino is asked too (`make parity`).
const EXPRESSIONS: &str = include_str!("../../../../sql/dialect/expressions.tsv");

#[tokio::test]
async fn expressions_give_what_is_written_beside_them() {
    let engine = engine();
    let (mut n_cases, mut wrong) = (0, Vec::new());
    for line in EXPRESSIONS.lines().filter(|line| !line.starts_with('#')) {
        let [_, expression, expected] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("no case: {line}") };
        n_cases += 1;
        match engine.collect(&format!("SELECT {expression}")).await {
            Ok((_, rows, _)) => {
                let values: Vec<&str> = rows[0].iter().map(|value| value.as_deref().unwrap_or("NULL")).collect();
                let found = values.join("|");
                if found != expected {
                    wrong.push(format!("{expression} gave {found}, not {expected}"));
                }
            }
            Err(error) => wrong.push(format!("{expression} failed: {error}")),
        }
    }
    assert!(wrong.is_empty() && n_cases > 120, "{n_cases} cases:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn try_hides_the_failing_rows_only() {
    let sql = "SELECT try(10 / n) FROM (VALUES (5), (0), (2)) AS t(n)";
    assert_eq!(rows(&engine(), sql).await, ["2", "NULL", "5"]);
}

#[tokio::test]
async fn what_is_not_supported_is_named_with_its_position() {
    let engine = engine();
    for (sql, name) in [
        ("SELECT\n  sequence(1, 2)", "`sequence`"),
        ("SELECT\n  pg_sleep(1)", "`pg_sleep`"),
        ("SELECT\n  CAST(1 AS ROW(a BIGINT))", "a cast to ROW"),
    ] {
        let text = error(&engine, sql).await.to_string();
        assert!(text.contains(name) && text.contains("line 2"), "{text}");
    }
    let text = error(&engine, "SELECT json_extract_scalar(1, '$.a')").await.to_string();
    assert!(text.contains("json_extract_scalar") && text.contains("varchar"), "{text}");
    let text = error(&engine, "SELECT json_extract('{}', '$..a')").await.to_string();
    assert!(text.contains("$..a"), "{text}");
    let text = error(&engine, "SELECT regexp_like('a', '(')").await.to_string();
    assert!(text.contains('('), "{text}");
}

#[tokio::test]
async fn lambda_may_use_columns_of_its_row() {
    let sql = "SELECT any_match(a, x -> x = n) FROM (VALUES (ARRAY[1, 2], 2), (ARRAY[1, 2], 3)) AS t(a, n)";
    assert_eq!(rows(&engine(), sql).await, ["true", "false"]);
}

#[tokio::test]
async fn json_of_a_struct_has_the_names_of_the_source() {
    let sql = "SELECT json_format(CAST(useridentity AS JSON)) FROM cloudtrail_logs ORDER BY event_id";
    assert_eq!(rows(&engine(), sql).await, [r#"{"type":"Root"}"#, r#"{"type":"IAMUser","userName":"ana"}"#, "NULL"]);
}

#[tokio::test]
async fn every_function_the_guard_allows_is_known_to_the_engine() {
    let engine = engine();
    for name in mantissa_sql::FUNCTIONS {
        let is_known = async |call: String| match engine.collect(&format!("SELECT {call}")).await {
            Err(error) => {
                !error.to_string().contains("not supported") && !error.to_string().contains("Invalid function")
            }
            Ok(_) => true,
        };
        let call = format!("{name}(1, 1, 1, 1, 1)");
        assert!(is_known(call.clone()).await || is_known(format!("{call} OVER ()")).await, "{name}");
    }
    assert_eq!(value(&engine, "1").await, "1");
}

#[tokio::test]
async fn folded_comparisons_are_those_of_the_folded_text() {
    let engine = engine();
    let found = |predicate: &'static str| {
        let engine = engine.clone();
        async move {
            rows(&engine, &format!("SELECT event_id FROM cloudtrail_logs WHERE {predicate} ORDER BY event_id")).await
        }
    };
    assert_eq!(found("lower(eventname) = 'deletetrail'").await, ["a"]);
    assert_eq!(found("'deletetrail' = (lower(eventname))").await, ["a"]);
    assert_eq!(found("lower(eventname) = 'DeleteTrail'").await, Vec::<String>::new());
    assert_eq!(found("lower(eventname) IN ('consolelogin', 'deletetrail')").await, ["a", "b"]);
    assert_eq!(found("lower(eventname) NOT IN ('consolelogin', 'x')").await, ["a"], "NULL is neither in nor out");
    assert_eq!(found("NOT COALESCE(lower(eventname) = 'deletetrail', FALSE)").await, ["b", "c"]);
    assert_eq!(found("lower(useridentity.type) = 'root'").await, ["a"]);
    assert!(error(&engine, "SELECT lower(1) = 'a'").await.to_string().contains("varchar"));
}
