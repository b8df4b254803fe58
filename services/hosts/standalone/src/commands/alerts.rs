//! `mantissa alerts`: list, show, acknowledge, close.

use super::Invocation;
use crate::arguments::{AlertsCommand, StatusArgument, VerdictArgument};
use crate::exit::{bad_input, not_found};
use crate::output::{self, Format};
use mantissa_api::{TriageOutcome, triage_alert};
use mantissa_contracts::ids::AlertId;
use mantissa_contracts::messages::{AlertSnapshot, AlertStatus, Severity, Verdict};
use mantissa_contracts::time::format_instant;
use mantissa_domain::triage::TriageAction;
use mantissa_ports::stores::{AlertFilter, AlertRecord, DeliveryRecord};
use serde_json::json;
use std::process::ExitCode;

pub(crate) async fn run(invocation: &Invocation, command: AlertsCommand) -> anyhow::Result<ExitCode> {
    match command {
        AlertsCommand::List { status, severity, limit } => list(invocation, status, severity, limit).await,
        AlertsCommand::Show { alert } => show(invocation, &alert).await,
        AlertsCommand::Ack { alert } => triage(invocation, &alert, TriageAction::Acknowledge).await,
        AlertsCommand::Close { alert, verdict } => {
            let verdict = match verdict {
                VerdictArgument::TruePositive => Verdict::TruePositive,
                VerdictArgument::Benign => Verdict::Benign,
                VerdictArgument::FalsePositive => Verdict::FalsePositive,
                VerdictArgument::Duplicate => Verdict::Duplicate,
            };
            triage(invocation, &alert, TriageAction::Close { verdict }).await
        }
    }
}

async fn list(
    invocation: &Invocation,
    status: Option<StatusArgument>,
    severity: Option<String>,
    limit: usize,
) -> anyhow::Result<ExitCode> {
    let filter = AlertFilter {
        status: status.map(|status| match status {
            StatusArgument::Open => AlertStatus::Open,
            StatusArgument::Acknowledged => AlertStatus::Acknowledged,
            StatusArgument::Closed => AlertStatus::Closed,
        }),
        min_severity: severity.as_deref().and_then(Severity::parse),
        ..AlertFilter::default()
    };
    let alerts = invocation.open()?.alerts.list(&filter, limit, None).await?;
    match invocation.format {
        Format::Json => output::json(&alerts)?,
        Format::Table if alerts.is_empty() => output::line("no alerts"),
        Format::Table => print_list(&alerts),
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn print_list(alerts: &[AlertSnapshot]) {
    output::table(
        &["severity", "status", "title", "matches", "last event", "id"],
        alerts.iter().map(|alert| {
            vec![
                alert.severity.to_string(),
                alert.status.to_string(),
                alert.title.clone(),
                alert.n_matches.to_string(),
                format_instant(alert.last_event_at),
                alert.alert_id.to_string(),
            ]
        }),
    );
}

/// Reads an alert id, whole or its beginning as long as it is the beginning of one alert only.
pub(crate) async fn find_alert(invocation: &Invocation, text: &str) -> anyhow::Result<AlertId> {
    if let Ok(alert) = text.parse() {
        return Ok(alert);
    }
    if text.len() < 4 || !text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return Err(bad_input(format!("`{text}` is neither an alert id nor the first four or more characters of one")));
    }
    let alerts = invocation.open()?.alerts.list(&AlertFilter::default(), 100_000, None).await?;
    let found: Vec<AlertId> =
        alerts.iter().map(|alert| alert.alert_id).filter(|id| id.to_string().starts_with(text)).collect();
    match found.as_slice() {
        [alert] => Ok(*alert),
        [] => Err(not_found(format!("no alert id starts with `{text}`"))),
        more => Err(bad_input(format!("{} alert ids start with `{text}`", more.len()))),
    }
}

async fn show(invocation: &Invocation, alert: &str) -> anyhow::Result<ExitCode> {
    let alert_id = find_alert(invocation, alert).await?;
    let installation = invocation.open()?;
    let record =
        installation.alerts.get(&alert_id).await?.ok_or_else(|| not_found(format!("no alert `{alert_id}`")))?;
    let deliveries = installation.deliveries.for_alert(&alert_id).await?;
    match invocation.format {
        Format::Json => {
            output::json(&json!({ "alert": record.alert, "context": record.context, "deliveries": deliveries }))?
        }
        Format::Table => print_alert(&record, &deliveries),
    }
    Ok(ExitCode::SUCCESS)
}

fn print_alert(record: &AlertRecord, deliveries: &[DeliveryRecord]) {
    let alert = &record.alert;
    let line = |name: &str, value: String| output::line(&format!("{name:<14}{}", output::printable(&value)));
    line("title", alert.title.clone());
    line("severity", alert.severity.to_string());
    line("status", alert.status.to_string());
    line("rule", format!("{} ({})", alert.rule.title, alert.rule.rule_id));
    line("tags", alert.rule.tags.join(" "));
    line("matches", format!("{}, {} events", alert.n_matches, alert.n_events));
    line("events", format!("{} to {}", format_instant(alert.first_event_at), format_instant(alert.last_event_at)));
    line("opened", format_instant(alert.opened_at));
    for part in &alert.alert_key {
        line("key", format!("{} = {}", part.field, part.value.as_deref().unwrap_or("(missing)")));
    }
    if let Some(context) = &record.context {
        for entity in &context.entities {
            let facts: Vec<String> = entity.facts.iter().map(|(name, fact)| format!("{name} {fact}")).collect();
            line("entity", format!("{} {}", entity.value, facts.join(", ")));
        }
        line("related", format!("{} other alerts on these entities in 24 h", context.n_related_24h));
    }
    for delivery in deliveries {
        line("delivery", format!("{} {} {}", delivery.key.destination_id, delivery.key.intent, delivery.state));
    }
    if let Some(runbook) = &alert.rule.runbook {
        output::line("runbook");
        runbook.lines().for_each(|text| output::line(&format!("  {}", output::printable(text))));
    }
    for evidence in &alert.evidence {
        output::line(&format!("event {} at {}", evidence.event_id, format_instant(evidence.event_time)));
        output::line(&format!("  {}", output::printable(&evidence.raw)));
    }
}

async fn triage(invocation: &Invocation, alert: &str, action: TriageAction) -> anyhow::Result<ExitCode> {
    let alert_id = find_alert(invocation, alert).await?;
    let installation = invocation.open()?;
    let actor = "command line";
    let outcome =
        triage_alert(installation.alerts.as_ref(), installation.clock.as_ref(), &alert_id, action, actor).await;
    match outcome {
        Ok(TriageOutcome::Changed(alert)) => match invocation.format {
            Format::Json => output::json(&alert)?,
            Format::Table => output::line(&format!("{} is {}", alert.alert_id, alert.status)),
        },
        Ok(TriageOutcome::Nothing { reason }) => output::note(&format!("nothing changed: {reason}")),
        Err(mantissa_api::Error::AlertMissing(id)) => return Err(not_found(format!("no alert `{id}`"))),
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}
