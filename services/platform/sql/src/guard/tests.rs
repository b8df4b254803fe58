use super::*;
use crate::error::{Position, SqlError};
use chrono::{TimeZone, Utc};
use mantissa_lake::catalogue::{Column, ColumnType, LogSource, Table, View, common_columns};

fn catalogue() -> Catalogue {
    let column = |name, data_type| Column { name, source_field: name, data_type, doc: "" };
    let table = |name, log_source| {
        let mut columns = vec![column("eventname", ColumnType::Varchar), column("requestparameters", ColumnType::Json)];
        columns.extend(common_columns());
        Table { name, log_source, columns, doc: "" }
    };
    let view = View {
        name: "normalized_auth_view",
        columns: vec![column("year", ColumnType::Varchar), column("event_time", ColumnType::Timestamp)],
        sql: "SELECT year, event_time FROM cloudtrail_logs".into(),
        doc: "",
    };
    Catalogue {
        tables: vec![table("cloudtrail_logs", LogSource::CloudTrail), table("vpc_flow_logs", LogSource::VpcFlow)],
        views: vec![view],
    }
}

fn rules(sql: &str) -> Result<GuardedQuery, GuardError> {
    guard(sql, &catalogue(), &GuardPolicy::for_rules(100))
}

fn lookback() -> TimeWindow {
    TimeWindow::new(
        Utc.with_ymd_and_hms(2025, 12, 30, 12, 0, 0).unwrap(),
        Utc.with_ymd_and_hms(2026, 1, 2, 12, 0, 0).unwrap(),
    )
}

fn people(sql: &str) -> Result<GuardedQuery, GuardError> {
    guard(sql, &catalogue(), &GuardPolicy::for_people(100, lookback()))
}

fn required(sql: &str) -> Result<GuardedQuery, GuardError> {
    guard(sql, &catalogue(), &GuardPolicy { partitions: PartitionPolicy::Required, ..GuardPolicy::for_rules(100) })
}

#[test]
fn plain_queries_pass_and_say_what_they_read() {
    for sql in [
        "SELECT * FROM cloudtrail_logs",
        "select eventname, count(*) from CloudTrail_Logs group by 1 order by 2 desc",
        "WITH a AS (SELECT 1 AS x) SELECT * FROM a JOIN cloudtrail_logs t ON t.eventname = 'x'",
        "SELECT eventname FROM cloudtrail_logs UNION ALL SELECT eventname FROM vpc_flow_logs",
        "SELECT * FROM \"cloudtrail_logs\" WHERE eventname IN (SELECT eventname FROM vpc_flow_logs)",
        "SELECT any_match(TRY_CAST(json_extract(requestparameters, '$.a') AS ARRAY(JSON)), v -> v IS NULL) FROM cloudtrail_logs",
        "SELECT u.a FROM cloudtrail_logs CROSS JOIN UNNEST(ARRAY[1]) WITH ORDINALITY AS u(a, n)",
        "SELECT sum(1) OVER (PARTITION BY eventname ORDER BY event_time RANGE BETWEEN INTERVAL '900' SECOND PRECEDING AND CURRENT ROW) FROM cloudtrail_logs",
        "SELECT * FROM (VALUES (1, 'a')) AS t(a, b)",
    ] {
        rules(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let guarded = rules("SELECT 1 FROM vpc_flow_logs, normalized_auth_view, cloudtrail_logs").unwrap();
    assert_eq!(guarded.tables, ["cloudtrail_logs", "normalized_auth_view", "vpc_flow_logs"]);
}

#[test]
fn a_query_reads_so_many_tables_and_no_more() {
    let commas = |n: usize| format!("SELECT 1 FROM {}", vec!["vpc_flow_logs"; n].join(", "));
    assert!(rules(&commas(64)).is_ok());
    assert!(matches!(rules(&commas(65)), Err(GuardError::TooManyTables { max: 64, .. })));
    // Those that a WITH query stands for are no fewer for its name.
    let named = format!("WITH a AS ({}) SELECT 1 FROM {}", commas(33), vec!["a"; 33].join(", "));
    assert!(matches!(rules(&named), Err(GuardError::TooManyTables { .. })));
}

#[test]
fn literals_and_comments_are_never_mistaken_for_keywords() {
    for sql in [
        "SELECT * FROM cloudtrail_logs WHERE eventname LIKE '%Delete%'",
        "SELECT * FROM cloudtrail_logs WHERE eventname = '; DROP TABLE cloudtrail_logs; --'",
        "SELECT * FROM cloudtrail_logs WHERE eventname = 'a''; DELETE FROM x; --'",
        "SELECT eventname AS \"INSERT INTO\" FROM cloudtrail_logs /* DROP TABLE x; */ -- ; UPDATE y",
        "SELECT 'UNLOAD (SELECT 1) TO ''s3://x''' FROM cloudtrail_logs",
    ] {
        rules(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

#[test]
fn anything_but_one_select_is_stopped() {
    for sql in [
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE cloudtrail_logs",
        "DELETE FROM cloudtrail_logs",
        "INSERT INTO cloudtrail_logs SELECT * FROM cloudtrail_logs",
        "WITH a AS (SELECT 1) DELETE FROM cloudtrail_logs",
        "WITH a AS (DELETE FROM cloudtrail_logs RETURNING *) SELECT * FROM a",
        "WITH a AS (SELECT 1) INSERT INTO cloudtrail_logs SELECT 1",
        "CREATE TABLE x AS SELECT 1",
        "EXECUTE prepared",
        "EXECUTE IMMEDIATE 'SELECT 1'",
        "PREPARE p FROM SELECT 1",
        "UNLOAD (SELECT * FROM cloudtrail_logs) TO 's3://bucket/' WITH (format = 'PARQUET')",
        "EXPLAIN SELECT 1",
        "SHOW TABLES",
        "DESCRIBE cloudtrail_logs",
        "CALL system.runtime.kill_query('x')",
        "SET SESSION x = 1",
        "USE other",
        "VALUES (1)",
        "TABLE cloudtrail_logs",
        "FROM cloudtrail_logs",
        "SELECT * INTO x FROM cloudtrail_logs",
        "SELECT * FROM cloudtrail_logs FOR UPDATE",
        "COPY cloudtrail_logs TO 'x'",
        "",
        ";",
        "-- only a comment",
    ] {
        assert!(rules(sql).is_err(), "let through: {sql}");
    }
}

#[test]
fn other_databases_and_unknown_tables_are_stopped_in_every_scope() {
    for relation in [
        "information_schema.tables",
        "other.cloudtrail_logs",
        "awsdatacatalog.other.x",
        "\"a\".\"b\"",
        "unknown",
        "pg_catalog.pg_user",
    ] {
        for sql in [
            format!("SELECT * FROM {relation}"),
            format!("SELECT * FROM cloudtrail_logs JOIN {relation} ON true"),
            format!("SELECT * FROM cloudtrail_logs, {relation}"),
            format!("SELECT * FROM (SELECT * FROM {relation}) x"),
            format!("WITH a AS (SELECT * FROM {relation}) SELECT * FROM a"),
            format!("SELECT 1 FROM cloudtrail_logs UNION SELECT 1 FROM {relation}"),
            format!("SELECT (SELECT max(1) FROM {relation})"),
            format!("SELECT 1 WHERE EXISTS (SELECT 1 FROM {relation})"),
            format!("SELECT 1 WHERE 1 IN (SELECT 1 FROM {relation})"),
            format!("SELECT 1 ORDER BY (SELECT 1 FROM {relation})"),
            format!("SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM {relation}))"),
            format!("SELECT 1 FROM cloudtrail_logs CROSS JOIN UNNEST((SELECT array_agg(1) FROM {relation})) AS t(a)"),
            format!("SELECT * FROM (cloudtrail_logs CROSS JOIN {relation})"),
        ] {
            let error = rules(&sql).expect_err(&sql);
            assert!(
                matches!(error, GuardError::OtherDatabase { .. } | GuardError::UnknownTable { .. }),
                "{sql}: {error}"
            );
        }
    }
}

#[test]
fn ctes_neither_hide_tables_nor_leak_out_of_their_query() {
    assert!(matches!(
        rules("WITH cloudtrail_logs AS (SELECT 1) SELECT * FROM cloudtrail_logs"),
        Err(GuardError::ShadowedTable { .. })
    ));
    assert!(matches!(
        rules("SELECT * FROM (WITH \"CLOUDTRAIL_LOGS\" AS (SELECT 1) SELECT 1) x"),
        Err(GuardError::ShadowedTable { .. })
    ));
    assert!(matches!(
        rules("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) x, a"),
        Err(GuardError::UnknownTable { .. })
    ));
    assert!(matches!(
        rules("WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a"),
        Err(GuardError::DuplicateCte { .. })
    ));
    assert!(rules("WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) SELECT * FROM a").is_err());
}

#[test]
fn functions_off_the_list_and_table_functions_are_stopped() {
    for sql in [
        "SELECT pg_sleep(10)",
        "SELECT system.runtime.nodes()",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM TABLE(sequence(1, 10))",
        "SELECT * FROM generate_series(1, 1000000000)",
        "SELECT 1 WHERE any_match(ARRAY[1], v -> pg_sleep(v) = 1)",
        "SELECT count(pg_sleep(1)) OVER (ORDER BY 1)",
        "SELECT 1 GROUP BY random()",
    ] {
        assert!(rules(sql).is_err(), "let through: {sql}");
    }
    assert!(matches!(rules("SELECT now()"), Err(GuardError::Clock { .. })));
    assert!(matches!(rules("SELECT current_timestamp"), Err(GuardError::Clock { .. })));
    assert!(people("SELECT now()").is_ok());
}

#[test]
fn disguises_are_stopped() {
    for sql in [
        "SELECT /* a /* b */ c */ 1",
        "SELECT 1 /* /* */ ; DROP TABLE x",
        r"SELECT U&'\0041'",
        r#"SELECT * FROM U&"cloudtrail\005flogs""#,
        r"SELECT E'\x41'",
        "SELECT $$a$$",
        "SELECT 1 |> WHERE true",
        "SELECT a:b FROM cloudtrail_logs",
        "SELECT * FROM cloudtrail_logs TABLESAMPLE BERNOULLI (1)",
        "SELECT ?",
    ] {
        assert!(rules(sql).is_err(), "let through: {sql}");
    }
}

#[test]
fn outer_limit_is_one_more_than_allowed_and_order_is_kept() {
    let sql = |text: &str| rules(text).unwrap().sql.replace('\n', " ");
    assert_eq!(sql("SELECT 1"), "SELECT 1 LIMIT 101");
    assert_eq!(sql("SELECT 1 LIMIT 999999999"), "SELECT 1 LIMIT 101");
    assert_eq!(sql("SELECT 1 -- LIMIT 1"), "SELECT 1 LIMIT 101");
    assert_eq!(sql("SELECT 1 LIMIT 5"), "SELECT 1 LIMIT 5");
    assert_eq!(sql("SELECT 1 LIMIT ALL"), "SELECT 1 LIMIT 101");
    assert_eq!(sql("SELECT 1 AS a ORDER BY a"), "SELECT 1 AS a ORDER BY a LIMIT 101");
    assert_eq!(sql("SELECT * FROM (SELECT 1 LIMIT 5)"), "SELECT * FROM (SELECT 1 LIMIT 5) LIMIT 101");
    assert!(sql("SELECT 1 LIMIT 1 + 100000").ends_with("AS limited LIMIT 101"));
    assert!(sql("SELECT 1 FETCH FIRST 100000 ROWS ONLY").ends_with("AS limited LIMIT 101"));
    assert!(sql("(SELECT 1) UNION ALL (SELECT 2 LIMIT 1)").ends_with("LIMIT 101"));
}

#[test]
fn policy_span_confines_only_reads_without_a_bound() {
    let guarded = people("SELECT * FROM cloudtrail_logs t WHERE t.eventname = 'x'").unwrap();
    assert_eq!(guarded.bounded_by_policy, ["cloudtrail_logs"]);
    let sql = guarded.sql.replace('\n', " ");
    assert!(sql.contains("year BETWEEN '2025' AND '2026'"), "{sql}");
    assert!(sql.contains("event_time >= TIMESTAMP '2025-12-30 12:00:00.000'"), "{sql}");
    assert!(sql.contains(") AS t WHERE t.eventname") || sql.contains(") t WHERE t.eventname"), "{sql}");
    for bounded in [
        "SELECT * FROM cloudtrail_logs WHERE year = '2026' AND month = '01'",
        "SELECT * FROM cloudtrail_logs t WHERE t.year >= '2026'",
        "SELECT * FROM cloudtrail_logs WHERE (year = '2025' AND month = '12') OR (year = '2026')",
        "SELECT * FROM cloudtrail_logs WHERE year || month || day BETWEEN '20260101' AND '20260102'",
        "SELECT * FROM cloudtrail_logs WHERE year IN ('2025', '2026')",
    ] {
        let guarded = people(bounded).unwrap();
        assert!(guarded.bounded_by_policy.is_empty(), "{bounded}");
        assert!(!guarded.sql.contains("AS cloudtrail_logs"), "{bounded}");
    }
}

#[test]
fn bound_on_event_time_becomes_a_bound_on_partitions() {
    let sql = required(
        "SELECT * FROM cloudtrail_logs WHERE event_time >= TIMESTAMP '2026-03-01 10:00:00' AND event_time < TIMESTAMP '2026-03-04 00:00:00'",
    )
    .unwrap()
    .sql;
    assert!(sql.contains("year = '2026' AND month = '03' AND day BETWEEN '01' AND '04'"), "{sql}");
}

#[test]
fn read_without_a_bound_is_refused_where_one_is_required() {
    for sql in [
        "SELECT * FROM cloudtrail_logs",
        "SELECT * FROM cloudtrail_logs WHERE year <> '2026'",
        "SELECT * FROM cloudtrail_logs WHERE year = '2026' OR eventname = 'x'",
        "SELECT * FROM cloudtrail_logs WHERE NOT (year = '2026')",
        "SELECT * FROM cloudtrail_logs WHERE event_time < TIMESTAMP '2026-01-01 00:00:00'",
        "SELECT * FROM cloudtrail_logs a, vpc_flow_logs b WHERE a.year = '2026'",
        "SELECT * FROM (SELECT * FROM cloudtrail_logs) WHERE year = '2026'",
        "SELECT (SELECT count(*) FROM vpc_flow_logs) FROM cloudtrail_logs WHERE year = '2026'",
        "WITH a AS (SELECT * FROM cloudtrail_logs) SELECT * FROM a WHERE year = '2026'",
        "SELECT * FROM normalized_auth_view",
        "SELECT 'year = 2026' FROM cloudtrail_logs",
    ] {
        assert!(matches!(required(sql), Err(GuardError::Unbounded { .. })), "{sql}: {:?}", required(sql));
    }
}

#[test]
fn what_comes_out_passes_again_unchanged() {
    let once = people("WITH a AS (SELECT * FROM cloudtrail_logs) SELECT count(*) FROM a ORDER BY 1").unwrap().sql;
    assert_eq!(people(&once).unwrap().sql, once);
}

#[test]
fn errors_say_where() {
    let error = rules("SELECT 1\nFROM unknown").unwrap_err();
    assert_eq!(error.position(), Some(Position { line: 2, column: 6 }));
    let error = rules("SELECT 1,\n  pg_sleep(1)").unwrap_err();
    assert_eq!(error.position(), Some(Position { line: 2, column: 3 }));
    assert!(error.to_string().contains("`pg_sleep` at line 2, column 3"), "{error}");
    let error = rules("SELECT * FROM cloudtrail").unwrap_err();
    assert!(error.to_string().contains("did you mean `cloudtrail_logs`"), "{error}");
    assert!(matches!(rules(&"x".repeat(300_000)), Err(GuardError::TooLong { .. })));
    assert!(matches!(rules("DROP TABLE x"), Err(GuardError::Sql(SqlError::NotASelect { .. }))));
}
