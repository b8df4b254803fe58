//! Runs the tests inside rules: each test's events are read by the real parsers and judged by the real engine.

use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::Instant;
use mantissa_detection::{CompiledRule, ExpectedAlert, QueryBounds, RuleTest, render_title};
use mantissa_embedded::query_engine::DataFusionEngine;
use mantissa_lake::LakeError;
use mantissa_lake::catalogue::{LogSource, catalogue};
use mantissa_lake::parse::{ObjectContext, PartLimits, read_object};
use mantissa_sql::{GuardPolicy, guard};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// When events happened that do not say when.
const DEFAULT_EVENT_TIME: &str = "2026-01-01T00:00:00Z";
const MAX_ROWS: u64 = 100_000;

#[derive(Debug, Serialize)]
pub(crate) struct TestOutcome {
    pub(crate) path: String,
    pub(crate) line: u32,
    pub(crate) rule: String,
    pub(crate) test: String,
    /// What was not as the test says; `None` when it passed.
    pub(crate) failure: Option<String>,
}

impl TestOutcome {
    pub(crate) fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

pub(crate) async fn run_rule_tests(rules: &[CompiledRule]) -> anyhow::Result<Vec<TestOutcome>> {
    let mut outcomes = Vec::new();
    let n_tests = rules.iter().map(|rule| rule.tests.len() as u64).sum();
    let progress = indicatif::ProgressBar::new(n_tests);
    for rule in rules {
        for test in &rule.tests {
            outcomes.push(TestOutcome {
                path: rule.path.clone(),
                line: test.line,
                rule: rule.rule.title.clone(),
                test: test.name.clone(),
                failure: run_test(rule, test).await.err().map(|error| format!("{error:#}")),
            });
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    Ok(outcomes)
}

async fn run_test(rule: &CompiledRule, test: &RuleTest) -> anyhow::Result<()> {
    let engine = engine_over(rule, &test.events)?;
    let guarded = guard(&rule.query(&QueryBounds::unbounded()), catalogue(), &GuardPolicy::for_rules(MAX_ROWS))?;
    let (columns, rows, _) = engine.collect(&guarded.sql).await?;
    match (test.matches, rows.is_empty()) {
        (true, true) => anyhow::bail!("did not match, and should"),
        (false, false) => anyhow::bail!("matched, and should not"),
        (false, true) => return Ok(()),
        (true, false) => {}
    }
    let Some(expected) = &test.alert else { return Ok(()) };
    // Any of the matches may be the one the author described.
    let mismatches: Vec<String> = rows
        .iter()
        .map(|row| {
            let named: HashMap<&str, Option<String>> =
                columns.iter().map(|column| column.name.as_str()).zip(row.iter().cloned()).collect();
            mismatch(rule, expected, &named)
        })
        .collect::<anyhow::Result<_>>()?;
    match mismatches.iter().any(String::is_empty) {
        true => Ok(()),
        false => anyhow::bail!("{}", mismatches.first().map_or("", String::as_str)),
    }
}

/// What differs from the expected alert; empty when nothing does.
fn mismatch(
    rule: &CompiledRule,
    expected: &ExpectedAlert,
    row: &HashMap<&str, Option<String>>,
) -> anyhow::Result<String> {
    let value = |alias: &str| row.get(alias).cloned().flatten();
    let mut differences = Vec::new();
    if let Some(severity) = expected.severity.filter(|severity| *severity != rule.rule.severity) {
        differences.push(format!("severity is {}, expected {severity}", rule.rule.severity));
    }
    for (field, wanted) in &expected.key {
        match rule.key_fields.iter().find(|key| key.field == *field) {
            None => differences.push(format!("the alert key has no field `{field}`")),
            Some(key) if value(&key.column_alias) != *wanted => {
                differences.push(format!("key {field} is {:?}, expected {wanted:?}", value(&key.column_alias)));
            }
            Some(_) => {}
        }
    }
    if let Some(wanted) = &expected.title {
        let fields: Vec<(&str, Option<String>)> =
            rule.title_fields.iter().map(|field| (field.field.as_str(), value(&field.column_alias))).collect();
        let title = render_title(rule, &fields)?;
        if title != *wanted {
            differences.push(format!("title is `{title}`, expected `{wanted}`"));
        }
    }
    Ok(differences.join("; "))
}

fn engine_over(rule: &CompiledRule, events: &[Map<String, Value>]) -> anyhow::Result<DataFusionEngine> {
    let received_at: Instant = DEFAULT_EVENT_TIME.parse()?;
    let mut batches = Vec::new();
    // Each event an object of its own: a text line and a JSON record may stand in one test.
    for (number, event) in events.iter().enumerate() {
        let text = text_of(rule.log_source, event, number);
        let object = ObjectContext {
            object_id: ObjectId::new(format!("test-{number}")),
            location: format!("test event {}", number + 1),
            received_at,
            source: Some(rule.log_source),
            only_offsets: None,
        };
        let mut quarantined = Vec::new();
        read_object::<LakeError>(Box::new(text.as_bytes()), &object, PartLimits::default(), &mut |part| {
            quarantined.extend(part.quarantined);
            batches.push(part.records);
            Ok(())
        })?;
        if let Some(piece) = quarantined.first() {
            anyhow::bail!("event {} cannot be read: {}", number + 1, piece.reason);
        }
    }
    Ok(DataFusionEngine::with_batches(&HashMap::from([(rule.table.to_owned(), batches)]))?)
}

/// The event as its source would write it. Identity and time may be left out of a test.
fn text_of(log_source: LogSource, event: &Map<String, Value>, number: usize) -> String {
    if let (LogSource::Application, 1, Some(Value::String(line))) = (log_source, event.len(), event.get("message")) {
        return format!("{line}\n");
    }
    let mut event = event.clone();
    let mut default = |name: &str, value: Value| {
        event.entry(name).or_insert(value);
    };
    match log_source {
        LogSource::CloudTrail => {
            default("eventID", json!(format!("test-event-{number}")));
            default("eventTime", json!(DEFAULT_EVENT_TIME));
        }
        LogSource::GuardDuty => {
            default("id", json!(format!("test-event-{number}")));
            default("updatedAt", json!(DEFAULT_EVENT_TIME));
            default("createdAt", json!(DEFAULT_EVENT_TIME));
        }
        LogSource::VpcFlow => {
            let start = received_seconds(number);
            default("start", json!(start));
            default("end", json!(start + 60));
        }
        LogSource::Application => {}
    }
    format!("{}\n", Value::Object(event))
}

fn received_seconds(number: usize) -> u64 {
    DEFAULT_EVENT_TIME.parse::<Instant>().map_or(0, |time| time.timestamp().unsigned_abs()) + number as u64
}
