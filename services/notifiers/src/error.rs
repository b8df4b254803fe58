//! What can keep the notifiers from starting, or a destination from being used.

use mantissa_ports::PortError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum NotifierError {
    #[error("build the HTTP client: {reason}")]
    HttpClient { reason: String },
    #[error("test destination `{destination}`: {reason}")]
    Destination { destination: String, reason: String },
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Why a configured destination cannot be used. Holds names of settings and secrets, never their values.
#[derive(Debug, Error)]
pub(crate) enum UnusableDestination {
    #[error("setting `{setting}` is missing")]
    MissingSetting { setting: String },
    #[error("setting `{setting}` {reason}")]
    BadSetting { setting: String, reason: String },
    #[error("secret `{secret}` named by setting `{setting}` is not in the secret store")]
    MissingSecret { setting: String, secret: String },
    #[error("secret `{secret}` named by setting `{setting}` {reason}")]
    BadSecret { setting: String, secret: String, reason: String },
    #[error("it is of type `{actual}`, the notification was requested for `{requested}`")]
    OtherType { actual: String, requested: String },
    #[error(transparent)]
    Port(#[from] PortError),
}

impl UnusableDestination {
    pub(crate) fn bad_setting(setting: &str, reason: impl Into<String>) -> Self {
        Self::BadSetting { setting: setting.to_owned(), reason: reason.into() }
    }
}

/// A message could not be rendered at one rung of the ladder.
#[derive(Debug, Error)]
pub(crate) enum RenderError {
    #[error("{what} is {size}, the limit is {limit}")]
    TooLarge { what: &'static str, size: usize, limit: usize },
    #[error("write the message as JSON")]
    Json(#[from] serde_json::Error),
    #[error("write the message by its template: {0}")]
    Template(minijinja::Error),
}
