//! Rules, and CloudTrail records that match them.

use chrono::{DateTime, Utc};

/// A rule that matches one action, with one alert per caller and day.
pub struct ActionRule {
    pub rule_id: &'static str,
    pub action: &'static str,
    pub level: &'static str,
}

pub const CREATE_USER: ActionRule =
    ActionRule { rule_id: "11111111-1111-4111-8111-111111111111", action: "CreateUser", level: "high" };
pub const STOP_LOGGING: ActionRule =
    ActionRule { rule_id: "22222222-2222-4222-8222-222222222222", action: "StopLogging", level: "critical" };
pub const DELETE_BUCKET: ActionRule =
    ActionRule { rule_id: "33333333-3333-4333-8333-333333333333", action: "DeleteBucket", level: "medium" };

impl ActionRule {
    pub fn yaml(&self) -> String {
        let Self { rule_id, action, level } = self;
        format!(
            "title: {action} was called
id: {rule_id}
status: stable
description: {action} was called.
author: Mantissa Log
date: '2026-11-23'
logsource:
  product: aws
  service: cloudtrail
detection:
  selection:
    eventName: {action}
  condition: selection
level: {level}
mantissa:
  group_by:
    - userIdentity.arn
  dedup: {{window: 2d}}
  title: \"{{{{ userIdentity.arn }}}} called {action}\"
  runbook: |
    1. Ask the caller.
"
        )
    }
}

pub fn arn(user: &str) -> String {
    format!("arn:aws:iam::111122223333:user/{user}")
}

/// One record, on one line.
pub fn record(event_id: &str, action: &str, user: &str, at: DateTime<Utc>) -> String {
    let (time, arn) = (at.format("%Y-%m-%dT%H:%M:%SZ"), arn(user));
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"{arn}","accountId":"111122223333","userName":"{user}"}},"eventTime":"{time}","eventSource":"iam.amazonaws.com","eventName":"{action}","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.24","userAgent":"aws-cli/2.15.0","requestParameters":null,"responseElements":null,"eventID":"{event_id}","eventType":"AwsApiCall","recipientAccountId":"111122223333"}}"#
    )
}

/// What the record of this number did: of the first so many, one rule's and the other's in turn; of the rest, neither's.
pub fn action_of(number: usize, n_of_rules: usize) -> &'static str {
    match number {
        of_no_rule if of_no_rule >= n_of_rules => "ListUsers",
        even if even % 2 == 0 => CREATE_USER.action,
        _ => STOP_LOGGING.action,
    }
}

/// A delivery file as CloudTrail writes it.
pub fn file_of(records: &[String]) -> String {
    format!("{{\"Records\":[{}]}}", records.join(","))
}
