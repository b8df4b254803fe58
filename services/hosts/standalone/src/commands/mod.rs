//! One file a command.

mod alerts;
mod configuration;
mod deliveries;
mod demo;
mod detect;
mod dlq;
mod ingest;
mod lake;
mod quarantine;
mod query;
mod register_lake;
mod replay_dead;
mod rules;
mod secrets;
mod up;

use crate::arguments::{Arguments, Command};
use crate::exit::bad_input;
use crate::installation::Installation;
use crate::output::Format;
use clap::CommandFactory as _;
use mantissa_runtime::config::Config;
use mantissa_runtime::telemetry::{self, LogFormat};
use std::path::PathBuf;
use std::process::ExitCode;

/// What every command is given.
pub(crate) struct Invocation {
    pub(crate) data: PathBuf,
    pub(crate) format: Format,
    pub(crate) config: Config,
    pub(crate) config_path: Option<PathBuf>,
}

impl Invocation {
    pub(crate) fn open(&self) -> anyhow::Result<Installation> {
        Installation::open(&self.data, self.config.clone())
    }
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = Config::load(arguments.config.as_deref()).map_err(|e| bad_input(e.to_string()))?;
    let runs_services = matches!(arguments.command, Command::Up);
    let filter = match (&arguments.log, runs_services) {
        (Some(filter), _) => filter.as_str(),
        (None, true) => config.log.filter.as_str(),
        // A command's own output is enough unless something is wrong.
        (None, false) => "warn",
    };
    let log_format = if config.log.json { LogFormat::Json } else { LogFormat::Pretty };
    telemetry::install(log_format, filter).map_err(|e| bad_input(e.to_string()))?;
    let invocation =
        Invocation { data: arguments.data, format: arguments.format, config, config_path: arguments.config };
    match arguments.command {
        Command::Up => up::run(&invocation).await,
        Command::Demo(arguments) => demo::run(&invocation, &arguments).await,
        Command::Ingest(arguments) => ingest::run(&invocation, &arguments).await,
        Command::Quarantine(command) => quarantine::run(&invocation, command).await,
        Command::Lake(command) => lake::run(&invocation, command).await,
        Command::Detect(arguments) => detect::run(&invocation, &arguments).await,
        Command::Rules(command) => rules::run(&invocation, command).await,
        Command::Query(arguments) => query::run(&invocation, &arguments).await,
        Command::Alerts(command) => alerts::run(&invocation, command).await,
        Command::Dlq(command) => dlq::run(&invocation, command).await,
        Command::Deliveries(command) => deliveries::run(&invocation, command).await,
        Command::Config(command) => configuration::run(&invocation, command).await,
        Command::Secrets(command) => secrets::run(&invocation, command).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "mantissa", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}
