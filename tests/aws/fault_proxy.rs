//! What stands between the functions and the emulator, and makes trouble: every message is sent twice, some writes are
//! throttled, some answers are lost on the way, and functions are killed right after they wrote.

use crate::emulator::Emulator;
use crate::function_processes::functions_of;
use crate::upstream::Upstream;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How often, of a hundred.
const THROTTLED: u32 = 10;
const LOST: u32 = 4;
/// Of what a victim writes and sends, as long as it is to be killed.
const KILLED: u32 = 50;
/// Operations that send: SQS's and SNS's.
const SENDS: [&str; 3] = ["AmazonSQS.SendMessageBatch", "AmazonSQS.SendMessage", "PublishBatch"];
/// Operations that SDKs try again when they are throttled.
const WRITES: [&str; 3] =
    ["DynamoDB_20120810.TransactWriteItems", "DynamoDB_20120810.PutItem", "DynamoDB_20120810.UpdateItem"];

#[derive(Clone)]
struct Proxy {
    upstream: Upstream,
    emulator_pid: u32,
    random: Arc<Mutex<StdRng>>,
    progress: Arc<Mutex<Progress>>,
}

/// What the test is told, and what is still to be done.
#[derive(Default)]
struct Progress {
    faults: BTreeMap<&'static str, u32>,
    /// Functions, and how often each is still to be killed.
    kills_left: BTreeMap<String, u32>,
}

pub(crate) struct FaultProxy {
    url: String,
    progress: Arc<Mutex<Progress>>,
    server: JoinHandle<()>,
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FaultProxy {
    /// Each of the victims is killed so many times, after it wrote or sent and before it learns that it did.
    pub(crate) async fn start(emulator: &Emulator, seed: u64, victims: &[&str], kills: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Proxy {
            upstream: Upstream::new(emulator),
            emulator_pid: emulator.pid(),
            random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))),
            progress: Arc::default(),
        };
        let progress = proxy.progress.clone();
        progress.lock().unwrap().kills_left = victims.iter().map(|victim| ((*victim).to_owned(), kills)).collect();
        let router = Router::new().fallback(forward).with_state(proxy);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { url, progress, server }
    }

    /// What a function's environment must say, so that it meets the faults.
    pub(crate) fn environment(&self) -> Vec<String> {
        ["SQS", "SNS", "DYNAMODB"].map(|service| format!("AWS_ENDPOINT_URL_{service}={}", self.url)).to_vec()
    }

    /// How often each fault happened.
    pub(crate) fn faults(&self) -> BTreeMap<&'static str, u32> {
        self.progress.lock().unwrap().faults.clone()
    }

    /// The functions that are still to be killed, each with how often.
    pub(crate) fn kills_left(&self) -> BTreeMap<String, u32> {
        let mut kills_left = self.progress.lock().unwrap().kills_left.clone();
        kills_left.retain(|_, kills| *kills > 0);
        kills_left
    }
}

impl Proxy {
    fn happens(&self, of_a_hundred: u32) -> bool {
        self.random.lock().unwrap().random_range(0..100) < of_a_hundred
    }

    fn note(&self, fault: &'static str) {
        *self.progress.lock().unwrap().faults.entry(fault).or_default() += 1;
    }

    /// Kills the function that holds the other end of the connection, where it is a victim.
    fn kills(&self, peer: SocketAddr) -> bool {
        let Some((pid, function)) = function_at(self.emulator_pid, peer) else { return false };
        let mut progress = self.progress.lock().unwrap();
        let Some(kills) = progress.kills_left.get_mut(&function).filter(|kills| **kills > 0) else { return false };
        *kills -= 1;
        println!("{function} is killed, {kills} times left");
        assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
        *progress.faults.entry("killed in a batch").or_default() += 1;
        true
    }
}

async fn forward(
    State(proxy): State<Proxy>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
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
        proxy.upstream.send(&method, &uri, &headers, &body).await;
    }
    let answer = proxy.upstream.send(&method, &uri, &headers, &body).await;
    if (WRITES.contains(&operation) || SENDS.contains(&operation)) && proxy.happens(KILLED) && proxy.kills(peer) {
        return told(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError");
    }
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

/// The function whose connection has this end: Linux says which process holds it.
fn function_at(emulator_pid: u32, end: SocketAddr) -> Option<(u32, String)> {
    let port = format!(":{:04X}", end.port());
    let connections = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = connections.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.get(1)?.ends_with(&port).then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
    })?;
    functions_of(emulator_pid).into_iter().find(|(pid, _)| {
        let opened = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        opened
            .into_iter()
            .any(|file| std::fs::read_link(file.path()).is_ok_and(|link| link.as_os_str() == inode.as_str()))
    })
}
