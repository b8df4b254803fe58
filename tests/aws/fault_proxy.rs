//! What stands between the functions and the emulator, and makes trouble: every message is sent twice, some writes are
//! throttled, some answers are lost on the way.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How often, of a hundred.
const THROTTLED: u32 = 10;
const LOST: u32 = 4;
/// Operations that send: SQS's and SNS's.
const SENDS: [&str; 3] = ["AmazonSQS.SendMessageBatch", "AmazonSQS.SendMessage", "PublishBatch"];
/// Operations that SDKs try again when they are throttled.
const WRITES: [&str; 3] =
    ["DynamoDB_20120810.TransactWriteItems", "DynamoDB_20120810.PutItem", "DynamoDB_20120810.UpdateItem"];

#[derive(Clone)]
struct Proxy {
    emulator: String,
    client: reqwest::Client,
    random: Arc<Mutex<StdRng>>,
    faults: Arc<Mutex<BTreeMap<&'static str, u32>>>,
}

pub(crate) struct FaultProxy {
    url: String,
    faults: Arc<Mutex<BTreeMap<&'static str, u32>>>,
    server: JoinHandle<()>,
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FaultProxy {
    pub(crate) async fn start(emulator: &str, seed: u64) -> Self {
        mantissa_runtime::tls::install_crypto_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Proxy {
            emulator: emulator.to_owned(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))),
            faults: Arc::default(),
        };
        let faults = proxy.faults.clone();
        let router = Router::new().fallback(forward).with_state(proxy);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, faults, server }
    }

    /// What a function's environment must say, so that it meets the faults.
    pub(crate) fn environment(&self) -> Vec<String> {
        ["SQS", "SNS", "DYNAMODB"].map(|service| format!("AWS_ENDPOINT_URL_{service}={}", self.url)).to_vec()
    }

    /// How often each fault happened.
    pub(crate) fn faults(&self) -> BTreeMap<&'static str, u32> {
        self.faults.lock().unwrap().clone()
    }
}

impl Proxy {
    fn happens(&self, of_a_hundred: u32) -> bool {
        self.random.lock().unwrap().random_range(0..100) < of_a_hundred
    }

    fn note(&self, fault: &'static str) {
        *self.faults.lock().unwrap().entry(fault).or_default() += 1;
    }

    async fn send(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
        let address = format!("{}{}", self.emulator, uri.path_and_query().map_or("/", |path| path.as_str()));
        // The signature holds for the host that the function meant: it is passed on.
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

async fn forward(State(proxy): State<Proxy>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    // SNS names its operations in a form.
    let of_form = body.strip_prefix(b"Action=").and_then(|rest| rest.split(|byte| *byte == b'&').next());
    let operation = of_form.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or(target);
    if WRITES.contains(&operation) && proxy.happens(THROTTLED) {
        proxy.note("write throttled");
        return told(StatusCode::BAD_REQUEST, "ThrottlingException");
    }
    if SENDS.contains(&operation) {
        proxy.note("messages sent twice");
        proxy.send(&method, &uri, &headers, &body).await;
    }
    let answer = proxy.send(&method, &uri, &headers, &body).await;
    if proxy.happens(LOST) {
        proxy.note("answer lost");
        return told(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError");
    }
    answer
}

fn told(status: StatusCode, code: &str) -> Response {
    let body = json!({ "__type": code, "message": "a fault of the test" }).to_string();
    Response::builder().status(status).header("content-type", "application/x-amz-json-1.0").body(body.into()).unwrap()
}
