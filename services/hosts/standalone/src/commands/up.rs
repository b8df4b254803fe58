//! `mantissa up`: every service, until interrupted.

use super::Invocation;
use crate::installation::lock;
use crate::load_rules::activate;
use crate::output;
use crate::run_services::{Services, interrupted};
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let lock = lock(&invocation.data)?;
    let installation = Arc::new(invocation.open()?);
    installation.sync_destinations().await?;
    let n_rules = activate(&installation).await?;
    let watch = installation.config.ingest.watch.clone();
    let mut services = Services::start(installation.clone(), &lock, watch, false).await?;
    let address = services.address.unwrap_or(installation.config.server.bind);
    output::note(&format!("{n_rules} rules in force, status page at http://{address}"));
    let failure = tokio::select! {
        asked = interrupted() => { asked?; None }
        failure = services.failed() => Some(failure),
    };
    output::note("stopping: finishing what is in hand");
    services.stop().await;
    failure.map_or(Ok(ExitCode::SUCCESS), Err)
}
