//! `mantissa deliveries why`: what was decided about each notification.

use super::Invocation;
use super::alerts::find_alert;
use crate::arguments::DeliveriesCommand;
use crate::output::{self, Format};
use mantissa_notifiers::explain;
use std::process::ExitCode;

pub(crate) async fn run(invocation: &Invocation, command: DeliveriesCommand) -> anyhow::Result<ExitCode> {
    let DeliveriesCommand::Why { alert } = command;
    let alert_id = find_alert(invocation, &alert).await?;
    let deliveries = invocation.open()?.deliveries.for_alert(&alert_id).await?;
    match invocation.format {
        Format::Json => output::json(&deliveries)?,
        Format::Table if deliveries.is_empty() => {
            output::line(
                "no notification was asked for: no destination is configured, or the alert is still on its way",
            );
        }
        Format::Table => {
            for delivery in &deliveries {
                explain(delivery).iter().for_each(|text| output::line(&output::printable(text)));
                output::line("");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
