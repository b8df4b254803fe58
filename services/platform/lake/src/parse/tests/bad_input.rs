//! What no parser should ever see, and does.

use super::*;

fn line(id: u32) -> String {
    format!(
        r#"{{"eventVersion":"1.08","eventTime":"2026-02-28T10:00:00Z","eventName":"A","eventType":"T","eventID":"{id}"}}"#
    )
}

#[test]
fn truncated_gzip_keeps_the_records_before_the_cut_and_says_so() {
    // Numbers that do not repeat, so that cutting bytes off cuts records off.
    let records: Vec<String> = (0..5_000_u32).map(|n| line(n.wrapping_mul(2_654_435_761))).collect();
    for content in [records.join("\n"), format!(r#"{{"Records":[{}]}}"#, records.join(","))] {
        let whole = gzip(content.as_bytes());
        let ingested = read(&whole[..whole.len() / 2], None);
        assert!(ingested.n_records() > 1000 && ingested.n_records() < 4000, "{}", ingested.n_records());
        assert_eq!(ingested.quarantined.len(), 1, "{:?}", ingested.reasons());
        assert!(ingested.reasons()[0].contains("the rest of the file cannot be read"), "{:?}", ingested.reasons());
        assert_eq!(ingested.quarantined[0].record_number as usize, ingested.n_records() + 1);
    }
}

#[test]
fn bytes_after_the_gzip_stream_and_a_bad_checksum_are_told() {
    let mut content = gzip(line(1).as_bytes());
    content.extend_from_slice(b"garbage behind");
    assert!(read(&content, None).reasons()[0].contains("cannot be read"));
    let mut content = gzip(format!("{}\n{}\n", line(1), line(2)).as_bytes());
    let n_bytes = content.len();
    content[n_bytes - 6] ^= 0xff;
    let ingested = read(&content, None);
    assert_eq!(ingested.n_records() + ingested.quarantined.len(), if ingested.n_records() == 2 { 3 } else { 1 });
    assert!(!ingested.quarantined.is_empty());
}

#[test]
fn file_that_ends_inside_a_record_keeps_the_others() {
    let content = format!(r#"{{"Records":[{},{},{}"#, line(1), line(2), &line(3)[..40]);
    let ingested = read(content.as_bytes(), None);
    assert_eq!(ingested.n_records(), 2);
    assert_eq!(ingested.reasons(), ["the file ends inside a record"]);
    let ingested = read(format!(r#"{{"Records":[{},"#, line(1)).as_bytes(), None);
    assert_eq!(ingested.n_records(), 1);
    assert_eq!(ingested.reasons(), ["the file ends before the array of records is closed"]);
}

#[test]
fn invalid_utf_8_is_quarantined_line_by_line() {
    let content = [line(1).as_bytes(), b"\n{\"eventID\":\"\xff\xfe\"}\n", line(3).as_bytes()].concat();
    let ingested = read(&content, None);
    assert_eq!(ingested.n_records(), 2);
    assert_eq!(ingested.reasons(), ["not valid UTF-8 at byte 12 of the record"]);
    assert_eq!(ingested.quarantined[0].line, 2);
    assert_eq!(ingested.quarantined[0].byte_offset, line(1).len() as u64 + 1);
    assert_eq!(ingested.quarantined[0].raw, b"{\"eventID\":\"\xff\xfe\"}");
}

#[test]
fn empty_files_hold_nothing_and_say_what_they_would_hold() {
    for (content, location, source) in [
        (&b""[..], "AWSLogs/1/CloudTrail/x.json.gz", LogSource::CloudTrail),
        (b"\n \n", "AWSLogs/1/vpcflowlogs/x.log.gz", LogSource::VpcFlow),
        (b"", "AWSLogs/1/GuardDuty/x", LogSource::GuardDuty),
        (b"", "var/log/x", LogSource::Application),
    ] {
        let ingested = read_stream(Box::new(content), &context(location, None), PartLimits::default());
        assert_eq!(ingested.summary.log_source, source);
        assert_eq!((ingested.n_records(), ingested.quarantined.len()), (0, 0));
    }
    assert_eq!(read(&gzip(b""), Some(LogSource::CloudTrail)).quarantined.len(), 0);
}

#[test]
fn clock_in_the_future_is_kept_and_counted() {
    let future = line(1).replace("2026-02-28", "2036-02-28");
    let ingested = read(format!("{future}\n{}", line(2)).as_bytes(), None);
    assert_eq!((ingested.n_records(), ingested.n_future), (2, 1));
}

/// Yields so many bytes of one letter.
struct Repeated {
    left: u64,
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n_bytes = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buffer[..n_bytes].fill(b'x');
        self.left -= n_bytes as u64;
        Ok(n_bytes)
    }
}

fn long_record(n_bytes: u64, before: &'static str, after: &'static str) -> Box<dyn Read + Send> {
    Box::new(before.as_bytes().chain(Repeated { left: n_bytes }).chain(after.as_bytes()))
}

#[test]
fn record_beyond_the_limit_is_quarantined_without_being_held() {
    let n_bytes = 100 * 1024 * 1024;
    let cases = [
        (LogSource::Application, "first\n", "\nlast\n", 2),
        (
            LogSource::CloudTrail,
            r#"{"Records":[{"eventTime":"2026-02-28T10:00:00Z","eventID":"1"},{"a":""#,
            r#""},{"eventTime":"2026-02-28T10:00:00Z","eventID":"3"}]}"#,
            2,
        ),
    ];
    for (source, before, after, n_records) in cases {
        let ingested =
            read_stream(long_record(n_bytes, before, after), &context("x", Some(source)), PartLimits::default());
        assert_eq!(ingested.n_records(), n_records, "{source:?}");
        assert_eq!(ingested.quarantined.len(), 1);
        assert!(ingested.reasons()[0].contains("longer than the limit"), "{:?}", ingested.reasons());
        assert_eq!(ingested.quarantined[0].raw.len(), 64 * 1024);
        assert!(ingested.quarantined[0].total_bytes >= n_bytes);
        assert!(ingested.summary.raw_bytes > n_bytes);
    }
}

#[test]
fn same_bytes_give_the_same_parts_and_ids() {
    let content: Vec<String> = (0..250).map(|n| format!("line {n}")).collect();
    let content = content.join("\n");
    let limits = PartLimits { n_records: 100, raw_bytes: usize::MAX };
    let read_again = || read_stream(Box::new(content.as_bytes()), &context("x", None), limits);
    let (one, two) = (read_again(), read_again());
    assert_eq!(one.summary.n_parts, 3);
    assert_eq!(one.records, two.records);
    let ids: std::collections::HashSet<_> = (0..250).map(|row| one.value(row, "event_id")).collect();
    assert_eq!(ids.len(), 250);
}

#[test]
fn no_cut_of_any_object_panics_or_loses_a_byte_silently() {
    let samples = [
        format!(r#"{{"Records":[{},{}],"x":{{"y":[1]}}}}"#, line(1), line(2)),
        format!("{}\n{}\n", line(1), line(2)),
        "version account-id interface-id\n2 1 eni-1\n".to_owned(),
        r#"<34>1 2026-02-28T10:00:00Z h p 1 M [a b="c\]"] msg"#.to_owned(),
        r#"1.1.1.1 - - [28/Feb/2026:10:00:00 +0000] "GET /é?\" HTTP/1.1" 200 1 "r" "a""#.to_owned(),
        "<13>Feb 28 10:00:00 host prog[1]: é".to_owned(),
    ];
    for sample in samples {
        for cut in 0..=sample.len() {
            for source in LogSource::ALL.map(Some).into_iter().chain([None]) {
                let ingested = read(&sample.as_bytes()[..cut], source);
                let is_blank = sample.as_bytes()[..cut].iter().all(u8::is_ascii_whitespace);
                let only_brackets = cut <= 12 || sample.starts_with("version");
                assert!(
                    is_blank || only_brackets || ingested.n_records() + ingested.quarantined.len() > 0,
                    "{source:?} of {:?}",
                    &sample.as_bytes()[..cut]
                );
            }
        }
    }
}

#[test]
fn garbled_objects_are_read_to_their_end() {
    let samples = [
        format!(r#"{{"a":[1,{{"b":"c"}}],"Records":[{},{}],"x":{{"y":[1]}}}}"#, line(1), line(2)),
        format!("[\n{},\n{}\n]", line(1), line(2)),
        format!("{}\n{{\n\"eventTime\": 1}}\n", line(1)),
        "version account-id interface-id start\n2 1 eni-1 1649721732\n".to_owned(),
        r#"<34>1 2026-02-28T10:00:00Z h p 1 M [a b="c\]"] msg"#.to_owned(),
    ];
    let garble = b"{}[]\",:\\\n \x00\xffe9-";
    // A fixed sequence, so that a failure is the same every time.
    let mut state: u64 = 42;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for round in 0..600 {
        let mut content = samples[round % samples.len()].clone().into_bytes();
        for _ in 0..=next(4) {
            let at = next(content.len());
            content[at] = garble[next(garble.len())];
        }
        for source in LogSource::ALL.map(Some).into_iter().chain([None]) {
            let ingested = read(&content, source);
            assert_eq!(ingested.summary.raw_bytes, content.len() as u64, "{source:?} of {content:?}");
        }
    }
}

#[test]
fn logs_that_only_look_like_findings_are_application_logs() {
    let content = r#"{"severity":"ERROR","type":"x","resource":{"type":"y"},"service":"z","message":"m"}"#;
    assert_eq!(read(content.as_bytes(), None).summary.log_source, LogSource::Application);
}
