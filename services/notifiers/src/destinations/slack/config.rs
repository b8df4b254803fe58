//! Settings of a Slack destination, one of:
//!
//! - `url_secret`: the secret that holds an incoming webhook's URL. It posts to the channel it was made for.
//! - `token_secret` and `channel`: the secret that holds a bot token, and the channel's id. Optionally `api_url`, where
//!   Slack's API is not at its public address.

use crate::destinations::Settings;
use crate::error::{RenderError, UnusableDestination};
use crate::render::{Notification, Rung};
use reqwest::header::HeaderValue;
use serde_json::Value;
use url::Url;

const API_URL: &str = "https://slack.com/api/";

pub(crate) const SETTINGS: &[&str] = &["url_secret", "token_secret", "channel", "api_url"];

pub(crate) struct SlackEndpoint {
    pub(super) access: Access,
    channel: String,
}

pub(super) enum Access {
    Webhook { url: Url },
    Api { post_url: Url, update_url: Url, authorization: HeaderValue, channel: String },
}

impl SlackEndpoint {
    pub(crate) async fn load(settings: &Settings<'_>) -> Result<Self, UnusableDestination> {
        match (settings.get("url_secret"), settings.get("token_secret")) {
            (Some(_), Some(_)) => {
                Err(UnusableDestination::bad_setting("token_secret", "stands beside `url_secret`, give one of them"))
            }
            (None, None) => Err(UnusableDestination::MissingSetting { setting: "url_secret".to_owned() }),
            (Some(name), None) => Ok(Self {
                channel: format!("slack/{name}"),
                access: Access::Webhook { url: settings.secret_url("url_secret").await? },
            }),
            (None, Some(name)) => {
                let channel = settings.required("channel")?.to_owned();
                Ok(Self { channel: format!("slack/{name}/{channel}"), access: api_access(settings, channel).await? })
            }
        }
    }

    pub(crate) fn url(&self) -> &Url {
        match &self.access {
            Access::Webhook { url } => url,
            Access::Api { post_url, .. } => post_url,
        }
    }

    pub(crate) fn channel(&self) -> &str {
        &self.channel
    }

    pub(crate) fn message(&self, notification: &Notification<'_>, rung: Rung) -> Result<Vec<u8>, RenderError> {
        let mut message = super::message::build(notification, rung)?;
        if let Access::Api { channel, .. } = &self.access {
            message.insert("channel".to_owned(), Value::String(channel.clone()));
        }
        Ok(serde_json::to_vec(&message)?)
    }
}

async fn api_access(settings: &Settings<'_>, channel: String) -> Result<Access, UnusableDestination> {
    let token = settings.secret("token_secret").await?;
    let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.expose().trim()))
        .map_err(|_| settings.bad_secret("token_secret", "holds characters that a header cannot"))?;
    authorization.set_sensitive(true);
    let bad_url = || UnusableDestination::bad_setting("api_url", "is not a URL");
    let base = Url::parse(settings.get("api_url").unwrap_or(API_URL)).map_err(|_| bad_url())?;
    let method = |name: &str| base.join(name).map_err(|_| bad_url());
    Ok(Access::Api {
        post_url: method("chat.postMessage")?,
        update_url: method("chat.update")?,
        authorization,
        channel,
    })
}
