//! The emulator, for proxies that stand before it.

use crate::emulator::Emulator;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;

#[derive(Clone)]
pub(crate) struct Upstream {
    endpoint: String,
    client: reqwest::Client,
}

impl Upstream {
    pub(crate) fn new(emulator: &Emulator) -> Self {
        mantissa_runtime::tls::install_crypto_provider();
        Self { endpoint: emulator.endpoint.clone(), client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) async fn send(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
        let address = format!("{}{}", self.endpoint, uri.path_and_query().map_or("/", |path| path.as_str()));
        // The signature holds for the host that the caller meant: it is passed on.
        let sent = self.client.request(method.clone(), address).headers(headers.clone()).body(body.clone());
        let answer = sent.send().await.unwrap();
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if !["transfer-encoding", "content-length", "connection"].contains(&name.as_str()) {
                response = response.header(name, value);
            }
        }
        response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
    }
}
