//! Lines → objects, named and packed as the services that write them do.

use crate::GeneratedObject;
use crate::line::{FLOW_HEADER, Line, Stream};
use crate::seeded_random::SeededRandom;
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::read::GzEncoder;
use std::io::Read;

/// One object for each stream that has lines, written at `delivered_at`.
pub(crate) fn write_objects(mut lines: Vec<Line>, delivered_at: DateTime<Utc>, seed: u64) -> Vec<GeneratedObject> {
    // The sort is stable: records of one moment keep the order in which they were made.
    lines.sort_by_key(|line| (line.stream, line.at));
    lines
        .chunk_by(|one, other| one.stream == other.stream)
        .enumerate()
        .map(|(number, lines)| {
            let moment = u64::try_from(delivered_at.timestamp_millis()).unwrap_or(0);
            let mut random = SeededRandom::new(&[seed, moment, number as u64, 0x6f62_6a65]);
            write_object(lines, delivered_at, &mut random)
        })
        .collect()
}

/// `lines` must not be empty and share one stream.
fn write_object(lines: &[Line], delivered_at: DateTime<Utc>, random: &mut SeededRandom) -> GeneratedObject {
    let day = delivered_at.format("%Y/%m/%d");
    let stamp = delivered_at.format("%Y%m%dT%H%MZ");
    let (source, key, bytes) = match lines[0].stream {
        Stream::CloudTrail(account) => {
            let id = account.id;
            let unique = random.letters(16);
            let key =
                format!("AWSLogs/{id}/CloudTrail/us-east-1/{day}/{id}_CloudTrail_us-east-1_{stamp}_{unique}.json.gz");
            ("cloudtrail", key, gzip(delivery_file(lines.iter().map(|line| line.text.as_str())).as_bytes()))
        }
        Stream::VpcFlow(account) => {
            let (id, flow_log) = (account.id, account.flow_log);
            let unique = random.hex(8);
            let key = format!(
                "AWSLogs/{id}/vpcflowlogs/us-east-1/{day}/{id}_vpcflowlogs_us-east-1_{flow_log}_{stamp}_{unique}.log.gz"
            );
            ("vpc_flow", key, gzip(format!("{FLOW_HEADER}\n{}", text_of(lines)).as_bytes()))
        }
        Stream::GuardDuty(account) => {
            let key = format!("AWSLogs/{}/GuardDuty/us-east-1/{day}/{}.jsonl.gz", account.id, random.uuid());
            ("guardduty", key, gzip(text_of(lines).as_bytes()))
        }
        Stream::Syslog(host) => ("application", host_key(host, "auth", delivered_at), text_of(lines).into_bytes()),
        Stream::AccessLog(host) => ("application", host_key(host, "access", delivered_at), text_of(lines).into_bytes()),
        Stream::Portal(host) => ("application", host_key(host, "portal", delivered_at), text_of(lines).into_bytes()),
    };
    GeneratedObject { key, bytes, source, n_records: lines.len() }
}

/// The text of a CloudTrail delivery file.
pub(crate) fn delivery_file<'a>(records: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from("{\"Records\":[");
    for (number, record) in records.enumerate() {
        if number > 0 {
            text.push(',');
        }
        text.push_str(record);
    }
    text.push_str("]}");
    text
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() / 8 + 64);
    if let Err(error) = GzEncoder::new(bytes, Compression::fast()).read_to_end(&mut packed) {
        unreachable!("packing bytes in memory failed: {error}");
    }
    packed
}

fn host_key(host: &str, log: &str, delivered_at: DateTime<Utc>) -> String {
    format!("application/{host}/{}/{log}-{}.log", delivered_at.format("%Y/%m/%d"), delivered_at.format("%H%M%S"))
}

fn text_of(lines: &[Line]) -> String {
    let mut text = String::with_capacity(lines.iter().map(|line| line.text.len() + 1).sum());
    for line in lines {
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}
