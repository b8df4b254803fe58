//! Matches through dedup, enrichment and the notifier to a local webhook.

use crate::arguments::Arguments;
use crate::open_data_dir::DataDir;
use crate::pipeline_stages::Stages;
use crate::report::say;
use crate::stopwatch::{Elapsed, Stopwatch};
use crate::webhook_server::WebhookServer;
use anyhow::Context as _;
use mantissa_contracts::Envelope;
use mantissa_contracts::ids::{MatchId, RuleId, RuleVersion};
use mantissa_contracts::messages::rule_matched::v1::Evidence;
use mantissa_contracts::messages::{KeyPart, RuleMatched, RuleRef, Severity};
use mantissa_contracts::time::Instant as EventTime;
use mantissa_generators::bench::cloudtrail_events;
use mantissa_ports::Outgoing;
use serde::Serialize;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Matches a result poller publishes together.
const PUBLISHED_TOGETHER: usize = 100;
/// Matches that share a key where most attach to an open alert.
const MATCHES_PER_KEY: u64 = 100;
/// The calm in which latency is told apart from waiting in a queue.
const CALM_MATCHES: u64 = 500;
const CALM_INTERVAL: Duration = Duration::from_millis(20);
const GIVE_UP_AFTER: Duration = Duration::from_secs(600);

#[derive(Debug, Serialize)]
pub(crate) struct PipelineRun {
    pub(crate) load: String,
    pub(crate) n_matches: u64,
    pub(crate) n_alerts: usize,
    pub(crate) n_repeated: u64,
    /// From the first publish until every queue is empty.
    pub(crate) elapsed: Elapsed,
    /// From a match published to its alert's webhook received.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl PipelineRun {
    #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
    pub(crate) fn matches_per_s(&self) -> f64 {
        self.n_matches as f64 / self.elapsed.wall_s
    }
}

struct Load {
    name: String,
    n_matches: u64,
    n_keys: u64,
    /// `None` publishes as fast as it can.
    interval: Option<Duration>,
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<Vec<PipelineRun>> {
    let n = arguments.matches;
    let attach = (n / MATCHES_PER_KEY).max(1);
    let loads = [
        Load { name: "every match a new alert".to_owned(), n_matches: n, n_keys: n, interval: None },
        Load { name: format!("{MATCHES_PER_KEY} matches an alert"), n_matches: n, n_keys: attach, interval: None },
        Load {
            name: format!("new alerts, one every {} ms", CALM_INTERVAL.as_millis()),
            n_matches: CALM_MATCHES,
            n_keys: CALM_MATCHES,
            interval: Some(CALM_INTERVAL),
        },
    ];
    let mut runs = Vec::new();
    for load in loads {
        say(&format!("pipeline: {} matches, {}", load.n_matches, load.name));
        runs.push(run(arguments, load).await?);
    }
    Ok(runs)
}

async fn run(arguments: &Arguments, load: Load) -> anyhow::Result<PipelineRun> {
    let data = DataDir::fresh(&arguments.out.join("pipeline-data"))?;
    let server = WebhookServer::start().await?;
    let messages = make_matches(arguments.seed, &load, data.clock.now())?;
    let stages = Stages::start(&data, server.address).await?;
    let watch = Stopwatch::start();
    let published_at = publish(&stages, &load, &messages).await?;
    let n_keys = usize::try_from(load.n_keys)?;
    while server.n_alerts() < n_keys || !stages.are_idle().await? {
        anyhow::ensure!(
            watch.elapsed().wall_s < GIVE_UP_AFTER.as_secs_f64(),
            "{} webhooks of {n_keys}",
            server.n_alerts()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let elapsed = watch.elapsed();
    stages.stop().await;
    let received = server.take();
    anyhow::ensure!(received.n_unsigned == 0, "{} webhooks without signature", received.n_unsigned);
    let mut latencies: Vec<Duration> = received
        .first_at
        .iter()
        .filter_map(|(title, at)| published_at.get(title).map(|published| at.duration_since(*published)))
        .collect();
    latencies.sort();
    std::fs::remove_dir_all(&data.path).with_context(|| format!("remove {}", data.path.display()))?;
    Ok(PipelineRun {
        load: load.name,
        n_matches: load.n_matches,
        n_alerts: received.first_at.len(),
        n_repeated: received.n_repeated,
        elapsed,
        p50_ms: percentile_ms(&latencies, 50),
        p99_ms: percentile_ms(&latencies, 99),
    })
}

/// When the first match of each alert was durable in its queue, by the alert's title.
async fn publish(
    stages: &Stages,
    load: &Load,
    messages: &[(String, Outgoing)],
) -> anyhow::Result<HashMap<String, Instant>> {
    let mut published_at = HashMap::new();
    let together = if load.interval.is_some() { 1 } else { PUBLISHED_TOGETHER };
    let mut timer = tokio::time::interval(load.interval.unwrap_or(Duration::from_millis(1)));
    for chunk in messages.chunks(together) {
        if load.interval.is_some() {
            timer.tick().await;
        }
        let outgoing: Vec<Outgoing> = chunk.iter().map(|(_, message)| message.clone()).collect();
        let at = Instant::now();
        stages.publisher.publish(&outgoing).await?;
        for (title, _) in chunk {
            published_at.entry(title.clone()).or_insert(at);
        }
    }
    Ok(published_at)
}

/// Matches in the order of their events, keys in turn; each with its alert's title.
fn make_matches(seed: u64, load: &Load, now: EventTime) -> anyhow::Result<Vec<(String, Outgoing)>> {
    let mut events = cloudtrail_events(seed, load.n_matches);
    (0..load.n_matches)
        .map(|number| {
            let key = number % load.n_keys;
            let title = format!("bench alert {key}");
            let raw = events.next().context("the generator ended early")?;
            let message = rule_match(number, key, &title, raw, now);
            let envelope = Envelope::new("result-poller", now, None, message);
            Ok((title, Outgoing::new(&envelope)?))
        })
        .collect()
}

fn rule_match(number: u64, key: u64, title: &str, raw: String, now: EventTime) -> RuleMatched {
    RuleMatched {
        match_id: MatchId::derive(&["bench", &number.to_string()]),
        rule: RuleRef {
            rule_id: RuleId::new("5f0e4a3c-bench"),
            rule_version: RuleVersion::new("1"),
            title: "Bench rule".to_owned(),
            severity: Severity::Medium,
            log_source: "cloudtrail".to_owned(),
            tags: vec!["attack.t1078".to_owned()],
            runbook: None,
            destinations: Vec::new(),
        },
        title: title.to_owned(),
        query_run_id: None,
        window: None,
        alert_key: vec![KeyPart {
            field: "userIdentity.arn".to_owned(),
            value: Some(format!("arn:aws:iam::111122223333:user/{key}")),
        }],
        event_time: now,
        n_events: 1,
        dedup_window_s: 3600,
        evidence: vec![Evidence { event_id: format!("event-{number}"), event_time: now, raw, truncated: false }],
    }
}

fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile_ms(&sorted, 50), 51.0);
        assert_eq!(percentile_ms(&sorted, 99), 100.0);
        assert!(percentile_ms(&[], 50).is_nan());
    }
}
