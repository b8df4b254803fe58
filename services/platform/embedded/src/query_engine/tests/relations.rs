//! Tables, views, `UNNEST`, windows, names.

use super::{engine, error, rows};

#[tokio::test]
async fn rule_shaped_query_finds_its_event() {
    let sql = "SELECT event_id, event_time FROM cloudtrail_logs WHERE COALESCE(lower(eventname) = 'deletetrail', FALSE) \
        AND COALESCE(json_extract_scalar(requestparameters, '$.name') = 't', FALSE) \
        AND COALESCE(any_match(TRY_CAST(json_extract(requestparameters, '$.tags') AS ARRAY(JSON)), \
            v -> COALESCE(lower(COALESCE(json_extract_scalar(v, '$'), json_format(v))) LIKE '%x%' ESCAPE '\\', FALSE)), FALSE) \
        AND NOT COALESCE(lower(useridentity.username) = 'x', FALSE) \
        AND event_time >= TIMESTAMP '2026-01-01 00:00:00.000' AND year = '2026' AND month = '01' AND day = '01'";
    assert_eq!(rows(&engine(), sql).await, ["a|2026-01-01 00:00:00.000"]);
}

#[tokio::test]
async fn nested_lambdas_reach_arrays_within_arrays() {
    let sql = r#"SELECT event_id FROM cloudtrail_logs WHERE any_match(TRY_CAST(json_extract(requestparameters, '$.deep["a b"]') AS ARRAY(JSON)),
        v -> any_match(TRY_CAST(json_parse('["d"]') AS ARRAY(JSON)), w -> json_extract_scalar(w, '$') = 'd')
             AND json_extract_scalar(v, '$.c') = 'd')"#;
    assert_eq!(rows(&engine(), sql).await, ["a"]);
}

#[tokio::test]
async fn partition_columns_follow_from_the_event_time() {
    let sql = "SELECT day, count(*) FROM cloudtrail_logs WHERE year = '2026' GROUP BY day ORDER BY day";
    assert_eq!(rows(&engine(), sql).await, ["01|2", "02|1"]);
}

#[tokio::test]
async fn unnest_sees_the_columns_before_it() {
    let engine = engine();
    let tags = "CAST(json_extract(t.requestparameters, '$.tags') AS ARRAY(VARCHAR))";
    let sql = format!(
        "SELECT t.event_id, u.tag, u.n FROM cloudtrail_logs t CROSS JOIN UNNEST({tags}) WITH ORDINALITY AS u(tag, n) ORDER BY 1, 3"
    );
    assert_eq!(rows(&engine, &sql).await, ["a|x|1", "a|y|2", "b|z|1"]);
    let sql =
        format!("SELECT event_id, tag FROM cloudtrail_logs t, UNNEST({tags}) AS u(tag) WHERE tag <> 'x' ORDER BY tag");
    assert_eq!(rows(&engine, &sql).await, ["a|y", "b|z"]);
    let sql =
        format!("SELECT event_id, tag FROM cloudtrail_logs t LEFT JOIN UNNEST({tags}) AS u(tag) ON TRUE ORDER BY 1, 2");
    assert_eq!(rows(&engine, &sql).await, ["a|x", "a|y", "b|z", "c|NULL"]);
    let sql = "SELECT a, b FROM UNNEST(ARRAY[1, 2], ARRAY['x']) AS t(a, b)";
    assert_eq!(rows(&engine, sql).await, ["1|x", "2|NULL"]);
    let sql = "SELECT x, y FROM (VALUES (ARRAY[ARRAY[1, 2], ARRAY[3]])) AS t(a) CROSS JOIN UNNEST(a) AS u(x) CROSS JOIN UNNEST(x) AS v(y) ORDER BY y";
    assert_eq!(rows(&engine, sql).await, ["[1, 2]|1", "[1, 2]|2", "[3]|3"]);
}

#[tokio::test]
async fn views_of_the_catalogue_can_be_read() {
    let engine = engine();
    for view in &mantissa_lake::catalogue::catalogue().views {
        let (columns, _, _) = engine
            .collect(&format!("SELECT v.* FROM {} AS v", view.name))
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", view.name));
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        let expected: Vec<_> = view.columns.iter().map(|column| column.name).collect();
        assert_eq!(names, expected, "{}", view.name);
        rows(&engine, &format!("SELECT count(*) FROM {} WHERE {}.year = '2026'", view.name, view.name)).await;
    }
}

#[tokio::test]
async fn tables_without_batches_are_empty() {
    for table in &mantissa_lake::catalogue::catalogue().tables {
        if table.name != "cloudtrail_logs" {
            assert_eq!(rows(&engine(), &format!("SELECT count(*) FROM {}", table.name)).await, ["0"]);
        }
    }
}

#[tokio::test]
async fn names_are_compared_without_regard_to_case() {
    let sql =
        "WITH X AS (SELECT EventName AS \"Name\" FROM \"CLOUDTRAIL_LOGS\") SELECT x.\"NAME\" FROM x ORDER BY name";
    assert_eq!(rows(&engine(), sql).await, ["ConsoleLogin", "DeleteTrail", "NULL"]);
    let sql = "SELECT T.userIdentity.userName FROM cloudtrail_logs T ORDER BY 1 DESC";
    assert_eq!(rows(&engine(), sql).await, ["ana", "NULL", "NULL"]);
}

#[tokio::test]
async fn sliding_windows_of_time_count_as_trino_counts() {
    let sql = "SELECT event_id, count(*) OVER (ORDER BY event_time RANGE BETWEEN INTERVAL '900' SECOND PRECEDING AND CURRENT ROW) \
        FROM cloudtrail_logs ORDER BY 1";
    assert_eq!(rows(&engine(), sql).await, ["a|1", "b|2", "c|1"]);
}

#[tokio::test]
async fn networks_are_tested_on_columns() {
    let sql =
        "SELECT event_id FROM cloudtrail_logs WHERE contains('10.0.0.0/8', TRY_CAST(sourceipaddress AS IPADDRESS))";
    assert_eq!(rows(&engine(), sql).await, ["a"]);
}

#[tokio::test]
async fn only_queries_over_the_catalogue_are_planned() {
    let engine = engine();
    for sql in [
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM generate_series(1, 3)",
        "CREATE TABLE x AS SELECT 1",
        "COPY (SELECT 1) TO 'x.csv'",
        "INSERT INTO cloudtrail_logs SELECT * FROM cloudtrail_logs",
    ] {
        error(&engine, sql).await;
    }
}
