//! Lines of applications.

use super::*;

#[test]
fn each_line_is_read_in_its_own_format() {
    let content = concat!(
        r#"127.0.0.1 - bob [28/Feb/2026:10:00:00 +0000] "GET /x?y=1 HTTP/1.1" 404 12 "-" "curl/8""#,
        "\n",
        "<34>Feb 28 10:00:00 host su[7]: failed\n",
        "<34>1 2026-02-28T10:00:00Z host app 7 ID [e k=\"v\"] said\n",
        "[error] plain text: not JSON\n",
        "2026-02-28T10:00:00Z text with a time\n",
        "{\"not\": json\n",
    );
    let ingested = read(content.as_bytes(), None);
    assert_eq!(ingested.summary.log_source, LogSource::Application);
    assert_eq!(ingested.reasons(), [""; 0]);
    let at_ten = 1_772_272_800_000;
    let received = 1_772_366_400_000;
    ingested.assert_row(
        0,
        &[
            ("format", Some("combined")),
            ("status", Some("404")),
            ("remote_user", Some("bob")),
            ("query", Some("y=1")),
            ("referer", None),
        ],
    );
    ingested.assert_row(
        1,
        &[
            ("format", Some("syslog3164")),
            ("program", Some("su")),
            ("pid", Some("7")),
            ("message", Some("failed")),
            ("fields", None),
        ],
    );
    ingested.assert_row(
        2,
        &[("format", Some("syslog5424")), ("fields", Some(r#"{"e":{"k":"v"}}"#)), ("msgid", Some("ID"))],
    );
    ingested.assert_row(3, &[("format", Some("text")), ("message", Some("[error] plain text: not JSON"))]);
    ingested.assert_row(5, &[("format", Some("text")), ("raw", Some("{\"not\": json"))]);
    let times: Vec<i64> = (0..6).map(|row| ingested.event_time_ms(row)).collect();
    assert_eq!(times, [at_ten, at_ten, at_ten, received, at_ten, received]);
}

#[test]
fn json_lines_keep_everything_and_lift_what_has_a_column() {
    let content = concat!(
        r#"{"@timestamp": "2026-02-28T10:00:00.5Z", "log.level": "warn", "msg": "hé\u0021", "host": {"name": "x"}, "status": "500", "pid": "main", "deep": {"a": [1, 2]}}"#,
        "\n",
        r#"{"ts": 1772272800.25, "message": 5}"#,
        "\n",
        r#"{"timestamp": 1772272800123, "Records": [1]}"#,
        "\n",
        "{\"cut\": \n",
        "a line between\n",
    );
    let ingested = read(content.as_bytes(), None);
    assert_eq!(ingested.n_records(), 4);
    ingested.assert_row(
        0,
        &[
            ("format", Some("json")),
            ("level", Some("warn")),
            ("message", Some("hé!")),
            ("host", None),
            ("status", Some("500")),
            ("pid", None),
        ],
    );
    assert!(ingested.value(0, "fields").unwrap().ends_with(r#""deep":{"a":[1,2]}}"#));
    ingested.assert_row(1, &[("message", Some("5"))]);
    ingested.assert_row(3, &[("format", Some("text"))]);
    assert_eq!(
        (0..3).map(|row| ingested.event_time_ms(row)).collect::<Vec<_>>(),
        [1_772_272_800_500, 1_772_272_800_250, 1_772_272_800_123]
    );
    assert_eq!(ingested.quarantined[0].line, 4);
    assert!(ingested.reasons()[0].contains("not valid JSON: ends too early"), "{:?}", ingested.reasons());
}

#[test]
fn pretty_json_document_is_one_record() {
    let content = "{\n  \"query_timestamp\": \"2026-02-28T10:00:00Z\",\n  \"srcaddr\": \"10.0.0.1\",\n  \"answers\": [{\"Rdata\": \"x\"}]\n}\n";
    let ingested = read(content.as_bytes(), None);
    assert_eq!((ingested.n_records(), ingested.quarantined.len()), (1, 0));
    ingested.assert_row(0, &[("raw", Some(content.trim_end()))]);
    assert_eq!(ingested.event_time_ms(0), 1_772_272_800_000);
}
