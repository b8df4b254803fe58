use super::{compile, problems, rule, show};
use crate::{CompiledRule, Measure, QueryBounds, RuleKind, compile_rule};
use mantissa_contracts::messages::Severity;
use mantissa_contracts::time::TimeWindow;
use mantissa_lake::catalogue::catalogue;
use mantissa_sql::{GuardPolicy, guard};
use std::time::Duration;

const DETECTION: &str = "s: {eventName: A}\ncondition: s";

fn with_block(block: &str) -> String {
    let indented: String = block.lines().map(|line| format!("  {line}\n")).collect();
    format!("{}mantissa:\n{indented}", rule(DETECTION))
}

fn bounds() -> QueryBounds {
    let at = |text: &str| text.parse().unwrap();
    QueryBounds {
        window: Some(TimeWindow::new(at("2026-01-01T00:00:00Z"), at("2026-01-01T00:05:00Z"))),
        event_from: Some(at("2025-12-31T23:50:00Z")),
        event_to: Some(at("2026-01-01T00:04:00Z")),
    }
}

fn guarded(rule: &CompiledRule) -> String {
    let sql = rule.query(&bounds());
    guard(&sql, catalogue(), &GuardPolicy::for_rules(10)).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    sql
}

#[test]
fn defaults_come_from_the_level_and_the_version_from_the_text() {
    let yaml = rule(DETECTION);
    let plain = compile(&yaml);
    assert_eq!(plain.every, Duration::from_secs(60));
    assert_eq!(plain.dedup_window, Duration::from_secs(3600));
    assert_eq!((plain.rule.severity, plain.enabled, plain.table), (Severity::High, true, "cloudtrail_logs"));
    assert_eq!(plain.rule.log_source, "cloudtrail");
    assert_eq!(plain.rule.rule_version.as_str().len(), 16);
    assert_eq!(compile(&plain.yaml).rule.rule_version, plain.rule.rule_version);
    assert_ne!(compile(&format!("{yaml}# edited\n")).rule.rule_version, plain.rule.rule_version);
}

#[test]
fn settings_are_read() {
    let rule = compile(&with_block(
        "enabled: false\nevery: 10m\nlateness: 30m\ngroup_by: [userIdentity.arn, requestParameters.a]\n\
         dedup: {window: 2h}\nrunbook: |\n  1. Look.\ndestinations: [soc-slack]",
    ));
    assert!(!rule.enabled);
    assert_eq!(rule.every, Duration::from_secs(600));
    let told: Vec<String> = rule.problems.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|problem| problem.contains("mantissa.lateness: has no effect")), "{told:?}");
    assert_eq!(rule.dedup_window, Duration::from_secs(7200));
    assert_eq!(rule.rule.destinations[0].as_str(), "soc-slack");
    let sql = guarded(&rule);
    assert!(
        sql.contains("raw, useridentity.arn AS k0, COALESCE(json_extract_scalar(requestparameters, '$.a')"),
        "{sql}"
    );
    assert!(sql.contains("ingested_at >= TIMESTAMP '2026-01-01 00:00:00.000'"), "{sql}");
}

#[test]
fn unknown_keys_and_wrong_values_are_errors_with_their_place() {
    let found = problems(&with_block("evry: 5m\nevery: soon\ndedup: {windw: 1h}\ngroup_by: []\nenabled: maybe"));
    let text = show(&found);
    for expected in [
        "rule.yml:9:3: error: mantissa.evry: is not a key of the `mantissa` block; did you mean `every`?",
        "rule.yml:10:10: error: mantissa.every: is no span of time",
        "mantissa.dedup.windw: is not a known key; did you mean `window`?",
        "mantissa.enabled: is text; expected true or false",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn a_count_is_judged_over_event_time_and_only_where_the_window_brought_something() {
    let rule = compile(&with_block(
        "group_by: sourceIPAddress\nthreshold: {count: 5, within: 15m}\ntitle: '{{ n_events }} from {{ sourceIPAddress }}'",
    ));
    let sql = guarded(&rule);
    // The closed frame one millisecond short is the half-open window.
    assert!(
        sql.contains(
            "(PARTITION BY k0 ORDER BY event_time RANGE BETWEEN INTERVAL '899.999' SECOND PRECEDING AND CURRENT ROW)"
        ),
        "{sql}"
    );
    assert!(sql.contains("n_events >= 5 AND n_new = 1"), "{sql}");
    // Events from before the judged span count, so ingestion has an upper bound only.
    assert!(!sql.contains("ingested_at >= TIMESTAMP '2026-01-01 00:00:00.000' AND"), "{sql}");
    assert!(
        sql.contains("CASE WHEN ingested_at >= TIMESTAMP '2026-01-01 00:00:00.000' THEN 1 ELSE 0 END AS is_new"),
        "{sql}"
    );
    assert!(sql.contains("event_time >= TIMESTAMP '2025-12-31 23:35:00.000'"), "{sql}");
    assert!(sql.contains("event_time <= TIMESTAMP '2026-01-01 00:19:00.000'"), "{sql}");
    assert!(sql.contains("CAST(n_events AS VARCHAR) AS f0, f1"), "{sql}");
}

#[test]
fn distinct_and_sum_pass_the_guard_with_and_without_a_key() {
    for (block, expected) in [
        ("threshold: {distinct: sourceIPAddress, count: 3, within: 1h}", "SUM(step) OVER (ORDER BY"),
        (
            "group_by: [awsRegion]\nthreshold: {distinct: eventName, count: 3, within: 1h}",
            "SUM(step) OVER (PARTITION BY k0 ",
        ),
        (
            "group_by: [awsRegion]\nthreshold: {sum: additionalEventData.bytes, over: 1073741824, within: 1h}",
            "total > 1073741824",
        ),
    ] {
        let sql = guarded(&compile(&with_block(block)));
        assert!(sql.contains(expected), "{expected}\n{sql}");
        let unbounded = compile(&with_block(block)).query(&QueryBounds::unbounded());
        assert!(!unbounded.contains("ingested_at <") && !unbounded.contains("year"), "{unbounded}");
    }
}

#[test]
fn a_threshold_that_is_none_of_the_three_is_an_error() {
    for block in [
        "threshold: {count: 5}",
        "threshold: {within: 5m}",
        "threshold: {count: 0, within: 5m}",
        "threshold: {sum: bytes, count: 5, within: 5m}",
        "threshold: {count: 5, within: 5x}",
        "threshold: 5",
    ] {
        assert!(compile_rule("rule.yml", &with_block(block)).is_err(), "{block}");
    }
}

#[test]
fn legacy_counting_and_a_threshold_together_are_an_error() {
    let yaml = with_block("threshold: {count: 5, within: 5m}")
        .replace("condition: s", "timeframe: 5m\n  condition: s | count() > 3");
    assert!(show(&problems(&yaml)).contains("a rule has one of them"));
    let alone = compile(&rule("s: {eventName: A}\ntimeframe: 5m\ncondition: s | count(awsRegion) by userAgent > 3"));
    let RuleKind::Threshold(threshold) = &alone.kind else { panic!("no threshold") };
    assert_eq!(threshold.measure, Measure::Distinct { field: "awsRegion".to_owned(), at_least: 4 });
    assert_eq!(alone.key_fields[0].field, "userAgent");
}

#[test]
fn an_exception_ends_with_its_day_in_event_time_and_is_two_valued() {
    let rule = compile(&with_block(
        "exceptions:\n- when: {userIdentity.userName: ci, awsRegion: [a, b]}\n  until: 2027-01-31\n  owner: ana\n  reason: known",
    ));
    assert_eq!(
        rule.predicate_sql(),
        "lower(eventname) = 'a' AND NOT COALESCE((lower(useridentity.username) = 'ci' AND lower(awsregion) IN ('a', 'b')) \
         AND event_time < TIMESTAMP '2027-02-01 00:00:00.000', FALSE)"
    );
    assert_eq!(rule.exceptions[0].owner, "ana");
    let incomplete = show(&problems(&with_block("exceptions:\n- when: {awsRegion: a}\n  until: tomorrow")));
    for expected in ["has no `owner`", "has no `reason`", "is no date"] {
        assert!(incomplete.contains(expected), "{incomplete}");
    }
}

const SQL_RULE: &str = "title: By hand\nid: by-hand\nlevel: low\nlogsource: {product: aws, service: cloudtrail}\nmantissa:\n  \
    group_by: [who]\n  title: 'by {{ who }}'\n  exceptions:\n  - {when: {awsRegion: a}, until: 2027-01-31, owner: o, reason: r}\n  sql: |\n    \
    SELECT event_id, event_time, useridentity.arn AS who FROM cloudtrail_logs l WHERE eventname LIKE '%Delete%'\n";

#[test]
fn an_sql_rule_is_bounded_below_its_own_text() {
    let rule = compile(SQL_RULE);
    let sql = guarded(&rule);
    assert!(sql.starts_with("SELECT CAST(event_id AS VARCHAR) AS event_id, event_time, CAST(1 AS BIGINT) AS n_events, CAST(NULL AS VARCHAR) AS raw, CAST(who AS VARCHAR) AS k0, CAST(who AS VARCHAR) AS f0 FROM ("), "{sql}");
    assert!(
        sql.contains("(SELECT * FROM cloudtrail_logs WHERE (ingested_at >= TIMESTAMP '2026-01-01 00:00:00.000'"),
        "{sql}"
    );
    assert!(sql.contains("AND NOT COALESCE(lower(awsregion) = 'a' AND event_time <"), "{sql}");
    assert!(rule.match_sql().starts_with("SELECT event_id"));
}

#[test]
fn an_sql_rule_that_is_no_select_or_returns_too_little_is_an_error() {
    let with = |sql: &str| {
        let yaml = SQL_RULE.replace("SELECT event_id, event_time, useridentity.arn AS who FROM cloudtrail_logs l WHERE eventname LIKE '%Delete%'", sql);
        show(&problems(&yaml))
    };
    assert!(with("DROP TABLE cloudtrail_logs").contains("mantissa.sql: "));
    assert!(with("SELECT event_id FROM cloudtrail_logs").contains("`event_time`"));
    let renamed = with("SELECT event_id, event_time, eventname AS whom FROM cloudtrail_logs");
    assert!(renamed.contains("names `who`, which the query does not return; did you mean `whom`?"), "{renamed}");
}

#[test]
fn inline_tests_are_read_and_checked() {
    let rule = compile(&with_block(
        "group_by: [awsRegion]\ntests:\n- name: hit\n  match: true\n  events: [{eventName: A, n: 1, x: null}]\n  \
         alert: {severity: high, key: {awsRegion: null}, title: A rule}\n- {name: miss, match: false, events: [{eventName: B}]}",
    ));
    assert_eq!(rule.tests.len(), 2);
    assert_eq!(
        serde_json::Value::from(rule.tests[0].events[0].clone()),
        serde_json::json!({"eventName": "A", "n": 1, "x": null})
    );
    assert_eq!(rule.tests[0].alert.as_ref().unwrap().key.get("awsRegion"), Some(&None));
    let wrong = show(&problems(&with_block(
        "tests:\n- {name: a, match: yes, events: [{a: b}]}\n- {name: b, match: true, events: []}\n\
         - {name: c, match: true, events: [{a: b}], alert: {key: {userAgent: x}}}\n- {match: true, evnts: [{a: b}]}",
    )));
    for expected in [
        "neither true nor false",
        "no list of events",
        "`group_by` does not name it",
        "did you mean `events`",
        "has no `name`",
    ] {
        assert!(wrong.contains(expected), "{expected}\n{wrong}");
    }
}

#[test]
fn alert_key_of_more_fields_than_a_store_writes_together_is_refused() {
    let fields = |n: usize| (0..n).map(|i| format!("requestParameters.f{i}")).collect::<Vec<_>>().join(", ");
    assert!(compile_rule("r.yml", &with_block(&format!("group_by: [{}]", fields(10)))).is_ok());
    let found = problems(&with_block(&format!("group_by: [{}]", fields(11))));
    assert_eq!(found.len(), 1);
    let text = show(&found);
    assert!(text.contains("mantissa.group_by: names 11 fields, an alert key may have 10"), "{text}");
}
