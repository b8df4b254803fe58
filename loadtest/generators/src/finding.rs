//! A GuardDuty finding, as the export to S3 writes it.

use crate::company::Account;
use crate::line::{Line, Stream};
use crate::seeded_random::SeededRandom;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

pub(crate) struct Finding<'a> {
    /// `Recon:EC2/PortProbeUnprotectedPort`.
    pub(crate) kind: &'a str,
    pub(crate) severity: u32,
    pub(crate) title: &'a str,
    pub(crate) resource: Value,
    pub(crate) action: Value,
}

pub(crate) fn finding_line(
    account: &Account,
    at: DateTime<Utc>,
    random: &mut SeededRandom,
    finding: Finding<'_>,
) -> Line {
    let time = at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let id = random.hex(32);
    let detector = "12abc34d567e8fa901bc2d34e56789f0";
    let text = json!({
        "schemaVersion": "2.0",
        "accountId": account.id,
        "region": "us-east-1",
        "partition": "aws",
        "id": id,
        "arn": format!("arn:aws:guardduty:us-east-1:{}:detector/{detector}/finding/{id}", account.id),
        "type": finding.kind,
        "resource": finding.resource,
        "service": {
            "serviceName": "guardduty",
            "detectorId": detector,
            "action": finding.action,
            "resourceRole": "TARGET",
            "additionalInfo": {},
            "eventFirstSeen": time,
            "eventLastSeen": time,
            "archived": false,
            "count": 1
        },
        "severity": finding.severity,
        "createdAt": time,
        "updatedAt": time,
        "title": finding.title,
        "description": finding.title
    })
    .to_string();
    Line { at, stream: Stream::GuardDuty(*account), text }
}
