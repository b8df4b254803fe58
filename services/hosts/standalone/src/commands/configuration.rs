//! `mantissa config`: write it, check it.

use super::Invocation;
use crate::arguments::ConfigCommand;
use crate::exit::{FOUND_PROBLEMS, bad_input};
use crate::load_rules::load;
use crate::output::{self, Format};
use mantissa_detection::ProblemSeverity;
use mantissa_notifiers::check_destination;
use mantissa_runtime::config::TEMPLATE;
use serde_json::json;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

pub(crate) async fn run(invocation: &Invocation, command: ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Init { path } => init(&path),
        ConfigCommand::Check => check(invocation).await,
    }
}

fn init(path: &Path) -> anyhow::Result<ExitCode> {
    let written = std::fs::File::create_new(path).and_then(|mut file| file.write_all(TEMPLATE.as_bytes()));
    written.map_err(|e| bad_input(format!("{}: {e}", path.display())))?;
    output::note(&format!("wrote {}: edit it, then `mantissa config check`", path.display()));
    Ok(ExitCode::SUCCESS)
}

/// The file itself was read before the command ran: what is wrong in it has been said.
async fn check(invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let mut problems: Vec<String> = Vec::new();
    let config = &invocation.config;
    let n_rules = match load(&config.rules.paths) {
        Ok(loaded) => {
            let errors = loaded.problems.iter().filter(|problem| problem.severity == ProblemSeverity::Error);
            problems.extend(errors.map(ToString::to_string));
            loaded.rules.len()
        }
        Err(error) => {
            problems.push(format!("{error:#}"));
            0
        }
    };
    for folder in config.ingest.watch.iter().filter(|folder| !folder.is_dir()) {
        problems.push(format!("ingest.watch: {} is not a folder", folder.display()));
    }
    let installation = invocation.open()?;
    problems.extend(installation.enrichment().err().map(|e| format!("{e:#}")));
    problems.extend(installation.notifier(false).err().map(|e| format!("{e:#}")));
    problems.extend(installation.trace_export().await.err().map(|e| format!("{e:#}")));
    if let Some(name) = config.mail.as_ref().and_then(|mail| mail.smtp.as_ref()?.password_secret.as_ref())
        && installation.secrets.get(name).await?.is_none()
    {
        problems.push(format!("mail.smtp.password_secret: store it with `mantissa secrets set {name}`"));
    }
    let policy = installation.address_policy(false);
    for destination in config.destinations() {
        let found = check_destination(&destination, installation.secrets.as_ref(), policy).await;
        problems.extend(found.iter().map(|problem| format!("destination `{}`: {problem}", destination.destination_id)));
    }
    match invocation.format {
        Format::Json => output::json(&json!({ "n_rules": n_rules, "problems": problems }))?,
        Format::Table => {
            let shown =
                invocation.config_path.as_ref().map_or("mantissa.toml".to_owned(), |path| path.display().to_string());
            problems.iter().for_each(|problem| output::line(problem));
            output::line(&format!("{shown}: {n_rules} rules, {} problems", problems.len()));
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND_PROBLEMS) })
}
