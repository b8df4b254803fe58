//! Settings of a webhook:
//!
//! - `url_secret`: the secret that holds the URL; or `url`, the URL itself, if nothing in it is secret.
//! - `signing_secret`: the secret that holds the key, `whsec_` and base64 of at least 24 bytes.
//! - `signing_secret_previous`: a second key to sign with while receivers change over. Optional.
//! - `header.<name>`: a header's value; `header_secret.<name>`: the secret that holds it.

use super::sign::SigningKey;
use crate::destinations::Settings;
use crate::error::UnusableDestination;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

pub(crate) const SETTINGS: &[&str] =
    &["url", "url_secret", "signing_secret", "signing_secret_previous", "header.", "header_secret."];

pub(crate) struct WebhookEndpoint {
    pub(super) url: Url,
    pub(super) keys: Vec<SigningKey>,
    pub(super) headers: HeaderMap,
    channel: String,
}

/// Headers that belong to the connection, to the client or to the signature.
const RESERVED_HEADERS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

impl WebhookEndpoint {
    pub(crate) async fn load(settings: &Settings<'_>) -> Result<Self, UnusableDestination> {
        let (url, credential) = match settings.get("url") {
            Some(_) if settings.get("url_secret").is_some() => {
                return Err(UnusableDestination::bad_setting("url", "stands beside `url_secret`, give one of them"));
            }
            Some(url) => {
                let parsed = Url::parse(url).map_err(|_| UnusableDestination::bad_setting("url", "is not a URL"))?;
                (parsed, url)
            }
            None => (settings.secret_url("url_secret").await?, settings.required("url_secret")?),
        };
        let mut keys = vec![signing_key(settings, "signing_secret").await?];
        if settings.get("signing_secret_previous").is_some() {
            keys.push(signing_key(settings, "signing_secret_previous").await?);
        }
        let channel = format!("webhook/{credential}");
        Ok(Self { url, keys, headers: headers(settings).await?, channel })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn channel(&self) -> &str {
        &self.channel
    }
}

async fn signing_key(settings: &Settings<'_>, setting: &str) -> Result<SigningKey, UnusableDestination> {
    let secret = settings.secret(setting).await?;
    SigningKey::parse(secret.expose()).map_err(|reason| settings.bad_secret(setting, reason))
}

async fn headers(settings: &Settings<'_>) -> Result<HeaderMap, UnusableDestination> {
    let mut headers = HeaderMap::new();
    for (setting, plain) in settings.values {
        let (name, secret) = match (setting.strip_prefix("header."), setting.strip_prefix("header_secret.")) {
            (Some(name), _) => (name, None),
            (_, Some(name)) => (name, Some(settings.secret(setting).await?)),
            (None, None) => continue,
        };
        let name = HeaderName::try_from(name)
            .map_err(|_| UnusableDestination::bad_setting(setting, "does not name a header"))?;
        if RESERVED_HEADERS.contains(&name.as_str()) {
            return Err(UnusableDestination::bad_setting(setting, "names a header that cannot be set"));
        }
        let mut value = HeaderValue::try_from(secret.as_ref().map_or(plain.as_str(), |secret| secret.expose()))
            .map_err(|_| UnusableDestination::bad_setting(setting, "holds characters that a header cannot"))?;
        value.set_sensitive(secret.is_some());
        headers.insert(name, value);
    }
    Ok(headers)
}
