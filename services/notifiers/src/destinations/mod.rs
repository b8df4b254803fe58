//! The kinds of destinations. Each has the same files: `config` (settings and secrets), `message` (an alert as it
//! shows there), `send` (the request and what its answer means).

pub(crate) mod email;
mod read_settings;
pub(crate) mod slack;
pub(crate) mod webhook;

use crate::error::{RenderError, UnusableDestination};
use crate::render::{Notification, Rung};
use crate::retry::Judgement;
use crate::{HttpSender, OutboundMail};
use email::EmailEndpoint;
use mantissa_contracts::ids::{AlertId, DeliveryId};
use mantissa_contracts::messages::DestinationType;
use mantissa_contracts::time::Instant;
use mantissa_ports::SecretStore;
use mantissa_ports::stores::Destination;
use read_settings::Settings;
use slack::SlackEndpoint;
use std::collections::BTreeMap;
use url::Url;
use webhook::WebhookEndpoint;

/// A destination with its secrets loaded. Has no `Debug`: it holds them.
pub(crate) enum Endpoint {
    Slack(SlackEndpoint),
    Webhook(WebhookEndpoint),
    Email(EmailEndpoint),
}

/// What a try needs beside the message.
pub(crate) struct Sending<'a> {
    pub(crate) http: &'a HttpSender,
    pub(crate) mail: Option<&'a OutboundMail>,
    pub(crate) alert_id: AlertId,
    /// The same on every try: what receivers tell repetitions by.
    pub(crate) delivery_id: DeliveryId,
    /// The provider's ids of earlier deliveries of this alert to this destination.
    pub(crate) earlier_ids: &'a BTreeMap<String, String>,
    /// What is known from earlier tries of this very delivery.
    pub(crate) tried_ids: &'a BTreeMap<String, String>,
    pub(crate) now: Instant,
}

impl Endpoint {
    pub(crate) async fn load(
        destination: &Destination,
        requested: DestinationType,
        secrets: &dyn SecretStore,
    ) -> Result<Self, UnusableDestination> {
        if destination.destination_type != requested {
            return Err(UnusableDestination::OtherType {
                actual: destination.destination_type.to_string(),
                requested: requested.to_string(),
            });
        }
        let settings = Settings { values: &destination.settings, secrets };
        Ok(match destination.destination_type {
            DestinationType::Slack => Self::Slack(SlackEndpoint::load(&settings).await?),
            DestinationType::Webhook => Self::Webhook(WebhookEndpoint::load(&settings).await?),
            DestinationType::Email => Self::Email(EmailEndpoint::load(&settings)?),
        })
    }

    /// Settings that a type knows; one that ends in a dot is the start of many.
    pub(crate) fn known_settings(destination_type: DestinationType) -> &'static [&'static str] {
        match destination_type {
            DestinationType::Slack => slack::SETTINGS,
            DestinationType::Webhook => webhook::SETTINGS,
            DestinationType::Email => email::SETTINGS,
        }
    }

    /// Where requests go; mails go where the deployment's own settings say.
    pub(crate) fn url(&self) -> Option<&Url> {
        match self {
            Self::Slack(slack) => Some(slack.url()),
            Self::Webhook(webhook) => Some(webhook.url()),
            Self::Email(_) => None,
        }
    }

    pub(crate) fn destination_type(&self) -> DestinationType {
        match self {
            Self::Slack(_) => DestinationType::Slack,
            Self::Webhook(_) => DestinationType::Webhook,
            Self::Email(_) => DestinationType::Email,
        }
    }

    /// What shares one rate limit: type, credential (by the secret's name) and channel.
    pub(crate) fn channel(&self) -> &str {
        match self {
            Self::Slack(slack) => slack.channel(),
            Self::Webhook(webhook) => webhook.channel(),
            Self::Email(email) => email.channel(),
        }
    }

    /// The message as JSON, or why it does not fit at this rung.
    pub(crate) fn message(&self, notification: &Notification<'_>, rung: Rung) -> Result<Vec<u8>, RenderError> {
        match self {
            Self::Slack(slack) => slack.message(notification, rung),
            Self::Webhook(_) => webhook::message::write(notification, rung),
            Self::Email(email) => email.message(notification, rung),
        }
    }

    pub(crate) async fn send(&self, body: &[u8], sending: &Sending<'_>) -> Judgement {
        match self {
            Self::Slack(slack) => slack.send(body, sending).await,
            Self::Webhook(webhook) => webhook.send(body, sending).await,
            Self::Email(email) => email.send(body, sending).await,
        }
    }
}
