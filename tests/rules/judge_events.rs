//! Events as their source writes them → the ones a rule matches, by the real parsers, compiler, guard and engine.

use anyhow::{Context, bail};
use arrow::array::{AsArray, RecordBatch};
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::Instant;
use mantissa_detection::{CompiledRule, QueryBounds, compile_rule};
use mantissa_embedded::query_engine::DataFusionEngine;
use mantissa_lake::LakeError;
use mantissa_lake::catalogue::{LogSource, catalogue};
use mantissa_lake::parse::{ObjectContext, PartLimits, read_object};
use mantissa_sql::{GuardPolicy, guard};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};

/// When events happened that do not say when.
pub(crate) const DEFAULT_EVENT_TIME: &str = "2026-01-05T03:04:05Z";

/// The event with an identity of its own, so that matches can be told apart, and a time that can be read.
pub(crate) fn numbered(source: LogSource, event: &Map<String, Value>, number: usize) -> Map<String, Value> {
    let mut event = event.clone();
    let (identity, times): (&str, &[&str]) = match source {
        LogSource::GuardDuty => ("id", &["updatedAt", "createdAt"]),
        LogSource::CloudTrail => ("eventID", &["eventTime"]),
        // Their parsers derive the identity from the record and its place.
        LogSource::VpcFlow | LogSource::Application => return event,
    };
    event.insert(identity.to_owned(), json!(format!("event-{number:05}")));
    for name in times {
        let readable = event.get(*name).and_then(Value::as_str).is_some_and(|text| text.parse::<Instant>().is_ok());
        if !readable {
            event.insert((*name).to_owned(), json!(DEFAULT_EVENT_TIME));
        }
    }
    event
}

/// The rule, which must load without a problem.
pub(crate) fn compile(path: &str, yaml: &str) -> anyhow::Result<CompiledRule> {
    match compile_rule(path, yaml) {
        Ok(rule) if rule.is_degraded() => bail!("{path}: {:?}", rule.problems),
        Ok(rule) => Ok(rule),
        Err(problems) => bail!("{path}: {}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

/// Events read by the parser of their source; one that it refuses is an error.
pub(crate) fn read_events(source: LogSource, events: &[Map<String, Value>]) -> anyhow::Result<Vec<RecordBatch>> {
    let mut lines = String::new();
    for event in events {
        lines.push_str(&serde_json::to_string(event)?);
        lines.push('\n');
    }
    let object = ObjectContext {
        object_id: ObjectId::new("events-of-a-test"),
        location: "events of a test".to_owned(),
        received_at: DEFAULT_EVENT_TIME.parse()?,
        source: Some(source),
        only_offsets: None,
    };
    let (mut batches, mut quarantined) = (Vec::new(), Vec::new());
    read_object::<LakeError>(Box::new(lines.as_bytes()), &object, PartLimits::default(), &mut |part| {
        quarantined.extend(part.quarantined);
        batches.push(part.records);
        Ok(())
    })?;
    if let Some(piece) = quarantined.first() {
        bail!("an event cannot be read: {}", piece.reason);
    }
    Ok(batches)
}

pub(crate) fn engine_over(source: LogSource, batches: Vec<RecordBatch>) -> anyhow::Result<DataFusionEngine> {
    let table = catalogue().table_of(source).context("the source has no table")?;
    Ok(DataFusionEngine::with_batches(&HashMap::from([(table.name.to_owned(), batches)]))?)
}

/// Ids of the events that match, through the guard that every query passes.
pub(crate) async fn matching_ids(engine: &DataFusionEngine, rule: &CompiledRule) -> anyhow::Result<BTreeSet<String>> {
    let sql = rule.query(&QueryBounds::unbounded());
    let guarded = guard(&sql, catalogue(), &GuardPolicy::for_rules(1_000_000))
        .with_context(|| format!("the guard refuses {sql}"))?;
    let (columns, rows, _) = engine.collect(&guarded.sql).await.with_context(|| format!("the engine refuses {sql}"))?;
    let position = columns.iter().position(|column| column.name == "event_id").context("no column event_id")?;
    Ok(rows.into_iter().filter_map(|mut row| row.swap_remove(position)).collect())
}

/// Which of the events the rule matches, in their order.
pub(crate) async fn verdicts(rule: &CompiledRule, events: &[Map<String, Value>]) -> anyhow::Result<Vec<bool>> {
    let events: Vec<_> =
        events.iter().enumerate().map(|(number, event)| numbered(rule.log_source, event, number)).collect();
    let batches = read_events(rule.log_source, &events)?;
    let ids = event_ids(&batches)?;
    if ids.len() != events.len() || ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
        bail!("{} events became the records {ids:?}", events.len());
    }
    let matching = matching_ids(&engine_over(rule.log_source, batches)?, rule).await?;
    Ok(ids.iter().map(|id| matching.contains(id)).collect())
}

/// Identities of the records, in the order of the events they came from.
pub(crate) fn event_ids(batches: &[RecordBatch]) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for batch in batches {
        let column = batch.column_by_name("event_id").context("a batch has no event_id")?;
        ids.extend(column.as_string::<i32>().iter().map(|id| id.unwrap_or_default().to_owned()));
    }
    Ok(ids)
}
