//! The one HTTP client of all destinations: no redirects, no proxy, short timeouts, a bounded answer, and addresses
//! filtered in the resolver.

mod check_url;
mod classify_address;
mod resolve_host;

use crate::NotifierError;
use crate::clean_text::shorten;
use bytes::Bytes;
pub(crate) use check_url::check_url;
use reqwest::header::HeaderMap;
use resolve_host::{AddressRefused, FilteringResolver};
use std::error::Error;
use std::time::Duration;
use url::Url;

/// Where requests may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Public addresses, by name, over https. The only policy for production.
    Public,
    /// Besides, loopback literals, over http too. For tests and the demo's own receiver.
    AllowLoopback,
}

#[derive(Debug, Clone)]
pub struct HttpConfig {
    pub policy: AddressPolicy,
    /// Resolving, connecting and the TLS handshake together. Must be shorter than `total_timeout`: only then is a
    /// timeout while connecting known to be one.
    pub connect_timeout: Duration,
    /// From the start to the end of the answer.
    pub total_timeout: Duration,
    /// What of an answer's body is read before the connection is dropped.
    pub max_answer_bytes: usize,
}

impl HttpConfig {
    pub fn new(policy: AddressPolicy) -> Self {
        Self {
            policy,
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(15),
            max_answer_bytes: 16 * 1024,
        }
    }
}

/// Sends requests to destinations. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct HttpSender {
    client: reqwest::Client,
    policy: AddressPolicy,
    max_answer_bytes: usize,
}

/// A POST. Has no `Debug`: its URL and headers may hold secrets.
pub(crate) struct HttpRequest {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What came back. Has no `Debug`: a receiver may echo a secret.
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) body_end: BodyEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    Complete,
    /// Longer than is read.
    CutByUs,
    /// The connection was lost or the time was up.
    Lost,
}

/// Why there is no answer. The reasons hold no part of the URL beyond its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SendFailure {
    /// The URL or the address it resolves to is not allowed; nothing was sent.
    Refused { reason: String },
    /// No connection came about; nothing was sent.
    NotSent { reason: String },
    /// The request was sent, in whole or in part, and no answer came.
    NoAnswer { reason: String },
}

impl HttpSender {
    pub fn new(config: &HttpConfig) -> Result<Self, NotifierError> {
        if config.connect_timeout >= config.total_timeout {
            let reason = "the timeout of connecting must be shorter than that of the whole request".to_owned();
            return Err(NotifierError::HttpClient { reason });
        }
        mantissa_runtime::tls::install_crypto_provider();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .retry(reqwest::retry::never())
            .https_only(config.policy == AddressPolicy::Public)
            .dns_resolver(FilteringResolver)
            .connect_timeout(config.connect_timeout)
            .timeout(config.total_timeout)
            // Below what servers commonly grant, so that a request rarely meets a connection being closed: that would
            // leave its outcome unknown.
            .pool_idle_timeout(Duration::from_secs(4))
            .user_agent("mantissa-log")
            .build()
            .map_err(|e| NotifierError::HttpClient { reason: describe(&e) })?;
        Ok(Self { client, policy: config.policy, max_answer_bytes: config.max_answer_bytes })
    }

    pub(crate) async fn post(&self, request: HttpRequest) -> Result<HttpAnswer, SendFailure> {
        check_url(&request.url, self.policy).map_err(|reason| SendFailure::Refused { reason: reason.to_owned() })?;
        let sent = self.client.post(request.url).headers(request.headers).body(request.body).send().await;
        let mut response = sent.map_err(|e| failure(e.without_url()))?;
        let mut answer = HttpAnswer {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body: Vec::new(),
            body_end: BodyEnd::Lost,
        };
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let room = self.max_answer_bytes - answer.body.len();
                    answer.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() > room {
                        answer.body_end = BodyEnd::CutByUs;
                        break;
                    }
                }
                Ok(None) => {
                    answer.body_end = BodyEnd::Complete;
                    break;
                }
                Err(_) => break,
            }
        }
        // Dropping the response with a body unread closes the connection.
        Ok(answer)
    }
}

fn failure(error: reqwest::Error) -> SendFailure {
    if let Some(refused) = chain(&error).find_map(|cause| cause.downcast_ref::<AddressRefused>()) {
        return SendFailure::Refused { reason: refused.to_string() };
    }
    let reason = describe(&error);
    if error.is_builder() {
        SendFailure::Refused { reason }
    } else if error.is_connect() {
        SendFailure::NotSent { reason }
    } else {
        SendFailure::NoAnswer { reason }
    }
}

/// The innermost cause: the outer ones only repeat that a request failed.
fn describe(error: &reqwest::Error) -> String {
    let what = if error.is_dns() {
        "resolving the host failed"
    } else if error.is_connect() && error.is_timeout() {
        "connecting took too long"
    } else if error.is_connect() {
        "connecting failed"
    } else if error.is_timeout() {
        "no answer in time"
    } else if error.is_builder() {
        "the request cannot be built"
    } else {
        "the connection was lost before the answer"
    };
    match chain(error).last() {
        Some(cause) if !error.is_timeout() => format!("{what}: {}", shorten(&cause.to_string(), 200)),
        _ => what.to_owned(),
    }
}

fn chain<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_that_would_hide_a_failed_connection_are_refused() {
        let config = HttpConfig::new(AddressPolicy::Public);
        assert!(HttpSender::new(&config).is_ok());
        let hiding = HttpConfig { connect_timeout: config.total_timeout, ..config };
        assert!(HttpSender::new(&hiding).is_err());
    }

    #[tokio::test]
    async fn the_public_policy_asks_no_local_server() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let http = HttpSender::new(&HttpConfig::new(AddressPolicy::Public)).unwrap();
        for host in ["127.0.0.1", "localhost", "2130706433", "[::1]"] {
            for scheme in ["http", "https"] {
                let url = Url::parse(&format!("{scheme}://{host}:{port}/")).unwrap();
                let sent = http.post(HttpRequest { url, headers: HeaderMap::new(), body: Bytes::new() }).await;
                assert!(matches!(sent, Err(SendFailure::Refused { .. })), "{scheme}://{host}");
            }
        }
        let asked = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
        assert!(asked.is_err(), "a connection was made");
    }
}
