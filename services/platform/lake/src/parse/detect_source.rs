//! What an object holds, told from its beginning, and where that says nothing, from its location.

use super::frame::Layout;
use super::vpc_flow::is_header;
use super::vpc_flow_parquet::is_parquet;
use crate::catalogue::LogSource;
use crate::json_text::{skip_space, skip_value};

pub(crate) fn detect_source(sample: &[u8], location: &str) -> LogSource {
    if is_parquet(sample) {
        return LogSource::VpcFlow;
    }
    let start = skip_space(sample, 0);
    match sample.get(start) {
        Some(b'{' | b'[') => detect_json(&sample[start..]).unwrap_or(LogSource::Application),
        Some(_) if is_flow_text(sample) => LogSource::VpcFlow,
        Some(_) => LogSource::Application,
        None => detect_by_location(location),
    }
}

/// Whether an object is read by lines or as a JSON document.
pub(crate) fn detect_layout(sample: &[u8], log_source: LogSource) -> Layout {
    let containers: &[&str] = match log_source {
        LogSource::CloudTrail => &["Records"],
        LogSource::GuardDuty => &["Findings"],
        LogSource::VpcFlow | LogSource::Application => &[],
    };
    let document = Layout::Document { containers };
    let start = skip_space(sample, 0);
    let sample = &sample[start..];
    let first_line = sample.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let second_line_starts = sample.get(first_line.len() + 1).copied();
    match sample.first() {
        // `[error] …` is a line of text; `[` before an object, or alone, begins a document.
        Some(b'[') => match sample.get(skip_space(sample, 1)) {
            Some(b'{' | b']') => document,
            _ => Layout::Lines,
        },
        Some(b'{') if begins_container(sample, containers) => document,
        // An object that goes on after its first line. When the second line begins an object, the first is a broken line.
        Some(b'{')
            if first_line.len() < sample.len()
                && skip_value(first_line, 0, 0).is_err_and(|e| e.what == "ends too early")
                && second_line_starts != Some(b'{') =>
        {
            document
        }
        _ => Layout::Lines,
    }
}

/// `{"Records":[`
fn begins_container(sample: &[u8], containers: &[&str]) -> bool {
    let name = skip_space(sample, 1);
    containers.iter().any(|container| {
        let quoted = format!("\"{container}\"");
        sample[name.min(sample.len())..].starts_with(quoted.as_bytes()) && {
            let colon = skip_space(sample, name + quoted.len());
            sample.get(colon) == Some(&b':') && sample.get(skip_space(sample, colon + 1)) == Some(&b'[')
        }
    })
}

fn detect_json(sample: &[u8]) -> Option<LogSource> {
    let has = |name: &str| contains(sample, format!("\"{name}\"").as_bytes());
    // S3 event notifications look alike, but have no eventID.
    let is_cloudtrail =
        has("eventTime") && has("eventID") && (has("eventVersion") || has("eventType") || has("userIdentity"));
    if is_cloudtrail || begins_container(sample, &["Records"]) && sample.len() < 64 && !has("eventTime") {
        return Some(LogSource::CloudTrail);
    }
    // Many logs have a severity, a type and a resource; findings of Security Hub have a product.
    let is_finding = ["accountId", "updatedAt", "severity", "type", "resource", "service"].into_iter().all(has)
        || ["AccountId", "UpdatedAt", "Severity", "Type", "Resource", "Service"].into_iter().all(has)
            && !has("ProductArn");
    if is_finding || has("GuardDuty Finding") {
        return Some(LogSource::GuardDuty);
    }
    let is_flow = has("srcaddr") && has("dstaddr") && (has("interface_id") || has("interface-id"));
    is_flow.then_some(LogSource::VpcFlow)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    haystack.iter().enumerate().any(|(at, byte)| byte == first && haystack[at + 1..].starts_with(rest))
}

fn is_flow_text(sample: &[u8]) -> bool {
    let Some(line) = sample.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()) else {
        return false;
    };
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let is_default_order = |fields: &[&str]| {
        fields.len() == 14
            && fields[0] == "2"
            && matches!(fields[12], "ACCEPT" | "REJECT" | "-")
            && matches!(fields[13], "OK" | "NODATA" | "SKIPDATA")
    };
    is_header(&fields) || is_default_order(&fields) || fields.len() == 15 && is_default_order(&fields[1..])
}

fn detect_by_location(location: &str) -> LogSource {
    let location = location.to_ascii_lowercase();
    let hints = [
        ("cloudtrail", LogSource::CloudTrail),
        ("vpcflow", LogSource::VpcFlow),
        ("vpc_flow", LogSource::VpcFlow),
        ("guardduty", LogSource::GuardDuty),
    ];
    hints.into_iter().find(|(hint, _)| location.contains(hint)).map_or(LogSource::Application, |(_, source)| source)
}
