//! A receiver on this machine that answers at once and notes what came when.

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde::Deserialize;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

pub(crate) struct WebhookServer {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Received>>,
    serving: AbortHandle,
}

#[derive(Debug, Default)]
pub(crate) struct Received {
    /// When the notification of each alert came first, by the alert's title.
    pub(crate) first_at: HashMap<String, Instant>,
    /// Those that came again, by `webhook-id`.
    pub(crate) n_repeated: u64,
    ids: HashMap<String, u64>,
    pub(crate) n_unsigned: u64,
}

#[derive(Deserialize)]
struct Body {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    alert: Alert,
}

#[derive(Deserialize)]
struct Alert {
    title: String,
}

impl Drop for WebhookServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl WebhookServer {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("open a port for the receiver")?;
        let address = listener.local_addr()?;
        let received = Arc::new(Mutex::new(Received::default()));
        let router = Router::new().route("/", post(receive)).with_state(received.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Ok(Self { address, received, serving })
    }

    pub(crate) fn n_alerts(&self) -> usize {
        self.lock().first_at.len()
    }

    pub(crate) fn take(&self) -> Received {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn receive(State(received): State<Arc<Mutex<Received>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let at = Instant::now();
    let Ok(body) = serde_json::from_slice::<Body>(&body) else { return StatusCode::BAD_REQUEST };
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
    received.n_unsigned += u64::from(!headers.contains_key("webhook-signature"));
    let times = received.ids.entry(id).or_default();
    *times += 1;
    let is_repeated = *times > 1;
    received.n_repeated += u64::from(is_repeated);
    received.first_at.entry(body.data.alert.title).or_insert(at);
    StatusCode::NO_CONTENT
}
