//! A destination's settings, and the secrets they name.

use crate::error::UnusableDestination;
use mantissa_ports::{Secret, SecretStore};
use std::collections::BTreeMap;
use url::Url;

pub(crate) struct Settings<'a> {
    pub(crate) values: &'a BTreeMap<String, String>,
    pub(crate) secrets: &'a dyn SecretStore,
}

impl Settings<'_> {
    pub(crate) fn get(&self, setting: &str) -> Option<&str> {
        self.values.get(setting).map(String::as_str)
    }

    pub(crate) fn required(&self, setting: &str) -> Result<&str, UnusableDestination> {
        self.get(setting).ok_or_else(|| UnusableDestination::MissingSetting { setting: setting.to_owned() })
    }

    /// The secret that the setting names.
    pub(crate) async fn secret(&self, setting: &str) -> Result<Secret, UnusableDestination> {
        let name = self.required(setting)?;
        self.secrets
            .get(name)
            .await?
            .ok_or_else(|| UnusableDestination::MissingSecret { setting: setting.to_owned(), secret: name.to_owned() })
    }

    /// The URL in the secret that the setting names. The error of the parser is left out: it could quote the URL.
    pub(crate) async fn secret_url(&self, setting: &str) -> Result<Url, UnusableDestination> {
        let secret = self.secret(setting).await?;
        Url::parse(secret.expose().trim()).map_err(|_| self.bad_secret(setting, "does not hold a URL"))
    }

    pub(crate) fn bad_secret(&self, setting: &str, reason: &str) -> UnusableDestination {
        UnusableDestination::BadSecret {
            setting: setting.to_owned(),
            secret: self.get(setting).unwrap_or_default().to_owned(),
            reason: reason.to_owned(),
        }
    }
}
