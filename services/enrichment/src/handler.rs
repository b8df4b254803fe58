//! Enriches an alert that changed and asks for its notifications.

use crate::gather_context::gather_context;
use crate::request_notifications::request_notifications;
use crate::{EnrichmentDeps, Error};
use async_trait::async_trait;
use mantissa_contracts::messages::{
    AlertClosed, AlertEnriched, AlertOpened, AlertSnapshot, AlertUpdateReason, AlertUpdated,
};
use mantissa_contracts::{Envelope, Message};
use mantissa_domain::notify::AlertChange;
use mantissa_ports::Outgoing;
use mantissa_runtime::{Handled, Handler, trace_context};

pub struct OpenedHandler(pub EnrichmentDeps);
pub struct UpdatedHandler(pub EnrichmentDeps);
pub struct ClosedHandler(pub EnrichmentDeps);

#[async_trait]
impl Handler for OpenedHandler {
    type Message = AlertOpened;

    async fn handle(&self, envelope: &Envelope<AlertOpened>) -> Handled {
        enrich(&self.0, &envelope.data.alert, AlertChange::Opened).await?;
        Ok(Vec::new())
    }
}

#[async_trait]
impl Handler for UpdatedHandler {
    type Message = AlertUpdated;

    async fn handle(&self, envelope: &Envelope<AlertUpdated>) -> Handled {
        match envelope.data.reason {
            // The key, and so the entities, are those the alert was opened with.
            AlertUpdateReason::MatchAttached | AlertUpdateReason::Acknowledged => {}
            reason @ AlertUpdateReason::SeverityRaised => {
                enrich(&self.0, &envelope.data.alert, AlertChange::Updated(reason)).await?;
            }
        }
        Ok(Vec::new())
    }
}

#[async_trait]
impl Handler for ClosedHandler {
    type Message = AlertClosed;

    async fn handle(&self, envelope: &Envelope<AlertClosed>) -> Handled {
        enrich(&self.0, &envelope.data.alert, AlertChange::Closed).await?;
        Ok(Vec::new())
    }
}

/// The context and every message about it become durable together.
async fn enrich(deps: &EnrichmentDeps, alert: &AlertSnapshot, change: AlertChange) -> Result<(), Error> {
    let context = gather_context(deps, alert).await?;
    let mut outgoing = vec![wrap(deps, AlertEnriched { alert: alert.clone(), context: context.clone() })?];
    for request in request_notifications(deps, alert, change).await? {
        outgoing.push(wrap(deps, request)?);
    }
    match deps.alerts.set_context(&alert.alert_id, &context, &outgoing).await? {
        true => Ok(()),
        false => Err(Error::AlertMissing { alert: alert.alert_id.to_string() }),
    }
}

fn wrap<M: Message>(deps: &EnrichmentDeps, message: M) -> Result<Outgoing, Error> {
    Ok(Outgoing::new(&Envelope::new("enrichment", deps.clock.now(), trace_context::current(), message))?)
}
