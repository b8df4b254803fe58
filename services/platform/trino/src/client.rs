//! Requests of the statement protocol: a POST begins a statement, each answer says where the next page is.

use crate::answer::Answer;
use crate::config::{Credentials, TrinoConfig};
use crate::error::{TrinoError, is_passing};
use mantissa_ports::SecretStore;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The coordinator answers within a second, with nothing where there is nothing yet.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a page is asked for, and how long is waited after the first failure; then twice as long each time.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

pub(crate) struct Client {
    pub(crate) config: TrinoConfig,
    secrets: Arc<dyn SecretStore>,
    http: reqwest::Client,
}

/// Who asks, and for how long a statement may run.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    headers: HeaderMap,
}

#[cfg(test)]
impl Session {
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.headers.get("authorization").and_then(|value| value.to_str().ok())
    }
}

impl Client {
    pub(crate) fn new(config: TrinoConfig, secrets: Arc<dyn SecretStore>) -> Result<Self, TrinoError> {
        config.check()?;
        // TLS needs one for the process; an error means that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent("mantissa-log");
        if let Some(certificates) = &config.certificates {
            let read = reqwest::Certificate::from_pem_bundle(certificates)
                .map_err(|e| TrinoError::Config(format!("the certificates cannot be read: {e}")))?;
            if read.is_empty() {
                return Err(TrinoError::Config("the file of certificates holds none".to_owned()));
            }
            http = http.tls_certs_merge(read);
        }
        let http = http.build().map_err(|e| TrinoError::Config(format!("set up HTTP: {}", told(&e))))?;
        Ok(Self { config, secrets, http })
    }

    /// `run_for` is the time after which the cluster itself ends a statement, should we not.
    pub(crate) async fn session(&self, run_for: Option<Duration>) -> Result<Session, TrinoError> {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| -> Result<(), TrinoError> {
            let mut value =
                HeaderValue::from_str(value).map_err(|_| TrinoError::Config(format!("{name} cannot be sent")))?;
            value.set_sensitive(name == "authorization");
            headers.insert(HeaderName::from_static(name), value);
            Ok(())
        };
        set("x-trino-user", &self.config.user)?;
        set("x-trino-source", "mantissa-log")?;
        set("x-trino-catalog", &self.config.catalog)?;
        set("x-trino-schema", &self.config.schema)?;
        // The lake's times are UTC, and so is what a statement makes of them.
        set("x-trino-time-zone", "UTC")?;
        // Without it the types of times come without their precision.
        set("x-trino-client-capabilities", "PARAMETRIC_DATETIME")?;
        // The tables know their days by projection, of which few are there.
        let mut properties = format!("{}.ignore_absent_partitions=true", self.config.catalog);
        if let Some(run_for) = run_for {
            properties.push_str(&format!(",query_max_execution_time={}ms", run_for.as_millis().max(1)));
        }
        set("x-trino-session", &properties)?;
        match &self.config.credentials {
            Credentials::None => {}
            Credentials::Password { secret } => {
                use base64::Engine as _;
                let pair = format!("{}:{}", self.config.user, self.secret(secret).await?);
                set("authorization", &format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair)))?;
            }
            Credentials::Jwt { secret } => {
                set("authorization", &format!("Bearer {}", self.secret(secret).await?.trim()))?;
            }
        }
        Ok(Session { headers })
    }

    async fn secret(&self, name: &str) -> Result<String, TrinoError> {
        let found = self.secrets.get(name).await?;
        Ok(found.ok_or_else(|| TrinoError::NoSecret(name.to_owned()))?.expose().to_owned())
    }

    pub(crate) async fn begin(&self, session: &Session, sql: &str) -> Result<Answer, TrinoError> {
        let url = self.address("v1/statement")?;
        // Sent once: an answer that was lost may stand for a statement that runs.
        self.ask(self.request(session, Method::POST, url).body(sql.to_owned())).await
    }

    /// The same page for the same address, so that it may be asked for again.
    pub(crate) async fn next(&self, session: &Session, address: &str) -> Result<Answer, TrinoError> {
        let url: Url = address.parse().map_err(|_| TrinoError::Answer("its next address is no URL".to_owned()))?;
        if url.origin() != self.config.url.origin() {
            return Err(TrinoError::LedAway { origin: url.origin().ascii_serialization() });
        }
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match self.ask(self.request(session, Method::GET, url.clone())).await {
                Err(TrinoError::NoAnswer(reason)) => tracing::debug!(reason, "ask for the page again"),
                Err(TrinoError::Refused { status, .. }) if is_passing(status) => {
                    tracing::debug!(status, "ask for the page again");
                }
                Err(TrinoError::Refused { status: 404 | 410, .. }) => return Err(TrinoError::Forgotten),
                decided => return decided,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.ask(self.request(session, Method::GET, url)).await
    }

    /// Ends a statement; one that has ended or is not known is left as it is.
    pub(crate) async fn end(&self, session: &Session, id: &str) -> Result<(), TrinoError> {
        let url = self.address(&format!("v1/query/{id}"))?;
        self.send(self.request(session, Method::DELETE, url)).await.map(|_| ())
    }

    fn address(&self, path: &str) -> Result<Url, TrinoError> {
        self.config.url.join(path).map_err(|e| TrinoError::Config(format!("the url leads nowhere: {e}")))
    }

    fn request(&self, session: &Session, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).headers(session.headers.clone())
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Answer, TrinoError> {
        let body = self.send(request).await?;
        serde_json::from_slice(&body).map_err(|e| TrinoError::Answer(e.to_string()))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, TrinoError> {
        let lost = |e: reqwest::Error| TrinoError::NoAnswer(told(&e.without_url()));
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let body = response.bytes().await.map_err(lost)?;
        match status.is_success() {
            true => Ok(body.to_vec()),
            false => Err(TrinoError::Refused {
                status: status.as_u16(),
                reason: String::from_utf8_lossy(&body).chars().take(300).collect(),
            }),
        }
    }
}

/// The innermost cause: the outer ones only repeat that a request failed.
fn told(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    match error.is_timeout() {
        true => format!("no answer in time: {innermost}"),
        false => innermost.to_string(),
    }
}
