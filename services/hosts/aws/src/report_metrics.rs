//! What was measured during an invocation, in CloudWatch's embedded metric format: a line of output each, and no call.

use crate::deployment::Deployment;
use mantissa_contracts::time::Instant;
use mantissa_runtime::metrics::Measured;
use serde_json::{Map, Value, json};
use std::io::Write as _;

pub(crate) fn report_metrics(deployment: &Deployment) {
    let mut output = std::io::stdout().lock();
    for measured in deployment.metrics.take() {
        let line = embedded(&measured, &deployment.config.metric_namespace, deployment.clock.now());
        // Nobody is there to be told that it was not written.
        let _ = writeln!(output, "{line}");
    }
}

fn embedded(measured: &Measured, namespace: &str, now: Instant) -> Value {
    let dimensions: Vec<&str> = measured.labels.iter().map(|(name, _)| *name).collect();
    let unit = if measured.name.ends_with("_seconds") { "Seconds" } else { "Count" };
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.timestamp_millis(),
            "CloudWatchMetrics": [{
                "Namespace": namespace,
                "Dimensions": [dimensions],
                "Metrics": [{ "Name": measured.name, "Unit": unit }],
            }],
        }),
    );
    for (name, value) in &measured.labels {
        line.insert((*name).to_owned(), json!(value));
    }
    line.insert(measured.name.to_owned(), json!(measured.value));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantissa_runtime::metrics::Metrics;

    #[test]
    fn what_was_measured_is_written_once_with_its_labels_as_dimensions() {
        let metrics = Metrics::default();
        metrics.count("mantissa_messages_handled_total", "", &[("queue", "q"), ("result", "ok")], 3);
        metrics.set("mantissa_ingest_lag_seconds", "", &[("source", "cloudtrail")], 1.5);
        let now = Instant::from_timestamp_millis(1_000).unwrap();
        let lines: Vec<Value> = metrics.take().iter().map(|measured| embedded(measured, "Mantissa/dev", now)).collect();
        let about = |dimensions: &[&str], name: &str, unit: &str| {
            json!({ "Timestamp": 1_000, "CloudWatchMetrics": [{
                "Namespace": "Mantissa/dev", "Dimensions": [dimensions], "Metrics": [{ "Name": name, "Unit": unit }],
            }]})
        };
        let expected = [
            json!({
                "_aws": about(&["source"], "mantissa_ingest_lag_seconds", "Seconds"),
                "source": "cloudtrail", "mantissa_ingest_lag_seconds": 1.5,
            }),
            json!({
                "_aws": about(&["queue", "result"], "mantissa_messages_handled_total", "Count"),
                "queue": "q", "result": "ok", "mantissa_messages_handled_total": 3.0,
            }),
        ];
        assert_eq!(lines, expected);
        assert!(metrics.take().is_empty());
    }
}
