//! What modifiers and conditions become. Structure and edges; the meaning is judged on the engines.

use super::{compile, item, negated, rule};

#[test]
fn texts_compare_without_case_and_cased_ones_with_it() {
    assert_eq!(item("eventName: StopLogging"), "lower(eventname) = 'stoplogging'");
    assert_eq!(item("eventName|cased: StopLogging"), "eventname = 'StopLogging'");
    // Nothing to fold: the column is compared as it is.
    assert_eq!(item("sourceIPAddress: 10.0.0.1"), "sourceipaddress = '10.0.0.1'");
    // Letters beyond ASCII are folded by the engine that folds the column.
    assert_eq!(item("userAgent: ÄÖ"), "lower(useragent) = lower('ÄÖ')");
}

#[test]
fn a_list_of_values_is_one_membership_test_and_all_links_by_and() {
    assert_eq!(item("eventName: [A, b, a]"), "lower(eventname) IN ('a', 'b')");
    assert_eq!(
        item("userAgent|contains|all: [x1, y2]"),
        "(lower(useragent) LIKE '%x1%' AND lower(useragent) LIKE '%y2%')"
    );
}

#[test]
fn wildcards_become_like_and_what_like_knows_is_escaped() {
    assert_eq!(item("eventName: 'Get*Key?'"), "lower(eventname) LIKE 'get%key_'");
    assert_eq!(item(r"eventName: 'a\*b'"), "lower(eventname) = 'a*b'");
    assert_eq!(item("userAgent|startswith: '100%_'"), r"useragent LIKE '100\%\_%' ESCAPE '\'");
    assert_eq!(item(r"userAgent|endswith: 'c:\\x'"), r"lower(useragent) LIKE '%c:\\x' ESCAPE '\'");
    assert_eq!(item("errorCode|contains: '*'"), "errorcode LIKE '%'");
    assert_eq!(item("userAgent: it's"), "lower(useragent) = 'it''s'");
}

#[test]
fn null_and_the_empty_text_differ() {
    assert_eq!(item("errorCode: null"), "errorcode IS NULL");
    assert_eq!(item("errorCode: ''"), "errorcode = ''");
    assert_eq!(item("errorCode: [null, Success]"), "(errorcode IS NULL OR lower(errorcode) = 'success')");
    assert_eq!(item("errorCode|exists: true"), "NOT (errorcode IS NULL)");
    assert_eq!(item("errorCode|exists: 'no'"), "errorcode IS NULL");
}

#[test]
fn a_negated_leaf_is_two_valued_and_a_plain_one_is_left_to_the_where_clause() {
    assert_eq!(negated("eventName: A"), "NOT (COALESCE(lower(eventname) = 'a', FALSE))");
    assert_eq!(negated("errorCode: null"), "NOT (errorcode IS NULL)");
    assert_eq!(item("eventName|neq: A"), "NOT (COALESCE(lower(eventname) = 'a', FALSE))");
    let twice = compile(&rule("a: {eventName: A}\nb: {eventSource: B}\ncondition: a and not (b and not a)"));
    assert_eq!(
        twice.predicate_sql(),
        "(lower(eventname) = 'a' AND NOT (COALESCE(lower(eventsource) = 'b', FALSE) \
         AND NOT (COALESCE(lower(eventname) = 'a', FALSE))))"
    );
}

#[test]
fn terms_that_read_json_come_last() {
    let sql = item("requestParameters.a|exists: true\n  eventName: A");
    assert!(sql.starts_with("(lower(eventname) = 'a' AND NOT ("), "{sql}");
}

#[test]
fn numbers_and_booleans_equal_their_texts() {
    let on_text = item("readOnly: true");
    assert_eq!(on_text, item("readOnly: 'true'"));
    assert_eq!(on_text, "lower(readonly) = 'true'");
    let yaml = rule("s:\n  dstport: [22, '3389']\n  bytes|gte: 5\n  packets|lt: '1.5'\ncondition: s");
    let yaml = yaml.replace("service: cloudtrail", "service: vpcflow");
    assert_eq!(compile(&yaml).predicate_sql(), "(dstport IN (22, 3389) AND bytes >= 5 AND packets < 1.5E0)");
}

#[test]
fn sizes_of_texts_and_doubles_compare_as_numbers() {
    assert_eq!(item("eventVersion|gt: 1.05"), "TRY_CAST(eventversion AS DOUBLE) > 1.05E0");
    let yaml = rule("s:\n  severity|gte: 7\n  confidence: 5\ncondition: s").replace("cloudtrail", "guardduty");
    assert_eq!(compile(&yaml).predicate_sql(), "(severity >= 7E0 AND confidence = 5E0)");
}

#[test]
fn regular_expressions_are_cased_and_carry_their_flags() {
    assert_eq!(item("userAgent|re: 'Foo.+'"), "regexp_like(useragent, 'Foo.+')");
    assert_eq!(item("userAgent|re|i|s: 'Foo.+'"), "regexp_like(useragent, '(?is)Foo.+')");
}

#[test]
fn networks_dates_and_other_fields() {
    assert_eq!(
        item("sourceIPAddress|cidr: [10.1.2.3/8, '::1']"),
        "(contains('10.0.0.0/8', TRY_CAST(sourceipaddress AS IPADDRESS)) \
         OR contains('::1/128', TRY_CAST(sourceipaddress AS IPADDRESS)))"
    );
    assert_eq!(item("eventTime|hour: 3"), "hour(TRY(from_iso8601_timestamp(eventtime))) = 3");
    assert_eq!(item("event_time|week: 53"), "week(event_time) = 53");
    assert_eq!(
        item("userIdentity.arn|fieldref: userIdentity.userName"),
        "lower(useridentity.arn) = lower(useridentity.username)"
    );
    assert_eq!(
        item("userIdentity.arn|fieldref|cased|contains: userIdentity.userName"),
        "strpos(useridentity.arn, useridentity.username) > 0"
    );
}

#[test]
fn encodings_are_applied_in_the_order_they_are_written() {
    assert_eq!(item("userAgent|base64: foo"), "lower(useragent) = 'zm9v'");
    assert_eq!(item("userAgent|utf16le|base64|cased: A"), "useragent = 'QQA='");
    let offsets = item("userAgent|cased|base64offset|contains: 'foobar'");
    assert_eq!(offsets.matches("LIKE '%").count(), 3, "{offsets}");
    assert_eq!(item("userAgent|windash|contains: ' -f'").matches(" LIKE ").count(), 5);
}

#[test]
fn placeholders_stand_for_the_values_the_block_gives() {
    let yaml = rule("s: {userIdentity.userName|expand: '%admins%'}\ncondition: s");
    let yaml = format!("{yaml}mantissa: {{placeholders: {{admins: [ana, 'b*']}}}}\n");
    assert_eq!(compile(&yaml).predicate_sql(), "lower(useridentity.username) IN ('ana', 'b*')");
}

#[test]
fn a_path_into_json_looks_at_scalars_arrays_and_objects() {
    let sql = item("requestParameters.bucketName: X");
    assert_eq!(
        sql,
        "(lower(json_extract_scalar(requestparameters, '$.bucketName')) = 'x' \
         OR any_match(TRY_CAST(json_extract(requestparameters, '$.bucketName') AS ARRAY(JSON)), v0 -> \
         lower(COALESCE(json_extract_scalar(v0, '$'), NULLIF(json_format(v0), 'null'))) = 'x'))"
    );
    let contains = item("requestParameters.policy|contains: 'x'");
    let object = "(json_format(json_extract(requestparameters, '$.policy')) LIKE '{%' \
                  AND lower(json_format(json_extract(requestparameters, '$.policy'))) LIKE '%x%')";
    assert!(contains.contains(object), "{contains}");
}

#[test]
fn an_array_on_the_way_is_opened_and_lambdas_use_their_own_argument_only() {
    let sql = item("requestParameters.items.cidrIp: 0.0.0.0/0");
    let nested = "any_match(TRY_CAST(json_extract(requestparameters, '$.items') AS ARRAY(JSON)), v0 -> \
                  (json_extract_scalar(v0, '$.cidrIp') = '0.0.0.0/0' \
                  OR any_match(TRY_CAST(json_extract(v0, '$.cidrIp') AS ARRAY(JSON)), v1 -> ";
    assert!(sql.contains(nested), "{sql}");
    let deep = item("requestParameters.a.b.c.d.e.f.g.h: x");
    assert_eq!(deep.matches("any_match").count(), 1, "{deep}");
}

#[test]
fn a_whole_json_column_is_its_own_text_and_an_object_column_is_read_from_the_record() {
    let sql = item("requestParameters|contains: Suspended");
    assert!(sql.contains("(requestparameters LIKE '{%' AND lower(requestparameters) LIKE '%suspended%')"), "{sql}");
    let sql = item("userIdentity|contains: root");
    assert!(sql.contains("lower(json_format(json_extract(raw, '$.userIdentity'))) LIKE '%root%'"), "{sql}");
}

#[test]
fn null_in_json_is_missing_or_null() {
    assert_eq!(
        item("responseElements.a: null"),
        "NOT COALESCE(json_format(json_extract(responseelements, '$.a')) <> 'null', FALSE)"
    );
    assert_eq!(item("responseElements: null"), "(responseelements IS NULL OR responseelements = 'null')");
}

#[test]
fn members_of_an_array_column_are_looked_at_one_by_one() {
    let sql = item("resources.ARN|endswith: ':b'");
    let members = "any_match(TRY_CAST(json_extract(raw, '$.resources') AS ARRAY(JSON)), v0 -> \
                   (lower(json_extract_scalar(v0, '$.ARN')) LIKE '%:b'";
    assert!(sql.contains(members), "{sql}");
}

#[test]
fn keywords_search_the_record_also_as_json_writes_them() {
    let sql = compile(&rule("keywords: [mimikatz, 'say \"hi\"']\ncondition: keywords")).predicate_sql();
    assert_eq!(
        sql,
        r#"(lower(raw) LIKE '%mimikatz%' OR lower(raw) LIKE '%say "hi"%' OR lower(raw) LIKE '%say \\"hi\\"%' ESCAPE '\')"#
    );
    let all = compile(&rule("keywords:\n  '|all': [a1, b2]\ncondition: keywords")).predicate_sql();
    assert_eq!(all, "(lower(raw) LIKE '%a1%' AND lower(raw) LIKE '%b2%')");
}

#[test]
fn quantified_selections_expand_and_hidden_ones_are_not_them() {
    let detection = "sel_a: {eventName: A}\nsel_b: {eventName: B}\n_c: {eventName: C}\n";
    let sql = |condition: &str| compile(&rule(&format!("{detection}condition: {condition}"))).predicate_sql();
    assert_eq!(sql("1 of sel_*"), "(lower(eventname) = 'a' OR lower(eventname) = 'b')");
    assert_eq!(sql("all of them"), "(lower(eventname) = 'a' AND lower(eventname) = 'b')");
    assert_eq!(
        sql("sel_a and not 1 of _*"),
        "(lower(eventname) = 'a' AND NOT (COALESCE(lower(eventname) = 'c', FALSE)))"
    );
}

#[test]
fn a_list_of_maps_is_or_and_a_map_is_and() {
    let sql =
        compile(&rule("s:\n  - eventName: A\n    eventSource: S\n  - eventName: B\ncondition: s")).predicate_sql();
    assert_eq!(sql, "((lower(eventname) = 'a' AND lower(eventsource) = 's') OR lower(eventname) = 'b')");
}

#[test]
fn log_sources_narrow_the_application_table() {
    let yaml = rule("s: {message|contains: 'Failed password'}\ncondition: s")
        .replace("{product: aws, service: cloudtrail}", "{product: linux, service: sshd}");
    let rule = compile(&yaml);
    assert_eq!(rule.table, "application_logs");
    assert_eq!(rule.predicate_sql(), "program LIKE 'sshd%' AND lower(message) LIKE '%failed password%'");
}
