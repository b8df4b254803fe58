//! `mantissa lake`: what is in the lake, and keeping it quick to read.

use super::{Invocation, register_lake};
use crate::arguments::LakeCommand;
use crate::exit::bad_input;
use crate::output::{self, Format};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use indicatif::HumanBytes;
use mantissa_contracts::time::Instant;
use mantissa_ingest::compact_table;
use mantissa_lake::catalogue::catalogue;
use mantissa_ports::ObjectStorage;
use serde_json::json;
use std::process::ExitCode;

pub(crate) async fn run(invocation: &Invocation, command: LakeCommand) -> anyhow::Result<ExitCode> {
    match command {
        LakeCommand::Show => show(invocation).await,
        LakeCommand::Compact { table, min_age_minutes } => compact(invocation, table.as_deref(), min_age_minutes).await,
        LakeCommand::Register { trino: _, replace } => register_lake::run(invocation, replace).await,
    }
}

async fn show(invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let lake = invocation.open()?.lake;
    let mut tables = Vec::new();
    for table in &catalogue().tables {
        let files = lake.list(&format!("{}/", table.name)).await?;
        let bytes: u64 = files.iter().map(|file| file.size_bytes).sum();
        let days = files.iter().filter_map(|file| day_of(&file.key));
        let (first, last) = (days.clone().min(), days.max());
        tables.push((table.name, files.len(), bytes, first, last));
    }
    match invocation.format {
        Format::Json => output::json(
            &tables
                .iter()
                .map(|(name, n_files, n_bytes, first, last)| {
                    json!({ "table": name, "n_files": n_files, "n_bytes": n_bytes, "first_day": first, "last_day": last })
                })
                .collect::<Vec<_>>(),
        )?,
        Format::Table => output::table(
            &["table", "files", "size", "first day", "last day"],
            tables.into_iter().map(|(name, n_files, n_bytes, first, last)| {
                vec![
                    name.to_owned(),
                    n_files.to_string(),
                    HumanBytes(n_bytes).to_string(),
                    first.unwrap_or_default(),
                    last.unwrap_or_default(),
                ]
            }),
        ),
    }
    Ok(ExitCode::SUCCESS)
}

/// The first and the last moment of the days that the lake has files of.
pub(super) async fn span_of(lake: &dyn ObjectStorage) -> anyhow::Result<Option<(Instant, Instant)>> {
    let files = lake.list("").await?;
    let days = files.iter().filter_map(|file| day_of(&file.key)?.parse::<NaiveDate>().ok());
    let (Some(first), Some(last)) = (days.clone().min(), days.max()) else { return Ok(None) };
    let from = first.and_time(NaiveTime::MIN).and_utc();
    let to = last.and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(1) - TimeDelta::milliseconds(1);
    Ok(Some((from, to)))
}

/// `<table>/year=2026/month=01/day=02/<file>` → `2026-01-02`.
pub(super) fn day_of(key: &str) -> Option<String> {
    let values: Vec<&str> = key.split('/').filter_map(|part| part.split_once('=')).map(|(_, value)| value).collect();
    (values.len() == 3).then(|| values.join("-"))
}

async fn compact(
    invocation: &Invocation,
    only: Option<&str>,
    min_age_minutes: Option<u32>,
) -> anyhow::Result<ExitCode> {
    let mut deps = invocation.open()?.ingest();
    if let Some(minutes) = min_age_minutes {
        deps.config.compact_after = TimeDelta::minutes(i64::from(minutes));
    }
    if let Some(name) = only
        && catalogue().table(name).is_none()
    {
        let known: Vec<&str> = catalogue().tables.iter().map(|table| table.name).collect();
        return Err(bad_input(format!("there is no table `{name}`; there are {}", known.join(", "))));
    }
    let mut merged = Vec::new();
    for table in catalogue().tables.iter().filter(|table| only.is_none_or(|name| table.name.eq_ignore_ascii_case(name)))
    {
        merged.push((table.name, compact_table(&deps, table.name).await?));
    }
    match invocation.format {
        Format::Json => output::json(
            &merged
                .iter()
                .map(|(name, report)| {
                    json!({
                        "table": name, "n_files_merged": report.n_files_merged, "n_files_written": report.n_files_written,
                    })
                })
                .collect::<Vec<_>>(),
        )?,
        Format::Table => output::table(
            &["table", "files merged", "into"],
            merged.into_iter().map(|(name, report)| {
                vec![name.to_owned(), report.n_files_merged.to_string(), report.n_files_written.to_string()]
            }),
        ),
    }
    Ok(ExitCode::SUCCESS)
}
