//! VPC flow records and GuardDuty findings in their forms.

use super::*;
use crate::arrow_schema::arrow_schema;
use arrow::array::{Int32Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use std::sync::Arc;

const V2: &str = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";

#[test]
fn default_order_header_and_export_lines_are_read() {
    let forms = [
        V2.to_owned(),
        format!(
            "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n{V2}\n"
        ),
        format!("2014-12-14T04:06:50.000Z {V2}\n"),
    ];
    for form in forms {
        let ingested = read(&gzip(form.as_bytes()), None);
        assert_eq!(ingested.summary.log_source, LogSource::VpcFlow, "{form}");
        assert_eq!((ingested.n_records(), ingested.quarantined.len()), (1, 0), "{:?}", ingested.reasons());
        ingested.assert_row(
            0,
            &[
                ("account_id", Some("123456789010")),
                ("srcport", Some("20641")),
                ("protocol", Some("6")),
                ("end", Some("1418530070")),
                ("action", Some("ACCEPT")),
                ("vpc_id", None),
            ],
        );
        assert_eq!(ingested.event_time_ms(0), 1_418_530_010_000);
    }
}

#[test]
fn custom_order_later_versions_no_data_and_ipv6_are_read() {
    let content = "srcaddr dstaddr action start version ecs-cluster-name reject-reason some-future-field tcp-flags log-status\n\
                   2001:db8::1 2001:db8::2 REJECT 1418530010 8 web BPA new 2 OK\n\
                   - - - 1418530010 8 - - - - NODATA\n";
    let ingested = read(content.as_bytes(), None);
    assert_eq!((ingested.n_records(), ingested.quarantined.len()), (2, 0), "{:?}", ingested.reasons());
    ingested.assert_row(
        0,
        &[
            ("srcaddr", Some("2001:db8::1")),
            ("version", Some("8")),
            ("ecs_cluster_name", Some("web")),
            ("reject_reason", Some("BPA")),
            ("tcp_flags", Some("2")),
        ],
    );
    ingested.assert_row(1, &[("srcaddr", None), ("log_status", Some("NODATA")), ("tcp_flags", None)]);
    assert!(ingested.value(0, "raw").unwrap().contains(" new "));
}

#[test]
fn flow_lines_that_do_not_fit_are_quarantined() {
    let content = format!("{V2}\n2 1 eni\n{}\n{}", V2.replace(" 22 ", " ssh "), V2.replace("20641", "99999999999"));
    let ingested = read(content.as_bytes(), None);
    assert_eq!(ingested.n_records(), 1);
    assert_eq!(
        ingested.reasons(),
        [
            "line has 3 fields, without a header, version 2 has 14",
            "`dstport` is `ssh`, expected a number",
            "`srcport` is `99999999999`, expected a number"
        ]
    );
}

#[test]
fn flow_records_as_json_are_read() {
    let content = "[\n{\"account_id\": \"1\", \"interface_id\": \"eni-1\", \"srcaddr\": \"1.2.3.4\", \"dstaddr\": \"10.0.0.1\", \"bytes\": 40, \"start\": 1649721732, \"traffic_path\": \"-\", \"sublocation_id\": \"-\"}\n]";
    let ingested = read(content.as_bytes(), None);
    assert_eq!(
        (ingested.summary.log_source, ingested.n_records()),
        (LogSource::VpcFlow, 1),
        "{:?}",
        ingested.reasons()
    );
    ingested.assert_row(0, &[("bytes", Some("40")), ("traffic_path", None), ("sublocation_id", None)]);
    assert_eq!(ingested.event_time_ms(0), 1_649_721_732_000);
}

#[test]
fn flow_records_as_parquet_are_read_by_column_name() {
    let schema = Arc::new(Schema::new(vec![
        Field::new("srcaddr", DataType::Utf8, true),
        Field::new("version", DataType::Int32, true),
        Field::new("start", DataType::Int64, true),
        Field::new("account_id", DataType::Utf8, true),
    ]));
    let batch = RecordBatch::try_new(
        schema.clone(),
        vec![
            Arc::new(StringArray::from(vec![Some("1.2.3.4"), Some("-")])),
            Arc::new(Int32Array::from(vec![2, 2])),
            Arc::new(Int64Array::from(vec![Some(1_649_721_732), None])),
            Arc::new(StringArray::from(vec!["7", "8"])),
        ],
    )
    .unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    let content = writer.into_inner().unwrap();
    let ingested = read(&content, None);
    assert_eq!((ingested.n_records(), ingested.quarantined.len()), (2, 0), "{:?}", ingested.reasons());
    ingested.assert_row(
        0,
        &[
            ("srcaddr", Some("1.2.3.4")),
            ("raw", Some(r#"{"srcaddr":"1.2.3.4","version":2,"start":1649721732,"account_id":"7"}"#)),
        ],
    );
    ingested.assert_row(1, &[("srcaddr", None), ("start", None)]);
    let ingested = read(&content[..content.len() - 20], None);
    assert!(ingested.reasons()[0].contains("not a readable Parquet file"), "{:?}", ingested.reasons());
    assert!(read(&content, Some(LogSource::CloudTrail)).reasons()[0].contains("cannot be read into `cloudtrail_logs`"));
}

const FINDING: &str = r#"{"schemaVersion":"2.0","accountId":"1","id":"f1","type":"Recon:EC2/Portscan","severity":5,"updatedAt":"2026-02-28T10:00:00.500Z","createdAt":"2026-02-27T10:00:00Z","service":{"action":{"ipAddressV4":"x"}},"resource":{"tags":[{"key":"a"}]}}"#;
const API_FINDING: &str = r#"{"SchemaVersion":"2.0","AccountId":"1","Id":"f1","Type":"Recon:EC2/Portscan","Severity":5.0,"UpdatedAt":"2026-02-28T10:00:00.500Z","CreatedAt":"2026-02-27T10:00:00Z","Service":{"Action":{"IpAddressV4":"x"}},"Resource":{"Tags":[{"Key":"a"}]}}"#;

#[test]
fn every_form_of_a_finding_gives_the_same_columns() {
    let forms = [
        format!("{FINDING}\n"),
        format!(r#"{{"version":"0","id":"other","detail-type":"GuardDuty Finding","region":"x","detail":{FINDING}}}"#),
        format!("{{\"Findings\": [{API_FINDING}]}}"),
        format!("{{\n  \"Findings\": [\n{API_FINDING}\n]}}"),
        API_FINDING.to_owned(),
    ];
    for form in forms {
        let ingested = read(form.as_bytes(), None);
        assert_eq!(ingested.summary.log_source, LogSource::GuardDuty, "{form}");
        assert_eq!((ingested.n_records(), ingested.quarantined.len()), (1, 0), "{:?}", ingested.reasons());
        ingested.assert_row(
            0,
            &[
                ("event_id", Some("f1:2026-02-28T10:00:00.500Z")),
                ("severity", Some("5.0")),
                ("service", Some(r#"{"action":{"ipAddressV4":"x"}}"#)),
                ("resource", Some(r#"{"tags":[{"key":"a"}]}"#)),
                ("accountid", Some("1")),
            ],
        );
        assert_eq!(ingested.event_time_ms(0), 1_772_272_800_500);
    }
}

#[test]
fn updated_finding_is_a_new_event_and_a_wrong_one_is_quarantined() {
    let content = format!(
        "{FINDING}\n{}\n{}\n{}",
        FINDING.replace("28T10", "28T11"),
        FINDING.replace("\"severity\":5", "\"severity\":\"high\""),
        FINDING.replace("\"id\":\"f1\",", "")
    );
    let ingested = read(content.as_bytes(), None);
    assert_eq!(ingested.n_records(), 2);
    assert_ne!(ingested.value(0, "event_id"), ingested.value(1, "event_id"));
    assert_eq!(
        ingested.reasons(),
        ["`severity` is `high`, expected a number", "`id` is missing; a GuardDuty finding has one"]
    );
}

#[test]
fn batches_have_the_schema_of_the_catalogue() {
    for (source, content) in [(LogSource::VpcFlow, V2), (LogSource::GuardDuty, FINDING), (LogSource::Application, "x")]
    {
        let records = read(content.as_bytes(), Some(source)).records.unwrap();
        let table = crate::catalogue::catalogue().table_of(source).unwrap();
        let mut fields = arrow_schema(table).fields().to_vec();
        fields.retain(|field| field.name() != "ingested_at");
        assert_eq!(records.schema().fields().to_vec(), fields);
    }
}
