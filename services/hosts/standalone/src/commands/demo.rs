//! `mantissa demo`: a day of sample logs with attacks in it, through everything, and then more as it arrives.

use super::Invocation;
use crate::arguments::DemoArguments;
use crate::installation::{Installation, lock};
use crate::load_rules::activate;
use crate::output;
use crate::receiver::{self, Received};
use crate::run_services::{Services, interrupted};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use mantissa_contracts::ids;
use mantissa_contracts::messages::DestinationType;
use mantissa_contracts::time::Instant;
use mantissa_generators::{DemoDay, DemoDayOptions, GeneratedObject, LiveTail};
use mantissa_ports::Secret;
use mantissa_runtime::config::{Config, DestinationEntry};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

const DESTINATION: &str = "demo-receiver";
const SIGNING_SECRET: &str = "demo_signing_key";
/// New objects arrive this often after the sample day.
const LIVE_EVERY: Duration = Duration::from_secs(20);
/// Silence after which the sample day counts as done, with nothing waiting anywhere.
const SETTLED_AFTER: Duration = Duration::from_secs(5);

pub(crate) async fn run(invocation: &Invocation, arguments: &DemoArguments) -> anyhow::Result<ExitCode> {
    let data = invocation.data.join("demo");
    let lock = lock(&data)?;
    let signing_key: Vec<u8> = [ids::derive("demo-key", &["1"]), ids::derive("demo-key", &["2"])]
        .iter()
        .flat_map(|id| *id.as_bytes())
        .collect();
    let (address, mut received) = receiver::start(signing_key.clone()).await?;
    let installation =
        Arc::new(Installation::open(&data, demo_config(arguments, &invocation.config, &address.to_string()))?);
    let secret = Secret::new(format!("whsec_{}", STANDARD.encode(&signing_key)));
    installation.secrets.put(SIGNING_SECRET, &secret).await?;
    installation.sync_destinations().await?;
    let n_rules = activate(&installation).await?;
    let watched = data.join("incoming");
    std::fs::create_dir_all(&watched).with_context(|| format!("make {}", watched.display()))?;
    let mut services = Services::start(installation.clone(), &lock, vec![watched.clone()], true).await?;

    output::line("Mantissa Log demo: the logs of Larkspur Freight, an invented company");
    output::line(&format!("  rules         {n_rules} in force, from rules/"));
    output::line(&format!("  status page   http://{}", services.address.unwrap_or(arguments.bind)));
    output::line(&format!("  receiver      http://{address}, checks every signature"));
    let began = installation.clock.now();
    let (n_objects, n_records) = write_sample_day(&watched, arguments.seed, began)?;
    output::line(&format!("  sample day    {n_records} records in {n_objects} objects, now being read\n"));
    let shown = show_until_settled(&installation, &mut received, n_objects).await?;
    let since_began = |at: Option<Instant>| at.map_or(0, |at| (at - began).num_seconds());
    output::line(&format!(
        "\n{} alerts delivered with valid signatures, the first {} s and the last {} s after the logs arrived",
        shown.n_alerts,
        since_began(shown.first_at),
        since_began(shown.last_at)
    ));
    say_how_to_look_further(&data);
    if arguments.once {
        services.stop().await;
        return Ok(if shown.n_alerts > 0 { ExitCode::SUCCESS } else { ExitCode::from(crate::exit::FOUND_PROBLEMS) });
    }
    output::line("New logs keep arriving; Ctrl-C stops.\n");
    let live = tokio::spawn(keep_logs_coming(installation.clone(), watched, arguments.seed));
    loop {
        tokio::select! {
            done = interrupted() => { done?; break; }
            failure = services.failed() => return Err(failure),
            notification = received.recv() => match notification {
                Some(notification) => show(&notification),
                None => break,
            },
        }
    }
    live.abort();
    services.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn demo_config(arguments: &DemoArguments, own: &Config, receiver: &str) -> Config {
    let mut config = Config::default();
    config.server.bind = arguments.bind;
    config.server.public_url = Some(format!("http://{}", arguments.bind));
    config.rules = own.rules.clone();
    config.telemetry = own.telemetry.clone();
    config.scheduler.settle_ms = 1500;
    config.scheduler.every_s = Some(5);
    config.destinations = vec![DestinationEntry {
        id: DESTINATION.to_owned(),
        destination_type: DestinationType::Webhook,
        enabled: true,
        settings: BTreeMap::from([
            ("url".to_owned(), format!("http://{receiver}/")),
            ("signing_secret".to_owned(), SIGNING_SECRET.to_owned()),
        ]),
    }];
    config
}

/// The day that ends now: what a newcomer sees happened today, not in someone else's past.
fn write_sample_day(folder: &Path, seed: u64, now: Instant) -> anyhow::Result<(u64, u64)> {
    let yesterday = now.date_naive() - TimeDelta::days(1);
    let options = DemoDayOptions { delivery_minutes: 120, ..DemoDayOptions::default() };
    let (mut n_objects, mut n_records) = (0, 0);
    for object in DemoDay::generate(seed, yesterday, options) {
        n_objects += u64::from(write_object(folder, &object)?);
        n_records += object.n_records as u64;
    }
    Ok((n_objects, n_records))
}

/// `false` when it is there already, from a demo before.
fn write_object(folder: &Path, object: &GeneratedObject) -> anyhow::Result<bool> {
    let path = folder.join(&object.key);
    if path.exists() {
        return Ok(false);
    }
    let parent = path.parent().context("object without a folder")?;
    std::fs::create_dir_all(parent)?;
    // Written under a hidden name and renamed: the watcher never sees half an object.
    let name = path.file_name().context("object without a name")?.to_string_lossy().into_owned();
    let partial = path.with_file_name(format!(".{name}"));
    std::fs::write(&partial, &object.bytes)?;
    std::fs::rename(&partial, &path)?;
    Ok(true)
}

/// What arrived at the receiver, as measured.
#[derive(Debug, Default)]
struct Shown {
    n_alerts: usize,
    first_at: Option<Instant>,
    last_at: Option<Instant>,
}

/// Shows notifications as they come, until every object was read, every window judged and every queue is empty.
async fn show_until_settled(
    installation: &Installation,
    received: &mut UnboundedReceiver<Received>,
    n_objects: u64,
) -> anyhow::Result<Shown> {
    let mut shown = Shown::default();
    loop {
        match tokio::time::timeout(SETTLED_AFTER, received.recv()).await {
            Ok(Some(notification)) => {
                show(&notification);
                let now = installation.clock.now();
                shown.n_alerts += usize::from(!notification.is_duplicate);
                shown.first_at.get_or_insert(now);
                shown.last_at = Some(now);
            }
            Ok(None) => return Ok(shown),
            Err(_) if is_settled(installation, n_objects).await? => return Ok(shown),
            Err(_) => {}
        }
    }
}

async fn is_settled(installation: &Installation, n_objects: u64) -> anyhow::Result<bool> {
    let objects = installation.ingests.objects(1_000_000).await?;
    if (objects.len() as u64) < n_objects {
        return Ok(false);
    }
    for rule in installation.ledger.schedules().await?.iter().filter(|rule| rule.enabled) {
        let newest = objects.iter().filter(|object| object.table == rule.table).map(|object| object.ingested_at).max();
        if newest.is_some_and(|newest| rule.planned_to <= newest) {
            return Ok(false);
        }
    }
    if installation.ledger.count_unjudged().await?.n_planned > 0 {
        return Ok(false);
    }
    for queue in installation.publisher.queues() {
        let depth = queue.depth().await?;
        if depth.n_visible + depth.n_in_flight + depth.n_delayed > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn show(notification: &Received) {
    let text = |pointer: &str| notification.body.pointer(pointer).and_then(|v| v.as_str()).unwrap_or("–").to_owned();
    let what = text("/type");
    let severity = text("/data/alert/severity");
    let title = text("/data/alert/title");
    let again = if notification.is_duplicate { " (the same again)" } else { "" };
    output::line(&output::printable(&format!("  {what:<14} {severity:<9} {title}{again}")));
}

fn say_how_to_look_further(data: &Path) {
    let (program, data) = (program(), data.display());
    output::line("Look further, in another terminal:");
    for command in [
        "alerts list",
        "alerts show ID",
        "deliveries why ID",
        "query \"SELECT eventname, count(*) AS n FROM cloudtrail_logs GROUP BY 1 ORDER BY n DESC\"",
    ] {
        output::line(&format!("  {program} --data {data} {command}"));
    }
}

/// How this program is called from the current folder.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("mantissa"));
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(&path).display().to_string()
}

async fn keep_logs_coming(installation: Arc<Installation>, folder: PathBuf, seed: u64) {
    let tail = LiveTail::new(seed, 100);
    let mut from = installation.clock.now();
    loop {
        tokio::time::sleep(LIVE_EVERY).await;
        let to = installation.clock.now();
        for object in tail.objects(from, to) {
            if let Err(error) = write_object(&folder, &object) {
                tracing::error!("write sample logs: {error:#}");
            }
        }
        from = to;
    }
}
