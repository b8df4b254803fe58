//! Which cluster, as whom, and what of it.

use crate::error::TrinoError;
use url::Url;

#[derive(Debug, Clone)]
pub struct TrinoConfig {
    /// The coordinator: `https://trino.example.org:8443`.
    pub url: Url,
    pub user: String,
    pub credentials: Credentials,
    /// Certificates in PEM that are trusted beside the system's.
    pub certificates: Option<Vec<u8>>,
    /// Where the lake's tables are.
    pub catalog: String,
    pub schema: String,
    /// What the result of one query may hold in memory.
    pub max_result_bytes: usize,
}

/// Secrets by name: they are looked up for each query, so that a new one is used from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    None,
    Password { secret: String },
    Jwt { secret: String },
}

impl TrinoConfig {
    pub fn new(url: Url) -> Self {
        Self {
            url,
            user: "mantissa".to_owned(),
            credentials: Credentials::None,
            certificates: None,
            catalog: "lake".to_owned(),
            schema: "mantissa".to_owned(),
            max_result_bytes: 256 << 20,
        }
    }

    pub(crate) fn check(&self) -> Result<(), TrinoError> {
        let wrong = |what: &str| Err(TrinoError::Config(what.to_owned()));
        match self.url.scheme() {
            "https" => {}
            "http" if self.credentials == Credentials::None => {}
            "http" => return wrong("the url must begin with https, or the password or token is sent in the clear"),
            _ => return wrong("the url must begin with http or https"),
        }
        if self.url.host().is_none() {
            return wrong("the url names no host");
        }
        if !self.url.username().is_empty() || self.url.password().is_some() {
            return wrong("the url holds a user or a password; name them in settings of their own");
        }
        Ok(())
    }
}
