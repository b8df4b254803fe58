//! `mantissa lake register`: the lake's tables and views on a Trino cluster.

use super::Invocation;
use super::lake::day_of;
use crate::exit::{FOUND_PROBLEMS, bad_input};
use crate::installation::Installation;
use crate::lake_engine::{embedded, trino};
use crate::output::{self, Format};
use mantissa_embedded::query_engine::DataFusionEngine;
use mantissa_lake::catalogue::{Table, catalogue};
use mantissa_trino::{LakeRegistration, RegisteredAs, TrinoQueryEngine};
use serde::Serialize;
use serde_json::json;
use std::process::ExitCode;

/// Rows of a table's newest day, as each side counts them.
#[derive(Debug, Serialize)]
struct Compared {
    table: &'static str,
    day: String,
    n_rows_here: String,
    n_rows_there: String,
}

pub(crate) async fn run(invocation: &Invocation, replace: bool) -> anyhow::Result<ExitCode> {
    let Some(entry) = &invocation.config.query.trino else {
        return Err(bad_input("the configuration has no [query.trino]; `mantissa config init` shows how it looks"));
    };
    let installation = invocation.open()?;
    let there = trino(entry, installation.secrets.clone())?;
    let here = embedded(&invocation.data, &invocation.config.query)?;
    // A table without files yet is a folder without files: the cluster wants to see it.
    for table in &catalogue().tables {
        let folder = invocation.data.join("lake").join(table.name);
        std::fs::create_dir_all(&folder).map_err(|e| bad_input(format!("make {}: {e}", folder.display())))?;
    }
    let registration = LakeRegistration { location: entry.location.clone(), replace };
    let registered = there.register_lake(catalogue(), &registration).await?;
    let mut compared = Vec::new();
    for table in &catalogue().tables {
        compared.extend(compare_newest_day(&installation, table, &here, &there).await?);
    }
    match invocation.format {
        Format::Json => output::json(&json!({ "registered": registered, "compared": compared }))?,
        Format::Table => {
            let rows = registered.iter().map(|entry| vec![entry.name.to_owned(), words_of(&entry.registered_as)]);
            output::table(&["table or view", "registered"], rows);
        }
    }
    let (same, differing): (Vec<_>, Vec<_>) =
        compared.iter().partition(|compared| compared.n_rows_here == compared.n_rows_there);
    for Compared { table, day, n_rows_here, n_rows_there } in &differing {
        output::error(&format!(
            "{table} has {n_rows_here} rows of {day} here and {n_rows_there} there: is query.trino.location `{}` the \
             same folder as {}? (Rows that came in meanwhile differ too; then run it again.)",
            entry.location,
            invocation.data.join("lake").display(),
        ));
    }
    for Compared { table, day, n_rows_here, .. } in &same {
        output::note(&format!("{table}: {n_rows_here} rows of {day} on both sides"));
    }
    Ok(if differing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND_PROBLEMS) })
}

/// `None` where the table has no files yet.
async fn compare_newest_day(
    installation: &Installation,
    table: &Table,
    here: &DataFusionEngine,
    there: &TrinoQueryEngine,
) -> anyhow::Result<Option<Compared>> {
    let files = installation.lake.list(&format!("{}/", table.name)).await?;
    let Some(day) = files.iter().filter_map(|file| day_of(&file.key)).max() else { return Ok(None) };
    let [year, month, of_month] = day.splitn(3, '-').collect::<Vec<_>>()[..] else { return Ok(None) };
    let sql = format!(
        "SELECT count(*) FROM {} WHERE year = '{year}' AND month = '{month}' AND day = '{of_month}'",
        table.name
    );
    let count = |rows: Vec<Vec<Option<String>>>| rows.into_iter().flatten().flatten().next().unwrap_or_default();
    let (_, rows_here, _) = here.collect(&sql).await?;
    let n_rows_there = count(there.collect(&sql).await?.rows);
    Ok(Some(Compared { table: table.name, day, n_rows_here: count(rows_here), n_rows_there }))
}

fn words_of(registered_as: &RegisteredAs) -> String {
    match registered_as {
        RegisteredAs::Created => "created".to_owned(),
        RegisteredAs::Unchanged => "as it was".to_owned(),
        RegisteredAs::ColumnsAdded { columns } => format!("added {}", columns.join(", ")),
        RegisteredAs::Replaced => "made anew".to_owned(),
        RegisteredAs::View => "view".to_owned(),
    }
}
