//! The command line.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bench {
    Ingest,
    Detect,
    Pipeline,
}

#[derive(Debug, Parser)]
#[command(name = "mantissa-bench", about = "Measures ingest, detect and the alert pipeline on this machine")]
pub(crate) struct Arguments {
    /// Only these; by default all three
    #[arg(value_enum)]
    pub(crate) benches: Vec<Bench>,
    /// Events in the lake that the rules are run over
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) events: u64,
    /// Events of the ingest bench
    #[arg(long, default_value_t = 200_000)]
    pub(crate) ingest_events: u64,
    /// Matches sent through the pipeline, for each of its variants
    #[arg(long, default_value_t = 10_000)]
    pub(crate) matches: u64,
    /// Rules to run; by default the Sigma rules of the shared data, or else our own
    #[arg(long)]
    pub(crate) rules: Vec<PathBuf>,
    /// Where logs of real accounts and public rules are
    #[arg(long, env = "MANTISSA_SHARED_DATA", default_value = "../shared/data")]
    pub(crate) shared_data: PathBuf,
    /// A Python with the packages of loadtest/requirements.txt; without it there is no comparison with DuckDB
    #[arg(long)]
    pub(crate) python: Option<PathBuf>,
    /// The script that runs the rules in DuckDB
    #[arg(long, default_value = "loadtest/run_duckdb.py")]
    pub(crate) duckdb_script: PathBuf,
    #[arg(long, default_value = "loadtest/budgets.toml")]
    pub(crate) budgets: PathBuf,
    /// Folder of the report and of the generated logs
    #[arg(long, default_value = "target/bench")]
    pub(crate) out: PathBuf,
    /// How often each timed run of rules is repeated; the fastest counts
    #[arg(long, default_value_t = 3)]
    pub(crate) repeat: usize,
    /// The lake made by an earlier run with as many events is used again
    #[arg(long)]
    pub(crate) keep_lake: bool,
    /// Leave out the comparison with rsigma-eval
    #[arg(long)]
    pub(crate) without_rsigma: bool,
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
}

impl Arguments {
    pub(crate) fn runs(&self, bench: Bench) -> bool {
        self.benches.is_empty() || self.benches.contains(&bench)
    }

    /// The rules, and what they are called in the report.
    pub(crate) fn rules(&self) -> (Vec<PathBuf>, String) {
        if !self.rules.is_empty() {
            return (self.rules.clone(), "rules given".to_owned());
        }
        let sigma = self.shared_data.join("rules/sigma_aws");
        if sigma.is_dir() {
            (vec![sigma], "public Sigma rules".to_owned())
        } else {
            let why = format!("our own rules, because {} is not there", sigma.display());
            (vec![PathBuf::from("rules/cloudtrail")], why)
        }
    }
}
