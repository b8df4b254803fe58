//! What both engines are asked.

use super::report::Answers;
use crate::run_mantissa::run_mantissa;
use crate::semantics_corpus::cases_in_one_lake;
use anyhow::{Context, ensure};
use chrono::NaiveDate;
use futures::future::BoxFuture;
use mantissa_embedded::query_engine::DataFusionEngine;
use mantissa_generators::{DemoDay, DemoDayOptions};
use mantissa_ports::memory::MemorySecretStore;
use mantissa_tests::trino::{CATALOG, Cluster, ClusterFolder};
use mantissa_tests::workspace_root;
use mantissa_trino::{TrinoConfig, TrinoQueryEngine};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The embedded engine's answers and Trino's; `None`, and the reason printed, where the logs are not on this machine.
type Asked = anyhow::Result<Option<(Answers, Answers)>>;

pub(super) struct Suite {
    pub(super) name: &'static str,
    pub(super) ask: for<'a> fn(&'a Cluster) -> BoxFuture<'a, Asked>,
}

pub(super) const SUITES: &[Suite] = &[
    // What the dialect's functions, casts and operators give.
    Suite { name: "expressions", ask: |cluster| Box::pin(ask_expressions(cluster)) },
    // Every rule of the corpus over the events of all its cases.
    Suite { name: "semantics", ask: |cluster| Box::pin(async { ask_corpus(cluster).map(Some) }) },
    // The rules in `rules/` over the demo's day, over its second half, and the views' rows of that day.
    Suite { name: "demo", ask: |cluster| Box::pin(async { ask_demo(cluster).map(Some) }) },
    // 57 rules of SigmaHQ over recorded attacks.
    Suite { name: "invictus", ask: |cluster| Box::pin(async { ask_recorded(cluster, "invictus") }) },
    Suite { name: "stratus", ask: |cluster| Box::pin(async { ask_recorded(cluster, "stratus") }) },
];

async fn ask_expressions(cluster: &Cluster) -> Asked {
    let text = std::fs::read_to_string(workspace_root().join("services/platform/sql/dialect/expressions.tsv"))?;
    let embedded = DataFusionEngine::with_batches(&HashMap::new())?;
    let config = TrinoConfig { catalog: CATALOG.to_owned(), ..TrinoConfig::new(cluster.url.parse()?) };
    let trino = TrinoQueryEngine::new(config, Arc::new(MemorySecretStore::default()))?;
    let (mut ours, mut theirs) = (Answers::new(), Answers::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let expression = line.split('\t').nth(1).context("a line without an expression")?;
        let sql = format!("SELECT {expression}");
        let told = embedded.collect(&sql).await.map(|(_, rows, _)| rows);
        ours.insert(expression.to_owned(), joined(told.map_err(|error| error.to_string())));
        let told = trino.collect(&sql).await.map(|output| output.rows);
        theirs.insert(expression.to_owned(), joined(told.map_err(|error| error.to_string())));
    }
    Ok(Some((ours, theirs)))
}

fn joined(told: Result<Vec<Vec<Option<String>>>, String>) -> String {
    let row = |row: &Vec<Option<String>>| {
        row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join("|")
    };
    told.map_or_else(|error| format!("fails: {error}"), |rows| rows.iter().map(row).collect::<Vec<_>>().join("; "))
}

fn ask_corpus(cluster: &Cluster) -> anyhow::Result<(Answers, Answers)> {
    let lake = Lake::new(cluster)?;
    let rules = lake.folder.path().join("rules");
    std::fs::create_dir(&rules)?;
    for case in cases_in_one_lake() {
        std::fs::write(rules.join(format!("{}.yml", case.name)), &case.rule)?;
        let mut lines = String::new();
        for event in &case.events {
            lines.push_str(&serde_json::to_string(event)?);
            lines.push('\n');
        }
        let folder = lake.folder.path().join("logs").join(case.source.as_str());
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("{}.json", case.name)), lines)?;
    }
    for folder in std::fs::read_dir(lake.folder.path().join("logs"))? {
        let folder = folder?.path();
        let source = folder.file_name().and_then(|name| name.to_str()).context("a folder without a name")?.to_owned();
        lake.run(&["ingest", "--source", &source, shown(&folder)?])?;
    }
    lake.register()?;
    lake.detect("", &rules, &[])
}

fn ask_demo(cluster: &Cluster) -> anyhow::Result<(Answers, Answers)> {
    let lake = Lake::new(cluster)?;
    let logs = lake.folder.path().join("logs");
    let date = NaiveDate::from_ymd_opt(2026, 11, 20).context("a date")?;
    for object in DemoDay::generate(7, date, DemoDayOptions { delivery_minutes: 120, ..DemoDayOptions::default() }) {
        let path = logs.join(&object.key);
        std::fs::create_dir_all(path.parent().context("an object without a folder")?)?;
        std::fs::write(path, &object.bytes)?;
    }
    lake.run(&["ingest", shown(&logs)?])?;
    lake.register()?;
    let rules = workspace_root().join("rules");
    let (mut ours, mut theirs) = lake.detect("", &rules, &[])?;
    let half = ["--from", "2026-11-20T12:00:00Z", "--to", "2026-11-21T00:00:00Z"];
    for (all, half) in [&mut ours, &mut theirs].into_iter().zip(<[Answers; 2]>::from(lake.detect(
        "second half of the day: ",
        &rules,
        &half,
    )?)) {
        all.extend(half);
    }
    for view in ["normalized_auth_view", "normalized_network"] {
        let sql = format!("SELECT * FROM {view} WHERE year = '2026' AND month = '11' AND day = '20'");
        for (answers, engine) in [(&mut ours, "embedded"), (&mut theirs, "trino")] {
            let told = lake.ask(engine, &["query", "--max-rows", "1000000", &sql])?;
            let mut rows = told["rows"].as_array().context("a result without rows")?.clone();
            // What every run has its own of.
            for row in rows.iter_mut().filter_map(Value::as_object_mut) {
                row.retain(|column, _| column != "source_object" && column != "ingested_at");
            }
            let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
            ensure!(!rows.is_empty(), "{view} has no rows");
            answers.insert(format!("rows of {view}"), format!("{} rows, {}", rows.len(), digest_of(rows)));
        }
    }
    Ok((ours, theirs))
}

fn ask_recorded(cluster: &Cluster, set: &str) -> Asked {
    let Some(shared) = mantissa_tests::shared_data() else { return Ok(None) };
    let lake = Lake::new(cluster)?;
    lake.run(&["ingest", shown(&shared.join("cloudtrail").join(set))?])?;
    lake.register()?;
    lake.detect("", &shared.join("rules/sigma_aws"), &[]).map(Some)
}

/// An installation whose lake the cluster reads too.
struct Lake {
    folder: ClusterFolder,
}

impl Lake {
    fn new(cluster: &Cluster) -> anyhow::Result<Self> {
        let folder = cluster.new_folder();
        for engine in ["embedded", "trino"] {
            let config = format!(
                "[query]\nengine = '{engine}'\n[query.trino]\nurl = '{}'\ncatalog = '{CATALOG}'\nschema = '{}'\n\
                 location = '{}/installation/lake'\n",
                cluster.url, folder.schema, folder.location
            );
            std::fs::write(folder.path().join(format!("{engine}.toml")), config)?;
        }
        Ok(Self { folder })
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        run_mantissa(self.folder.path(), arguments)
    }

    fn ask(&self, engine: &str, arguments: &[&str]) -> anyhow::Result<Value> {
        let config = self.folder.path().join(format!("{engine}.toml"));
        self.run(&[&["--config", shown(&config)?], arguments].concat())
    }

    /// As an operator does, with the comparison that the command makes.
    fn register(&self) -> anyhow::Result<()> {
        let told = self.ask("embedded", &["lake", "register", "--trino"])?;
        let compared = told["compared"].as_array().context("nothing was compared")?;
        let is_same = |compared: &Value| compared["n_rows_here"] == compared["n_rows_there"];
        ensure!(!compared.is_empty() && compared.iter().all(is_same), "{told}");
        Ok(())
    }

    /// What each rule finds, by title.
    fn detect(&self, prefix: &str, rules: &Path, bounds: &[&str]) -> anyhow::Result<(Answers, Answers)> {
        let answers = |engine: &str| -> anyhow::Result<Answers> {
            let detected = self.ask(engine, &[&["detect", "--rules", shown(rules)?], bounds].concat())?;
            let rules = detected.as_array().context("no list of rules")?;
            let titled = rules.iter().map(|rule| (format!("{prefix}{}", text(&rule["title"])), found_by(rule)));
            let answers: Answers = titled.collect();
            ensure!(answers.len() == rules.len(), "two rules have the same title");
            Ok(answers)
        };
        Ok((answers("embedded")?, answers("trino")?))
    }
}

fn found_by(rule: &Value) -> String {
    match rule["error"].as_str() {
        Some(error) => format!("fails: {error}"),
        None if rule["n_matches"] == 0 && rule["n_groups"] == 0 => "nothing".to_owned(),
        None => {
            let ids: String = text(&rule["event_ids_sha256"]).chars().take(12).collect();
            format!("{} events of {} keys, {ids}", rule["n_matches"], rule["n_groups"])
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn digest_of(mut rows: Vec<String>) -> String {
    rows.sort();
    Sha256::digest(rows.join("\n").as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn shown(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", PathBuf::from(path).display()))
}
