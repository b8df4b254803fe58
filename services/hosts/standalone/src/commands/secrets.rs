//! `mantissa secrets`: values go in and never come out.

use super::Invocation;
use crate::arguments::SecretsCommand;
use crate::exit::{bad_input, not_found};
use crate::output::{self, Format};
use mantissa_ports::Secret;
use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

pub(crate) async fn run(invocation: &Invocation, command: SecretsCommand) -> anyhow::Result<ExitCode> {
    let secrets = invocation.open()?.secrets;
    match command {
        SecretsCommand::Set { name } => {
            if std::io::stdin().is_terminal() {
                output::note("type the value, then Ctrl-D");
            }
            let mut value = String::new();
            std::io::stdin().read_to_string(&mut value).map_err(|e| bad_input(format!("read the value: {e}")))?;
            let value = value.trim_end_matches(['\r', '\n']);
            if value.is_empty() {
                return Err(bad_input("the value is empty"));
            }
            secrets.put(&name, &Secret::new(value)).await?;
            output::note(&format!("stored `{name}`"));
        }
        SecretsCommand::List => {
            let names = secrets.names().await?;
            match invocation.format {
                Format::Json => output::json(&names)?,
                Format::Table => names.iter().for_each(|name| output::line(name)),
            }
        }
        SecretsCommand::Remove { name } => {
            if !secrets.remove(&name).await? {
                return Err(not_found(format!("no secret `{name}`")));
            }
            output::note(&format!("removed `{name}`"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
