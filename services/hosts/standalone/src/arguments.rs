//! The command line's grammar, and its help.

use crate::output::Format;
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   done, and something is not as it should be (rule problems, failed tests, quarantined records)
  2   wrong arguments, configuration or file; nothing was done
  3   another process holds the data directory
  4   what was named is not there
  10  something else failed

First steps:
  mantissa demo                          see it work on sample logs
  mantissa config init                   write mantissa.toml to edit
  mantissa ingest logs/ --source auto    read your own logs into the lake
  mantissa detect --rules rules          judge everything in the lake once
  mantissa up                            run every service: watch, judge, alert, deliver";

/// What logs can be said to be.
const SOURCES: [&str; 5] = ["auto", "cloudtrail", "vpc_flow", "guardduty", "application"];

#[derive(Debug, Parser)]
#[command(name = "mantissa", version, about = "An open, self-hosted SIEM on a data lake", after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Where the lake, the queues and the state are
    #[arg(long, global = true, env = "MANTISSA_DATA", default_value = "mantissa-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The configuration file; default `mantissa.toml` in the current folder, where there is one
    #[arg(long, global = true, env = "MANTISSA_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value = "table")]
    pub(crate) format: Format,
    /// Which log lines are shown, as in `info,mantissa_dedup=debug`
    #[arg(long, global = true, env = "MANTISSA_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every service until interrupted
    Up,
    /// Make a day of sample logs with attacks in it, run everything on it, and show the alerts
    Demo(DemoArguments),
    /// Read raw logs into the lake
    Ingest(IngestArguments),
    /// See what could not be read, and try it again
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// See how full the lake is, and merge its small files
    #[command(subcommand)]
    Lake(LakeCommand),
    /// Judge rules once over what is in the lake
    Detect(DetectArguments),
    /// Check, test and show rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Run one SQL query over the lake, through the guard
    Query(QueryArguments),
    /// List, show and triage alerts
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// Look into dead-letter queues and replay from them
    #[command(subcommand)]
    Dlq(DlqCommand),
    /// See what became of an alert's notifications
    #[command(subcommand)]
    Deliveries(DeliveriesCommand),
    /// Write or check the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Store secrets that destinations name
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Another seed gives another day
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Stop once the sample day was judged and its alerts delivered
    #[arg(long)]
    pub(crate) once: bool,
    /// Where the status page is served
    #[arg(long, default_value = "127.0.0.1:7373")]
    pub(crate) bind: std::net::SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct IngestArguments {
    /// Files, or folders to read with everything below them
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// What the logs are
    #[arg(long, default_value = "auto", value_parser = SOURCES)]
    pub(crate) source: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List what could not be read, with its place and the reason
    List,
    /// Read every quarantined piece again from its original file: after an upgrade, or as another source
    Reingest {
        /// What the logs are; default: what they were taken for
        #[arg(long, value_parser = SOURCES)]
        source: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LakeCommand {
    /// Files, bytes and days of each table
    Show,
    /// Merge small files, as the services do by themselves every hour
    Compact {
        /// Only this table
        #[arg(long)]
        table: Option<String>,
        /// Leave files alone that are younger than this
        #[arg(long, value_name = "MINUTES")]
        min_age_minutes: Option<u32>,
    },
    /// Make the tables and views known to a query engine beside this process
    ///
    /// Tables that are there keep what they are: columns that a new version brought are added. At the end the newest day of
    /// each table is counted on both sides, so that a cluster which reads another folder is found out.
    Register {
        /// The Trino cluster that [query.trino] in the configuration names
        #[arg(long, required = true)]
        trino: bool,
        /// Make tables anew that cannot be mended by adding columns; their files stay
        #[arg(long)]
        replace: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DetectArguments {
    /// Rule files, or folders of them
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    /// Only events at or after this time (RFC 3339)
    #[arg(long)]
    pub(crate) from: Option<DateTime<Utc>>,
    /// Only events before this time (RFC 3339)
    #[arg(long)]
    pub(crate) to: Option<DateTime<Utc>>,
    /// Add the ids of the matching events
    #[arg(long)]
    pub(crate) events: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Say what is wrong with rule files, with line and column
    Lint { paths: Vec<PathBuf> },
    /// Run the tests inside rule files on the real engine
    Test { paths: Vec<PathBuf> },
    /// List rules
    List { paths: Vec<PathBuf> },
    /// Show the SQL a rule becomes
    ShowSql { path: PathBuf },
    /// Show which judged windows cover a span of ingestion time, and where there is a gap
    Prove {
        rule: String,
        #[arg(long)]
        from: DateTime<Utc>,
        #[arg(long)]
        to: DateTime<Utc>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct QueryArguments {
    /// One Trino SELECT
    pub(crate) sql: String,
    /// Rows at most; a longer result is an error, not cut
    #[arg(long, default_value_t = 1000)]
    pub(crate) max_rows: u64,
    /// Read this many days back where the query itself names no span of event dates
    #[arg(long, default_value_t = 7)]
    pub(crate) days: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// List alerts, newest first
    List {
        #[arg(long)]
        status: Option<StatusArgument>,
        /// This severity or a higher one
        #[arg(long, value_parser = ["info", "low", "medium", "high", "critical"])]
        severity: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Show one alert with its context, evidence and deliveries
    Show { alert: String },
    /// Acknowledge an alert
    Ack { alert: String },
    /// Close an alert with a verdict
    Close {
        alert: String,
        #[arg(long)]
        verdict: VerdictArgument,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum StatusArgument {
    Open,
    Acknowledged,
    Closed,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum VerdictArgument {
    TruePositive,
    Benign,
    FalsePositive,
    Duplicate,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DlqCommand {
    /// List dead messages, grouped by queue and reason
    List {
        #[arg(long)]
        queue: Option<String>,
    },
    /// Show one dead message whole
    Show { dead: String },
    /// Put dead messages back on their queue
    Replay {
        /// One message
        #[arg(conflicts_with = "queue")]
        dead: Option<String>,
        /// Every message of one queue
        #[arg(long)]
        queue: Option<String>,
        /// Only say what would be replayed, and whether today's code can read it
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveriesCommand {
    /// Say what was decided about each notification of an alert, and why
    Why { alert: String },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Write a commented mantissa.toml
    Init {
        #[arg(default_value = "mantissa.toml")]
        path: PathBuf,
    },
    /// Check the configuration, the rules and the destinations' secrets
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Store a secret; its value is read from standard input
    Set { name: String },
    /// List names, never values
    List,
    /// Remove a secret
    Remove { name: String },
}
