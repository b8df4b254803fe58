//! One notification through its stages: claim → mute → render → send → record.

use crate::NotifierDeps;
use crate::claim::{claim, delivery_key};
use crate::destinations::Endpoint;
use crate::limit_rate::RateLimiter;
use crate::mute::{Ruling, earlier_provider_ids, mute};
use crate::plan_next::{Next, plan_next};
use crate::record::{dead, not_yet, record};
use crate::send::{Prepared, send};
use async_trait::async_trait;
use chrono::TimeDelta;
use mantissa_contracts::Envelope;
use mantissa_contracts::ids::DeliveryId;
use mantissa_contracts::messages::{AttemptOutcome, DeliveryState, DestinationType, Intent, NotificationRequested};
use mantissa_contracts::time::Instant;
use mantissa_ports::PortError;
use mantissa_ports::stores::{ClaimOutcome, DeliveryRecord, Destination};
use mantissa_runtime::handler::{Handled, Handler, HandlerError};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Handles the notifications of every destination type; deployed once a type, for each has a queue of its own.
pub struct NotificationHandler {
    deps: NotifierDeps,
    limiter: RateLimiter,
    n_claims: AtomicU64,
}

impl NotificationHandler {
    pub fn new(deps: NotifierDeps) -> Self {
        Self { deps, limiter: RateLimiter::default(), n_claims: AtomicU64::new(0) }
    }

    async fn prepare(&self, request: &NotificationRequested) -> Result<Prepared, HandlerError> {
        let destination = self.deps.destinations.get(&request.destination_id).await?;
        let endpoint = match &destination {
            Some(destination) if destination.enabled => {
                Some(Endpoint::load(destination, request.destination_type, self.deps.secrets.as_ref()).await)
            }
            _ => None,
        };
        let (mut ruled, mut earlier_ids) = (None, BTreeMap::new());
        if request.intent != Intent::Open {
            // The alert is read before its deliveries: an opening claimed later then sees it as closed.
            let Some(alert) = self.deps.alerts.get(&request.alert_id).await? else {
                return Err(HandlerError::permanent(format!("there is no alert `{}`", request.alert_id)));
            };
            let earlier = self.deps.deliveries.for_alert(&request.alert_id).await?;
            let ruling = mute(request, &alert.alert, destination.as_ref(), &earlier, self.deps.clock.now());
            ruled = Some((ruling, alert));
            earlier_ids = earlier_provider_ids(request, &earlier);
        }
        Ok(Prepared { destination, endpoint, ruled, earlier_ids })
    }

    /// How far apart messages to one channel are.
    fn interval(&self, destination_type: DestinationType) -> Option<Duration> {
        match destination_type {
            DestinationType::Slack => Some(self.deps.config.slack_interval),
            DestinationType::Webhook => self.deps.config.webhook_interval,
            // Whoever sends the mails says when it is too much.
            DestinationType::Email => None,
        }
    }

    async fn disable_if_gone(&self, destination: &Destination, reason: &str) {
        if let Err(error) = self.disable(destination, reason).await {
            // It stays enabled; the next delivery is told again that it is gone.
            tracing::warn!(destination.id = %destination.destination_id, "destination is gone and not disabled: {error}");
        }
    }

    async fn disable(&self, destination: &Destination, reason: &str) -> Result<(), PortError> {
        // Read again, so as not to undo what a person changed meanwhile.
        let current = self.deps.destinations.get(&destination.destination_id).await?;
        let Some(current) = current.filter(|current| current.enabled && current.settings == destination.settings)
        else {
            return Ok(());
        };
        let disabled = Destination { enabled: false, disabled_reason: Some(format!("gone: {reason}")), ..current };
        self.deps.destinations.put(&disabled).await
    }

    async fn try_once(
        &self,
        request: &NotificationRequested,
        delivery: &DeliveryRecord,
        prepared: &Prepared,
        owner: &str,
        traceparent: Option<&str>,
    ) -> Handled {
        let started_at = self.deps.clock.now();
        let tried = send(&self.deps, request, delivery, prepared).await;
        let now = self.deps.clock.now();
        let next = plan_next(delivery, &tried.judgement, tried.severity, now);
        if let (AttemptOutcome::Throttled, Next::Again { at, .. }) = (tried.judgement.outcome, &next)
            && let Some(Ok(endpoint)) = &prepared.endpoint
        {
            self.limiter.pause(endpoint.channel(), *at);
        }
        let handled = record(&self.deps, delivery, owner, &tried, &next, started_at, traceparent).await;
        if let (AttemptOutcome::Gone, Some(destination)) = (tried.judgement.outcome, &prepared.destination) {
            self.disable_if_gone(destination, &tried.judgement.reason).await;
        }
        handled
    }

    /// `Err` is when this delivery may be sent to its channel.
    fn turn(&self, prepared: &Prepared, delivery: DeliveryId, now: Instant) -> Result<(), Instant> {
        let Some(Ok(endpoint)) = &prepared.endpoint else { return Ok(()) };
        if matches!(prepared.ruled, Some((Ruling::Suppress(_), _))) {
            return Ok(());
        }
        // Without a limit of its own a channel is still paused when its receiver asks for it.
        let interval = self.interval(endpoint.destination_type()).unwrap_or_default();
        self.limiter.take(endpoint.channel(), delivery, interval, now)
    }
}

#[async_trait]
impl Handler for NotificationHandler {
    type Message = NotificationRequested;

    async fn handle(&self, envelope: &Envelope<NotificationRequested>) -> Handled {
        let request = &envelope.data;
        let key = delivery_key(request);
        let prepared = self.prepare(request).await?;
        let now = self.deps.clock.now();
        if let Some((Ruling::Wait { until }, _)) = &prepared.ruled {
            // A try takes seconds mostly, the lease allows for the worst.
            let until = (*until).min(now + TimeDelta::seconds(5));
            return not_yet(now, until, "another notification of the alert is being sent to this destination");
        }
        if let Err(turn) = self.turn(&prepared, key.delivery_id(), now) {
            return not_yet(now, turn, "rate_limited: other notifications to this channel go first");
        }
        let owner = format!("{}#{}", self.deps.config.owner, self.n_claims.fetch_add(1, Ordering::Relaxed));
        match claim(&self.deps, request, &key, &owner, now).await? {
            ClaimOutcome::Claimed(delivery) => {
                self.try_once(request, &delivery, &prepared, &owner, envelope.traceparent.as_deref()).await
            }
            ClaimOutcome::Busy { until } => not_yet(now, until, "another worker is sending it"),
            ClaimOutcome::Waiting { until } => not_yet(now, until, "its next try is not due"),
            ClaimOutcome::Final(delivery) if delivery.state == DeliveryState::Dead => {
                let reason = delivery.attempts.last().map_or("no try was recorded", |attempt| &attempt.reason);
                Err(dead(&delivery, reason))
            }
            // Its messages went out with the record; there is nothing left to publish.
            ClaimOutcome::Final(_) => Ok(Vec::new()),
        }
    }
}
