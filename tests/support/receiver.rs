//! A webhook receiver on loopback: it checks every signature itself, keeps what came, and answers as it is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const KEY: &[u8] = b"a key of the end-to-end tests, 32 bytes";

/// What the receiver does with a notification whose signature is valid.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 204, this much later.
    Accept {
        after: Duration,
    },
    Status {
        status: u16,
        headers: Vec<(&'static str, String)>,
    },
    /// 200 and a body of 10 GB.
    Endless,
}

impl Answer {
    pub const ACCEPT: Self = Self::Accept { after: Duration::ZERO };

    pub fn status(status: u16) -> Self {
        Self::Status { status, headers: Vec::new() }
    }
}

#[derive(Debug, Clone)]
pub struct Notification {
    pub webhook_id: String,
    pub alert_id: String,
    /// `alert.opened`, `alert.closed`.
    pub body_type: String,
    /// The answer was, or was going to be, a success.
    pub accepted: bool,
    pub body: Value,
}

struct State {
    answer: Mutex<Answer>,
    received: Mutex<Vec<Notification>>,
    refused: Mutex<Vec<String>>,
    endless_bytes: Mutex<u64>,
    stopped: AtomicBool,
}

pub struct Receiver {
    pub address: SocketAddr,
    state: Arc<State>,
}

impl Receiver {
    pub fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            answer: Mutex::new(answer),
            received: Mutex::default(),
            refused: Mutex::default(),
            endless_bytes: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(stream), shared) = (stream, shared.clone()) else { continue };
                // A connection that is lost is what this receiver is for.
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// As `signing_secret` names it.
    pub fn secret() -> String {
        format!("whsec_{}", STANDARD.encode(KEY))
    }

    pub fn answer_with(&self, answer: Answer) {
        *self.state.answer.lock().unwrap() = answer;
    }

    /// Notifications with a valid signature, in the order they came.
    pub fn received(&self) -> Vec<Notification> {
        self.state.received.lock().unwrap().clone()
    }

    pub fn accepted(&self) -> Vec<Notification> {
        self.received().into_iter().filter(|notification| notification.accepted).collect()
    }

    /// Why requests were not taken for notifications.
    pub fn refused(&self) -> Vec<String> {
        self.state.refused.lock().unwrap().clone()
    }

    pub fn endless_bytes(&self) -> u64 {
        *self.state.endless_bytes.lock().unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// Requests of one connection, until it ends.
fn serve(stream: TcpStream, state: &State) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let (headers, body) = read_request(&mut reader)?;
        let notification = match check(&headers, &body) {
            Ok(notification) => notification,
            Err(reason) => {
                state.refused.lock().unwrap().push(reason);
                writer.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").ok()?;
                continue;
            }
        };
        let answer = state.answer.lock().unwrap().clone();
        let accepted = !matches!(&answer, Answer::Status { status, .. } if *status >= 300);
        state.received.lock().unwrap().push(Notification { accepted, ..notification });
        match answer {
            Answer::Accept { after } => {
                std::thread::sleep(after);
                writer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").ok()?;
            }
            Answer::Status { status, headers } => {
                let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                let head = format!("HTTP/1.1 {status} Told\r\n{headers}content-length: 0\r\n\r\n");
                writer.write_all(head.as_bytes()).ok()?;
            }
            Answer::Endless => {
                writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n").ok()?;
                let chunk = vec![b'x'; 64 * 1024];
                while writer.write_all(&chunk).is_ok() {
                    *state.endless_bytes.lock().unwrap() += chunk.len() as u64;
                }
                return None;
            }
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<(BTreeMap<String, String>, Vec<u8>)> {
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) => _ = headers.insert(name.to_ascii_lowercase(), value.to_owned()),
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some((headers, body))
}

/// Standard Webhooks: one of the signatures is the HMAC-SHA256 of `id.timestamp.body`.
fn check(headers: &BTreeMap<String, String>, body: &[u8]) -> Result<Notification, String> {
    let header = |name: &str| headers.get(name).map(String::as_str).ok_or_else(|| format!("no header `{name}`"));
    let (webhook_id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let mut signed = format!("{webhook_id}.{timestamp}.").into_bytes();
    signed.extend_from_slice(body);
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY);
    let is_valid = |signature: &str| {
        let signature = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok());
        signature.is_some_and(|signature| hmac::verify(&key, &signed, &signature).is_ok())
    };
    if !header("webhook-signature")?.split(' ').any(is_valid) {
        return Err(format!("the signature of `{webhook_id}` is not valid"));
    }
    let body: Value = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Notification {
        webhook_id: webhook_id.to_owned(),
        alert_id: text(&body["data"]["alert"]["alert_id"]),
        body_type: text(&body["type"]),
        accepted: false,
        body,
    })
}
