//! `mantissa query`: one SELECT over the lake.

use super::Invocation;
use crate::arguments::QueryArguments;
use crate::exit::bad_input;
use crate::output::{self, Format};
use mantissa_contracts::time::TimeWindow;
use mantissa_lake::catalogue::catalogue;
use mantissa_ports::tracked_queries::QueryOutput;
use mantissa_sql::{GuardPolicy, guard};
use serde_json::{Map, Value, json};
use std::process::ExitCode;

pub(crate) async fn run(invocation: &Invocation, arguments: &QueryArguments) -> anyhow::Result<ExitCode> {
    let installation = invocation.open()?;
    let now = installation.clock.now();
    let lookback = TimeWindow::new(now - chrono::TimeDelta::days(i64::from(arguments.days)), now);
    let policy = GuardPolicy::for_people(arguments.max_rows, lookback);
    let guarded = guard(&arguments.sql, catalogue(), &policy).map_err(|e| bad_input(e.to_string()))?;
    if !guarded.bounded_by_policy.is_empty() {
        output::note(&format!(
            "reading {} of the last {} days only; name year, month and day or event_time to read others",
            guarded.bounded_by_policy.join(", "),
            arguments.days
        ));
    }
    let QueryOutput { columns, rows, stats } = installation.engine.collect(&guarded.sql).await?;
    if rows.len() as u64 > arguments.max_rows {
        return Err(bad_input(format!(
            "the result has more than {} rows; narrow the query, or pass --max-rows",
            arguments.max_rows
        )));
    }
    match invocation.format {
        Format::Json => {
            let rows: Vec<Value> = rows
                .into_iter()
                .map(|row| columns.iter().map(|column| column.name.clone()).zip(row.into_iter().map(|v| json!(v))))
                .map(|fields| Value::Object(fields.collect::<Map<_, _>>()))
                .collect();
            output::json(&json!({ "columns": columns, "rows": rows, "stats": stats }))?;
        }
        Format::Table => {
            let header: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            let n_rows = rows.len();
            output::table(
                &header,
                rows.into_iter().map(|row| row.into_iter().map(|v| v.unwrap_or_else(|| "NULL".to_owned())).collect()),
            );
            output::note(&format!("{n_rows} rows, {} bytes read, {} ms", stats.scanned_bytes, stats.duration_ms));
        }
    }
    Ok(ExitCode::SUCCESS)
}
