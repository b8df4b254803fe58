//! `mantissa quarantine`: what could not be read, and trying it again.

use super::Invocation;
use crate::arguments::QuarantineCommand;
use crate::exit::{FOUND_PROBLEMS, bad_input};
use crate::output::{self, Format};
use mantissa_ingest::{list_quarantine, reingest_quarantine};
use mantissa_lake::catalogue::LogSource;
use serde_json::json;
use std::process::ExitCode;

pub(crate) async fn run(invocation: &Invocation, command: QuarantineCommand) -> anyhow::Result<ExitCode> {
    match command {
        QuarantineCommand::List => list(invocation).await,
        QuarantineCommand::Reingest { source } => reingest(invocation, source.as_deref()).await,
    }
}

async fn list(invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let files = list_quarantine(&invocation.open()?.ingest()).await?;
    let entries: Vec<_> = files.into_iter().flat_map(|(_, entries)| entries).collect();
    match invocation.format {
        Format::Json => output::json(&entries)?,
        Format::Table if entries.is_empty() => output::line("the quarantine is empty"),
        Format::Table => output::table(
            &["table", "object", "record", "line", "reason"],
            entries.into_iter().map(|entry| {
                vec![entry.table, entry.location, entry.record_number.to_string(), entry.line.to_string(), entry.reason]
            }),
        ),
    }
    Ok(ExitCode::SUCCESS)
}

async fn reingest(invocation: &Invocation, source: Option<&str>) -> anyhow::Result<ExitCode> {
    let source = match source {
        None | Some("auto") => None,
        Some(name) => Some(LogSource::parse(name).ok_or_else(|| bad_input(format!("unknown source `{name}`")))?),
    };
    let report = reingest_quarantine(&invocation.open()?.ingest(), source).await?;
    match invocation.format {
        Format::Json => output::json(&json!({
            "n_records": report.n_records,
            "n_quarantined": report.n_quarantined,
            "unreadable": report.unreadable,
        }))?,
        Format::Table => {
            let (n_records, n_left) = (report.n_records, report.n_quarantined);
            output::line(&format!("{n_records} records read, {n_left} still in the quarantine"));
            for (location, reason) in &report.unreadable {
                output::error(&format!("{location}: {reason}"));
            }
        }
    }
    Ok(if report.n_quarantined == 0 { ExitCode::SUCCESS } else { ExitCode::from(FOUND_PROBLEMS) })
}
