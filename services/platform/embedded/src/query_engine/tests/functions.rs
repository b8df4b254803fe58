//! Functions against results that Trino documents or gives.

use super::{engine, error, rows, value};

/// Pairs of expression and result.
async fn check(cases: &[(&str, &str)]) {
    let engine = engine();
    let mut wrong = Vec::new();
    for (expr, expected) in cases {
        match engine.collect(&format!("SELECT {expr}")).await {
            Ok((_, rows, _)) => {
                let found = rows[0][0].clone().unwrap_or_else(|| "NULL".to_owned());
                if found != *expected {
                    wrong.push(format!("{expr} gave {found}, not {expected}"));
                }
            }
            Err(error) => wrong.push(format!("{expr} failed: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn json_functions_give_trino_results() {
    check(&[
        ("json_extract_scalar('[1, 2, 3]', '$[2]')", "3"),
        ("json_extract_scalar('{\"a\":{\"b\":\"c\"}}', '$.a.b')", "c"),
        ("json_extract_scalar('{\"a\":{\"b\":\"c\"}}', '$.a')", "NULL"),
        ("json_extract_scalar('{\"a\":true}', '$.a')", "true"),
        ("json_extract_scalar('{\"a\":1.50}', '$.a')", "1.50"),
        ("json_extract_scalar('{\"a\":null}', '$.a')", "NULL"),
        ("json_extract_scalar('not json', '$.a')", "NULL"),
        ("json_extract('{\"a\":{ \"b\": [1, 2] }}', '$.a')", "{\"b\":[1,2]}"),
        ("json_extract('{\"a\":null}', '$.a')", "null"),
        ("json_extract('{\"b\":1}', '$.a')", "NULL"),
        ("json_format(json_extract('{\"z\":1, \"a\":{\"y\":1,\"b\":2}}', '$.a'))", "{\"y\":1,\"b\":2}"),
        ("json_format(json_parse('{\"z\":1, \"a\":[1, 2]}'))", "{\"a\":[1,2],\"z\":1}"),
        ("json_array_length('[1, 2, 3]')", "3"),
        ("json_array_length('{}')", "NULL"),
        ("json_array_contains('[1, 2, 3]', 2)", "true"),
        ("json_array_contains('[\"1\"]', '1')", "true"),
        ("json_array_contains('[1]', '1')", "false"),
        ("json_array_contains('[true]', true)", "true"),
        ("json_array_get('[\"a\", [3, 9]]', 1)", "[3,9]"),
        ("json_array_get('[\"a\", \"c\"]', -1)", "\"c\""),
        ("json_size('{\"x\": {\"a\": 1, \"b\": 2}}', '$.x')", "2"),
        ("json_size('{\"x\": [1, 2, 3]}', '$.x')", "3"),
        ("json_size('{\"x\": 1}', '$.x')", "0"),
        ("try(json_parse('{'))", "NULL"),
    ])
    .await;
}

#[tokio::test]
async fn casts_give_trino_results() {
    check(&[
        ("CAST('a\"b' AS JSON)", "\"a\\\"b\""),
        ("CAST(1 AS JSON)", "1"),
        ("CAST(true AS JSON)", "true"),
        ("CAST(ARRAY[1, NULL, 3] AS JSON)", "[1,null,3]"),
        ("CAST(json_parse('\"abc\"') AS VARCHAR)", "abc"),
        ("CAST(json_parse('123') AS VARCHAR)", "123"),
        ("CAST(json_parse('null') AS VARCHAR)", "NULL"),
        ("CAST(json_parse('123') AS BIGINT)", "123"),
        ("CAST(json_extract('{\"a\":true}', '$.a') AS BOOLEAN)", "true"),
        ("CAST(json_parse('1.6') AS BIGINT)", "2"),
        ("TRY_CAST(json_parse('{}') AS VARCHAR)", "NULL"),
        ("CAST(json_parse('[1, \"a\", null]') AS ARRAY(VARCHAR))", "[1, a, null]"),
        ("cardinality(CAST(json_parse('[1, {\"a\":2}]') AS ARRAY(JSON)))", "2"),
        ("TRY_CAST(json_parse('{}') AS ARRAY(JSON))", "NULL"),
        ("CAST(json_parse('[1, 2]') AS ARRAY(BIGINT))[2]", "2"),
        ("TRY_CAST('x' AS BIGINT)", "NULL"),
        ("CAST(2.5E0 AS BIGINT)", "3"),
        ("CAST(37.7E0 AS VARCHAR)", "3.77E1"),
        ("CAST(12 AS VARCHAR)", "12"),
        ("CAST('abcdef' AS VARCHAR(3))", "abc"),
        ("CAST(TIMESTAMP '2026-01-01 00:00:00' AS VARCHAR)", "2026-01-01 00:00:00.000"),
        ("CAST('2026-01-01 10:00:00' AS TIMESTAMP)", "2026-01-01 10:00:00.000"),
        ("CAST(DATE '2026-01-01' AS TIMESTAMP)", "2026-01-01 00:00:00.000"),
        ("CAST(IPADDRESS '10.0.0.1' AS VARCHAR)", "10.0.0.1"),
        ("TRY_CAST('nonsense' AS IPADDRESS)", "NULL"),
        ("CAST('2001:DB8::0:1' AS IPADDRESS)", "2001:db8::1"),
    ])
    .await;
}

#[tokio::test]
async fn arrays_and_lambdas_give_trino_results() {
    check(&[
        ("any_match(ARRAY[1, 2, 3], x -> x > 2)", "true"),
        ("any_match(ARRAY[1, NULL], x -> x > 2)", "NULL"),
        ("none_match(ARRAY[1, 2], x -> x > 2)", "true"),
        ("all_match(ARRAY[1, 2], x -> x > 0)", "true"),
        ("all_match(ARRAY[1, -2], x -> x > 0)", "false"),
        ("filter(ARRAY[5, -6, 7], x -> x > 0)", "[5, 7]"),
        ("transform(ARRAY[5, 6], x -> x + 1)", "[6, 7]"),
        ("any_match(ARRAY[ARRAY[1], ARRAY[5]], x -> any_match(x, y -> y = 5))", "true"),
        ("any_match(TRY_CAST(json_extract('{\"a\":[\"x\",\"y\"]}', '$.a') AS ARRAY(JSON)), v -> lower(json_extract_scalar(v, '$')) = 'y')", "true"),
        ("any_match(TRY_CAST(json_parse('[1]') AS ARRAY(JSON)), v -> CAST(v AS VARCHAR) = '1')", "true"),
        ("element_at(ARRAY['a', 'b'], -1)", "b"),
        ("element_at(ARRAY['a', 'b'], 3)", "NULL"),
        ("contains(ARRAY[1, 2], 2)", "true"),
        ("contains(ARRAY[1, NULL], 2)", "NULL"),
        ("contains('10.0.0.0/8', IPADDRESS '10.255.0.1')", "true"),
        ("contains('10.0.0.0/8', TRY_CAST('11.0.0.1' AS IPADDRESS))", "false"),
        ("contains('2001:db8::/32', CAST('2001:db8::1' AS IPADDRESS))", "true"),
        ("contains('0.0.0.0/0', CAST('2001:db8::1' AS IPADDRESS))", "false"),
        ("contains('10.0.0.0/8', TRY_CAST('x' AS IPADDRESS))", "NULL"),
        ("cardinality(ARRAY[])", "0"),
        ("array_join(ARRAY['a', 'b'], '-')", "a-b"),
        ("array_sort(ARRAY[3, NULL, 1])", "[1, 3, null]"),
        ("arrays_overlap(ARRAY[1, 2], ARRAY[2])", "true"),
        ("array_distinct(ARRAY[1, 1])", "[1]"),
        ("split('a,b,c', ',')", "[a, b, c]"),
        ("split('a,b,c', ',', 2)", "[a, b,c]"),
        ("ROW(1, 'a')", "{c0=1, c1=a}"),
    ])
    .await;
}

#[tokio::test]
async fn text_functions_give_trino_results() {
    check(&[
        ("substr('Quadratically', 5, 6)", "ratica"),
        ("substr('Quadratically', -3)", "lly"),
        ("substr('abc', 0)", ""),
        ("substring('äöü', 2, 1)", "ö"),
        ("split_part('a.b', '.', 3)", "NULL"),
        ("split_part('a.b', '.', 2)", "b"),
        ("concat('a', NULL)", "NULL"),
        ("concat('a', 'b', 'c') || 'd'", "abcd"),
        ("length('äöü')", "3"),
        ("strpos('abc', 'c')", "3"),
        ("position('b' IN 'abc')", "2"),
        ("replace('aXb', 'X')", "ab"),
        ("regexp_like('1a 2b 14m', '\\d+b')", "true"),
        ("regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2)", "a"),
        ("regexp_extract('abc', 'x')", "NULL"),
        ("regexp_extract_all('1a 2b 14m', '\\d+')", "[1, 2, 14]"),
        ("regexp_replace('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ')", "3ca 3cb 14m"),
        ("regexp_replace('1a 2b', '\\d')", "a b"),
        ("regexp_count('1a 2b 14m', '\\s*[a-z]+\\s*')", "3"),
        ("'a_b' LIKE 'a\\_b' ESCAPE '\\'", "true"),
        ("'axb' LIKE 'a\\_b' ESCAPE '\\'", "false"),
        ("'a\\b' LIKE 'a\\b'", "true"),
        ("'50%' LIKE '50#%' ESCAPE '#'", "true"),
        ("'C:\\x' LIKE 'c%\\_' ESCAPE '#'", "false"),
        ("lower('ÄB') || upper('c')", "äbC"),
        ("url_extract_host('https://a.example:8080/p/q?x=1&y=2#f')", "a.example"),
        ("url_extract_port('https://a.example:8080/p')", "8080"),
        ("url_extract_path('https://a.example/p/q?x=1')", "/p/q"),
        ("url_extract_query('https://a.example/p?x=1&y=2')", "x=1&y=2"),
        ("url_extract_protocol('https://a.example/')", "https"),
        ("url_extract_parameter('https://a.example/?x=1&y=2', 'y')", "2"),
        ("url_decode('a%20b%3D')", "a b="),
        ("url_encode('a b')", "a+b"),
        ("to_hex(md5(to_utf8('a')))", "0CC175B9C0F1B6A831C399E269772661"),
        ("to_base64(to_utf8('a'))", "YQ=="),
    ])
    .await;
}

#[tokio::test]
async fn times_give_trino_results() {
    check(&[
        ("TIMESTAMP '2026-01-01 00:00:00'", "2026-01-01 00:00:00.000"),
        ("from_iso8601_timestamp('2026-01-01T10:00:00Z')", "2026-01-01 10:00:00.000 UTC"),
        ("from_iso8601_timestamp('2026-01-01T10:00:00+02:00')", "2026-01-01 08:00:00.000 UTC"),
        ("date_parse('2022/10/20/05', '%Y/%m/%d/%H')", "2022-10-20 05:00:00.000"),
        ("date_format(TIMESTAMP '2026-03-04 05:06:07', '%Y-%m-%d %H:%i:%s')", "2026-03-04 05:06:07"),
        ("date_add('second', 86, TIMESTAMP '2020-03-01 00:00:00')", "2020-03-01 00:01:26.000"),
        ("date_add('month', -1, TIMESTAMP '2020-03-31 00:00:00')", "2020-02-29 00:00:00.000"),
        ("date_add('day', 1, DATE '2020-02-28')", "2020-02-29"),
        ("date_diff('second', TIMESTAMP '2020-03-01 00:00:00', TIMESTAMP '2020-03-02 00:00:00')", "86400"),
        ("date_diff('day', DATE '2020-03-01', DATE '2020-03-02')", "1"),
        ("date_diff('year', TIMESTAMP '2020-06-01 00:00:00', TIMESTAMP '2022-05-31 00:00:00')", "1"),
        ("date_trunc('hour', TIMESTAMP '2026-01-01 10:59:00')", "2026-01-01 10:00:00.000"),
        ("from_unixtime(1767225600)", "2026-01-01 00:00:00.000 UTC"),
        ("to_unixtime(TIMESTAMP '2026-01-01 00:00:00')", "1.7672256E9"),
        ("hour(TIMESTAMP '2026-01-01 10:59:00') + minute(TIMESTAMP '2026-01-01 10:59:00')", "69"),
        ("day_of_week(DATE '2026-01-04')", "7"),
        ("week(DATE '2026-01-01')", "1"),
        ("EXTRACT(YEAR FROM DATE '2026-01-01')", "2026"),
        ("TIMESTAMP '2026-01-01 00:00:00' - INTERVAL '1' DAY", "2025-12-31 00:00:00.000"),
        ("TIMESTAMP '2026-01-01 00:15:00' - TIMESTAMP '2026-01-01 00:00:00'", "0 00:15:00.000"),
        ("to_iso8601(TIMESTAMP '2026-01-01 00:00:00')", "2026-01-01T00:00:00.000"),
        ("date(TIMESTAMP '2026-01-01 10:00:00')", "2026-01-01"),
        ("try(date_parse('x', '%Y'))", "NULL"),
    ])
    .await;
}

#[tokio::test]
async fn arithmetic_and_conditions_give_trino_results() {
    check(&[
        ("1 / 2", "0"),
        ("mod(7, 3) * 2", "2"),
        ("round(2.567E0, 2)", "2.57"),
        ("abs(-3)", "3"),
        ("ceil(1.2E0)", "2.0"),
        ("floor(-1.2E0)", "-2.0"),
        ("power(2, 10)", "1024.0"),
        ("greatest(1, NULL)", "NULL"),
        ("least(3, 2)", "2"),
        ("if(1 > 2, 'a')", "NULL"),
        ("if(1 < 2, 'a', 'b')", "a"),
        ("coalesce(nullif('a', 'a'), 'c')", "c"),
        ("typeof(TIMESTAMP '2026-01-01 00:00:00')", "timestamp(3)"),
        ("try(1 / 0)", "NULL"),
        ("1.0E7", "1.0E7"),
    ])
    .await;
}

#[tokio::test]
async fn aggregates_give_trino_results() {
    let engine = engine();
    let one = |select: &str| format!("SELECT {select} FROM (VALUES (1, 'a'), (2, 'b'), (3, NULL)) AS t(n, s)");
    for (select, expected) in [
        ("max_by(s, n), min_by(n, s)", "NULL|1"),
        ("max_by(n, s) FILTER (WHERE n < 2)", "1"),
        ("count_if(n > 1)", "2"),
        ("count_if(n > 1) FILTER (WHERE s IS NOT NULL)", "1"),
        ("count(*) FILTER (WHERE n > 2), sum(n), avg(n)", "1|6|2.0"),
        ("arbitrary(s) IS NOT NULL, any_value(s) IS NOT NULL", "true|true"),
        ("approx_distinct(n)", "3"),
        ("array_agg(n ORDER BY n DESC)", "[3, 2, 1]"),
        ("listagg(s, ',') WITHIN GROUP (ORDER BY s)", "a,b"),
        ("count(DISTINCT s), bool_or(n > 2), every(n > 2)", "2|true|false"),
    ] {
        assert_eq!(rows(&engine, &one(select)).await, [expected], "{select}");
    }
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
