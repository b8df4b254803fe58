//! The demo's own webhook receiver: it checks every signature, as a real receiver must, and shows what came.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A notification whose signature was valid.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) is_duplicate: bool,
    pub(crate) body: Value,
}

struct Shared {
    key: Vec<u8>,
    seen: Mutex<BTreeSet<String>>,
    received: mpsc::UnboundedSender<Received>,
}

/// Serves on a free loopback port. Notifications with a valid signature arrive on the channel.
pub(crate) async fn start(key: Vec<u8>) -> anyhow::Result<(SocketAddr, mpsc::UnboundedReceiver<Received>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (sender, receiver) = mpsc::unbounded_channel();
    let shared = Arc::new(Shared { key, seen: Mutex::default(), received: sender });
    let router = Router::new().route("/", post(receive)).with_state(shared);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("receiver stopped: {error}");
        }
    });
    Ok((address, receiver))
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let (webhook_id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    if !is_signed(&shared.key, webhook_id, timestamp, &body, header("webhook-signature")) {
        tracing::warn!("refused a notification whose signature is not valid");
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(body) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST };
    let is_new = shared.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(webhook_id.to_owned());
    let received = Received { is_duplicate: !is_new, body };
    match shared.received.send(received) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Standard Webhooks: any of the space-separated `v1,<base64>` signatures over `id.timestamp.body` may match.
fn is_signed(key: &[u8], webhook_id: &str, timestamp: &str, body: &[u8], signatures: &str) -> bool {
    signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).any(|signature| {
        let (Ok(signature), Ok(mut mac)) = (STANDARD.decode(signature), Hmac::<Sha256>::new_from_slice(key)) else {
            return false;
        };
        mac.update(webhook_id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac.verify_slice(&signature).is_ok()
    })
}
