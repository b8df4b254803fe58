//! CloudTrail in its deliveries, with the traps of real records.

use super::*;

const MINIMAL: &str = r#""eventVersion":"1.08","eventTime":"2026-02-28T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser""#;

fn record(id: &str, more: &str) -> String {
    format!("{{{MINIMAL},\"eventID\":\"{id}\"{}{more}}}", if more.is_empty() { "" } else { "," })
}

fn cloudtrail(content: &str) -> Ingested {
    read(content.as_bytes(), None)
}

#[test]
fn every_delivery_form_gives_the_same_records() {
    let (one, two) = (record("1", ""), record("2", ""));
    let envelope = |detail: &str| {
        format!(
            r#"{{"version":"0","id":"e","detail-type":"AWS API Call via CloudTrail","source":"aws.iam","account":"1","time":"2026-02-28T10:00:01Z","resources":[],"detail":{detail}}}"#
        )
    };
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&one).unwrap()).unwrap();
    let forms = [
        format!(r#"{{"Records":[{one},{two}]}}"#),
        format!("\u{feff}{{ \"Records\" :\n[\n{one}\n,{two} ] , \"more\": [1,{{}}] }}\n"),
        format!("{{\"NextToken\":null,\n\"Records\":[{one},{two}]}}"),
        format!("{{\"NextToken\":null,\"Records\":[{one},{two}]}}"),
        format!("{one}\n{two}\n"),
        format!("{one}\r\n\r\n{two}"),
        format!("[{one},\n {two}]"),
        format!("{pretty}\n{two}"),
        format!("{}\n{}\n", envelope(&one), envelope(&two)),
        format!("{{\"Records\":[{one}]}}\n{{\"Records\":[{two}]}}"),
    ];
    for form in forms {
        for content in [form.clone().into_bytes(), gzip(form.as_bytes())] {
            let ingested = read(&content, None);
            assert_eq!(ingested.summary.log_source, LogSource::CloudTrail, "{form}");
            assert_eq!(ingested.n_records(), 2, "{form}: {:?}", ingested.reasons());
            assert_eq!(ingested.reasons(), [""; 0], "{form}");
            ingested.assert_row(0, &[("event_id", Some("1")), ("eventname", Some("CreateUser"))]);
            ingested.assert_row(1, &[("event_id", Some("2")), ("raw", Some(&two))]);
            assert_eq!(ingested.event_time_ms(0), 1_772_272_800_000);
        }
    }
}

#[test]
fn nested_objects_become_structs_and_json_columns_compact_text() {
    let ingested = cloudtrail(&record(
        "1",
        r#""userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"userName":"admin"},"attributes":{"mfaAuthenticated":"false"}}},
           "requestParameters": { "b": [ {"x": 1}, [2, 3] ], "a": "x y" },"responseElements":null,
           "resources":[{"ARN":"arn:1","accountId":"7","type":"AWS::S3::Bucket"},{"arn":"arn:2"}],"unknownField":{"kept":true}"#
            .replace('\n', " ")
            .as_str(),
    ));
    ingested.assert_row(
        0,
        &[
            ("useridentity.type", Some("AssumedRole")),
            ("useridentity.sessioncontext.sessionissuer.username", Some("admin")),
            ("useridentity.sessioncontext.sessionissuer.arn", None),
            ("useridentity.sessioncontext.attributes.mfaauthenticated", Some("false")),
            ("useridentity.onbehalfof", None),
            ("requestparameters", Some(r#"{"b":[{"x":1},[2,3]],"a":"x y"}"#)),
            ("responseelements", None),
            ("tlsdetails", None),
        ],
    );
    let resources = ingested.value(0, "resources").unwrap();
    assert!(resources.contains("arn:1") && resources.contains("arn:2"), "{resources}");
    assert!(ingested.value(0, "raw").unwrap().contains(r#""unknownField":{"kept":true}"#));
}

#[test]
fn traps_of_real_records_are_read() {
    let lines = [
        record("no type", r#""userIdentity":{"accountId":"1","principalId":""}"#),
        record("only invoked by", r#""userIdentity":{"invokedBy":"autoscaling.amazonaws.com"},"sourceIPAddress":"autoscaling.amazonaws.com""#),
        record("null identity", r#""userIdentity":null,"requestParameters":null"#),
        record("texts", r#""readOnly":false,"managementEvent":"true","apiVersion":20160401,"recipientAccountId":123456789012"#),
        record("twice", ""),
        record("twice", ""),
        r#"{"eventVersion":"1.07","eventTime":"2026-02-28T10:00:00Z","awsRegion":"us-east-1","eventID":"insight","eventType":"AwsCloudTrailInsight","insightDetails":{"state":"Start","eventName":"RunInstances"},"eventCategory":"Insight"}"#.to_owned(),
        record("service", r#""eventType":"AwsServiceEvent","serviceEventDetails":{"snapshotId":"s"},"userIdentity":{"type":"AWSService","invokedBy":"x"}"#),
    ];
    let ingested = cloudtrail(&lines.join("\n"));
    assert_eq!(ingested.reasons(), [""; 0]);
    assert_eq!(ingested.n_records(), 8);
    ingested.assert_row(
        0,
        &[("useridentity.type", None), ("useridentity.principalid", Some("")), ("useridentity.accountid", Some("1"))],
    );
    ingested.assert_row(
        1,
        &[
            ("useridentity.invokedby", Some("autoscaling.amazonaws.com")),
            ("sourceipaddress", Some("autoscaling.amazonaws.com")),
        ],
    );
    ingested.assert_row(2, &[("useridentity", None), ("requestparameters", None)]);
    ingested.assert_row(
        3,
        &[
            ("readonly", Some("false")),
            ("managementevent", Some("true")),
            ("apiversion", Some("20160401")),
            ("recipientaccountid", Some("123456789012")),
        ],
    );
    assert_eq!(ingested.value(4, "event_id"), ingested.value(5, "event_id"));
    ingested.assert_row(
        6,
        &[
            ("eventname", None),
            ("insightdetails", Some(r#"{"state":"Start","eventName":"RunInstances"}"#)),
            ("event_id", Some("insight")),
        ],
    );
    ingested.assert_row(7, &[("serviceeventdetails", Some(r#"{"snapshotId":"s"}"#))]);
}

#[test]
fn wrong_shapes_are_quarantined_alone_with_line_and_reason() {
    let lines = [
        record("1", ""),
        r#"{"eventVersion":"1.08","eventID":"2","eventName":"x"}"#.to_owned(),
        record("3", r#""userIdentity":"root""#),
        record("4", r#""userIdentity":{"sessionContext":[1]}"#),
        record("5", r#""resources":{"ARN":"x"}"#),
        record("6", r#""resources":["x"]"#),
        record("7", "").replace("2026-02-28T10:00:00Z", "yesterday"),
        r#"{"eventTime":"2026-02-28T10:00:00Z","foo":1}"#.to_owned(),
        record("9", "").replace("2026-02-28T10:00:00Z", "12026-02-28T10:00:00Z"),
        "true".to_owned(),
        record("11", ""),
    ];
    let ingested = cloudtrail(&lines.join("\n"));
    assert_eq!(ingested.n_records(), 2);
    ingested.assert_row(1, &[("event_id", Some("11"))]);
    let expected = [
        (2, "`eventTime` is missing"),
        (3, "`userIdentity` is a string, expected an object"),
        (4, "`sessionContext` is an array, expected an object"),
        (5, "`resources` is an object, expected an array"),
        (6, "`resources` is a string, expected an array of objects"),
        (7, "`eventTime` is `yesterday`, expected"),
        (8, "not a CloudTrail record"),
        (9, "`eventTime` is `12026"),
        (10, "expected an object"),
    ];
    assert_eq!(ingested.quarantined.len(), expected.len(), "{:?}", ingested.reasons());
    for ((line, reason), quarantined) in expected.into_iter().zip(&ingested.quarantined) {
        assert_eq!((quarantined.line, quarantined.record_number), (line, line), "{}", quarantined.reason);
        assert!(quarantined.reason.contains(reason), "{} should say {reason}", quarantined.reason);
        assert_eq!(quarantined.raw, lines[line as usize - 1].as_bytes());
    }
}

#[test]
fn one_bad_record_of_a_delivery_file_does_not_cost_the_others() {
    let bad = record("2", r#""userIdentity":"root""#);
    let ingested =
        cloudtrail(&format!("{{\"Records\":[{},\n{bad},\n{{\"a\" 1}},{}]}}", record("1", ""), record("4", "")));
    assert_eq!(ingested.n_records(), 2);
    assert_eq!(ingested.quarantined[0].raw, bad.as_bytes());
    assert_eq!((ingested.quarantined[0].line, ingested.quarantined[1].line), (2, 3));
    assert!(ingested.reasons()[1].contains("expected `:` at byte 5"), "{:?}", ingested.reasons());
}

#[test]
fn s3_notifications_are_not_taken_for_cloudtrail() {
    let notification = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventTime":"2026-01-01T00:00:00Z","eventName":"ObjectCreated:Put","userIdentity":{"principalId":"x"}}]}"#;
    assert_eq!(cloudtrail(notification).summary.log_source, LogSource::Application);
    assert_eq!(cloudtrail(r#"{"Records":[]}"#).summary.log_source, LogSource::CloudTrail);
}

/// Objects are read in chunks of 256 KiB: wherever one ends, a string and its escapes go on in the next.
#[test]
fn a_chunk_may_end_anywhere_in_a_record() {
    const CHUNK: usize = 256 * 1024;
    let name = r#"a\"]},{\\"#;
    let record = |padding: &str, id: u32| {
        format!(
            r#"{{"padding":"{padding}","eventVersion":"1.08","eventTime":"2026-02-28T10:00:00Z","eventName":"{name}","eventID":"{id}"}}"#
        )
    };
    let before = record("", 1).len() + r#"{"Records":["#.len();
    for over in 0..40 {
        // The first record's name lies across the end of the first chunk, one byte further each time.
        let padding = "x".repeat(CHUNK - before + over);
        let content = format!(r#"{{"Records":[{},{}]}}"#, record(&padding, 1), record("", 2));
        let ingested = read(content.as_bytes(), Some(LogSource::CloudTrail));
        assert_eq!((ingested.n_records(), ingested.reasons().len()), (2, 0), "{over}: {:?}", ingested.reasons());
        for row in 0..2 {
            assert_eq!(ingested.value(row, "eventname").as_deref(), Some(r#"a"]},{\"#), "{over}");
        }
    }
}
