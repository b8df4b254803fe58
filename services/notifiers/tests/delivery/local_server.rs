//! An HTTP server on loopback that does as it is told, also what no decent server does. Ends when dropped.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// 200 `ok`, this much later.
    Slow(Duration),
    /// 200 and a body of 10 GB.
    Endless,
    /// The connection ends within the body of a 200.
    CutMidBody,
    /// The connection ends within the status line.
    CutMidHead,
    /// Bytes that are neither TLS nor HTTP, before anything is read.
    NotTls,
}

pub(crate) fn answer(status: u16, body: &str) -> Behaviour {
    Behaviour::Answer { status, headers: Vec::new(), body: body.to_owned() }
}

pub(crate) fn answer_with(status: u16, header: &'static str, value: &str) -> Behaviour {
    Behaviour::Answer { status, headers: vec![(header, value.to_owned())], body: String::new() }
}

#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the request's body is JSON")
    }
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Behaviour>,
    received: Vec<Received>,
    sent_bytes: u64,
}

pub(crate) struct LocalServer {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl LocalServer {
    /// Behaves as scripted, request by request; the last behaviour stays.
    pub(crate) async fn start(script: impl IntoIterator<Item = Behaviour>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind a local port");
        let address = listener.local_addr().expect("the local address");
        let state = Arc::new(Mutex::new(State { script: script.into_iter().collect(), ..State::default() }));
        let shared = state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { address, state, accepting }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    pub(crate) fn sent_bytes(&self) -> u64 {
        self.state.lock().unwrap().sent_bytes
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let next = |state: &mut State| match state.script.len() {
        1 => state.script[0].clone(),
        _ => state.script.pop_front().expect("a script is not empty"),
    };
    if matches!(state.lock().unwrap().script.front(), Some(Behaviour::NotTls)) {
        let _ = stream.write_all(b"this is not TLS\r\n\r\n").await;
        return;
    }
    let Some(received) = read_request(&mut stream).await else { return };
    let behaviour = {
        let mut state = state.lock().unwrap();
        state.received.push(received);
        next(&mut state)
    };
    match behaviour {
        Behaviour::Answer { status, headers, body } => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            let text =
                format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Behaviour::Slow(by) => {
            tokio::time::sleep(by).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        }
        Behaviour::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n").await;
            let chunk = [b'x'; 8192];
            while stream.write_all(&chunk).await.is_ok() {
                state.lock().unwrap().sent_bytes += 8192;
            }
        }
        Behaviour::CutMidBody => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\no").await;
        }
        Behaviour::CutMidHead => {
            let _ = stream.write_all(b"HTTP/1.1 2").await;
        }
        Behaviour::NotTls => {}
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut received = Received { head: String::from_utf8_lossy(&bytes[..head_end]).into_owned(), body: Vec::new() };
    let length: usize = received.header("content-length")?.parse().ok()?;
    while bytes.len() < head_end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    received.body = bytes.split_off(head_end);
    Some(received)
}
