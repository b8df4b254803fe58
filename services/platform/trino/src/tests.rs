//! What a coordinator does wrong that a real one cannot be made to do.

use crate::{Credentials, TrinoConfig, TrinoQueryEngine};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use mantissa_contracts::ids::EngineQueryId;
use mantissa_contracts::messages::FailureKind;
use mantissa_ports::memory::MemorySecretStore;
use mantissa_ports::{QueryEngine as _, QueryRequest, QueryStatus, Secret, SecretStore as _};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

#[derive(Clone, Default)]
struct Coordinator {
    url: String,
    answers: Arc<Mutex<VecDeque<(StatusCode, Value)>>>,
    /// `GET /path`, in their order.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Coordinator {
    /// Gives these answers, one after the other; then it says of every query that it runs.
    async fn start(answers: impl FnOnce(&str) -> Vec<(StatusCode, Value)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(answers(&url).into()));
        let coordinator = Self { url, answers, requests: Arc::default() };
        let router = Router::new().fallback(answer).with_state(coordinator.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        coordinator
    }

    fn engine(&self) -> TrinoQueryEngine {
        let config = TrinoConfig::new(self.url.parse().unwrap());
        TrinoQueryEngine::new(config, Arc::new(MemorySecretStore::default())).unwrap()
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    async fn wait_for(&self, request: &str) {
        for _ in 0..500 {
            if self.requests().iter().any(|made| made == request) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no `{request}` among {:?}", self.requests());
    }
}

async fn answer(State(coordinator): State<Coordinator>, request: Request) -> (StatusCode, String) {
    coordinator.requests.lock().unwrap().push(format!("{} {}", request.method(), request.uri().path()));
    let next = coordinator.answers.lock().unwrap().pop_front();
    match next {
        Some((status, body)) => (status, body.to_string()),
        None => {
            tokio::time::sleep(Duration::from_millis(20)).await;
            (StatusCode::OK, running(&coordinator.url, &[]).to_string())
        }
    }
}

fn running(url: &str, rows: &[&str]) -> Value {
    let mut answer = last(rows);
    answer["nextUri"] = json!(format!("{url}/v1/statement/executing/q1/next"));
    answer["stats"]["state"] = json!("RUNNING");
    answer
}

fn last(rows: &[&str]) -> Value {
    let varchar = json!({ "rawType": "varchar", "arguments": [{ "kind": "LONG", "value": 2_147_483_647 }] });
    let data: Vec<[&str; 1]> = rows.iter().map(|row| [*row]).collect();
    json!({
        "id": "q1", "stats": { "state": "FINISHED" }, "data": data,
        "columns": [{ "name": "a", "type": "varchar", "typeSignature": varchar }],
    })
}

fn failing(error_type: &str, error_name: &str) -> Value {
    let mut answer = last(&[]);
    answer["error"] = json!({ "message": "why", "errorName": error_name, "errorType": error_type });
    answer
}

fn request(max_rows: u64) -> QueryRequest {
    QueryRequest {
        token: "t".to_owned(),
        sql: "SELECT a FROM b".to_owned(),
        max_rows,
        timeout: Duration::from_secs(60),
    }
}

async fn end_of(engine: &TrinoQueryEngine, id: &EngineQueryId) -> QueryStatus {
    loop {
        let status = engine.status(id).await.unwrap();
        if status.is_final() {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const BUSY: (StatusCode, Value) = (StatusCode::SERVICE_UNAVAILABLE, Value::Null);

#[tokio::test]
async fn page_that_is_not_to_be_had_is_asked_for_again_and_counted_once() {
    let ok = StatusCode::OK;
    let coordinator = Coordinator::start(|url| {
        vec![(ok, running(url, &["1"])), (ok, running(url, &["2"])), BUSY, BUSY, (ok, last(&["3"]))]
    })
    .await;
    let engine = coordinator.engine();
    let id = engine.start(&request(10)).await.unwrap();
    let status = end_of(&engine, &id).await;
    assert!(matches!(status, QueryStatus::Succeeded(stats) if stats.n_rows == 3), "{status:?}");
    let rows = engine.results(&id, None).await.unwrap().rows;
    assert_eq!(rows, ["1", "2", "3"].map(|text| vec![Some(text.to_owned())]));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!coordinator.requests().iter().any(|made| made.starts_with("DELETE")), "what has ended is left alone");
}

#[tokio::test]
async fn query_that_was_refused_can_be_started_again() {
    let refusals = [StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND].map(|status| (status, Value::Null));
    let coordinator = Coordinator::start(|_| [vec![BUSY], refusals.to_vec()].concat()).await;
    let engine = coordinator.engine();
    assert!(engine.start(&request(10)).await.unwrap_err().is_transient());
    let denied = engine.start(&request(10)).await.unwrap_err();
    assert!(!denied.is_transient() && denied.to_string().contains("401"), "{denied}");
    // No coordinator answers at that address.
    assert!(!engine.start(&request(10)).await.unwrap_err().is_transient());
    let id = engine.start(&request(10)).await.unwrap();
    engine.cancel(&id).await.unwrap();
}

#[tokio::test]
async fn query_that_is_not_wanted_any_more_is_ended_on_the_cluster() {
    const ENDED: &str = "DELETE /v1/query/q1";
    let cancelled = Coordinator::start(|_| vec![]).await;
    let engine = cancelled.engine();
    let id = engine.start(&request(10)).await.unwrap();
    engine.cancel(&id).await.unwrap();
    cancelled.wait_for(ENDED).await;
    assert_eq!(engine.status(&id).await.unwrap(), QueryStatus::Cancelled);

    let large = Coordinator::start(|url| vec![(StatusCode::OK, running(url, &["1", "2"]))]).await;
    let engine = large.engine();
    let id = engine.start(&request(1)).await.unwrap();
    let status = end_of(&engine, &id).await;
    assert!(matches!(status, QueryStatus::Failed { kind: FailureKind::Permanent, .. }), "{status:?}");
    large.wait_for(ENDED).await;

    let slow = Coordinator::start(|_| vec![]).await;
    let engine = slow.engine();
    let id = engine.start(&QueryRequest { timeout: Duration::from_millis(50), ..request(1) }).await.unwrap();
    let status = end_of(&engine, &id).await;
    assert!(matches!(status, QueryStatus::Failed { kind: FailureKind::Transient, .. }), "{status:?}");
    slow.wait_for(ENDED).await;
}

#[tokio::test]
async fn failures_say_whether_trying_again_helps() {
    for (error_type, name, kind) in [
        ("USER_ERROR", "COLUMN_NOT_FOUND", FailureKind::Permanent),
        ("INTERNAL_ERROR", "REMOTE_HOST_GONE", FailureKind::Transient),
    ] {
        let coordinator = Coordinator::start(|_| vec![(StatusCode::OK, failing(error_type, name))]).await;
        let engine = coordinator.engine();
        let id = engine.start(&request(1)).await.unwrap();
        let QueryStatus::Failed { kind: found, reason } = end_of(&engine, &id).await else { panic!("{name}") };
        assert!(found == kind && reason.contains(name) && reason.contains("why"), "{reason}");
    }
    let coordinator = Coordinator::start(|_| vec![(StatusCode::OK, failing("USER_ERROR", "USER_CANCELED"))]).await;
    let engine = coordinator.engine();
    let id = engine.start(&request(1)).await.unwrap();
    assert_eq!(end_of(&engine, &id).await, QueryStatus::Cancelled);
}

#[tokio::test]
async fn query_that_a_new_coordinator_does_not_know_may_be_started_again() {
    let gone = (StatusCode::NOT_FOUND, Value::String("Query not found".to_owned()));
    let coordinator = Coordinator::start(|url| {
        let mut answers = vec![gone; 20];
        answers.insert(0, (StatusCode::OK, running(url, &["1"])));
        answers
    })
    .await;
    let engine = coordinator.engine();
    let id = engine.start(&request(10)).await.unwrap();
    let QueryStatus::Failed { kind, reason } = end_of(&engine, &id).await else { panic!("it did not fail") };
    assert!(kind == FailureKind::Transient && reason.contains("does not know the query"), "{reason}");
}

#[tokio::test]
async fn answer_that_leads_to_another_server_is_not_followed() {
    let elsewhere = Coordinator::start(|_| vec![]).await;
    let coordinator = Coordinator::start(|_| vec![(StatusCode::OK, running(&elsewhere.url, &[]))]).await;
    let engine = coordinator.engine();
    let id = engine.start(&request(1)).await.unwrap();
    let QueryStatus::Failed { reason, .. } = end_of(&engine, &id).await else { panic!("it was followed") };
    assert!(reason.contains("process-forwarded") && elsewhere.requests().is_empty(), "{reason}");
}

#[tokio::test]
async fn password_and_token_are_sent_as_they_are_stored_now() {
    let secrets = Arc::new(MemorySecretStore::default());
    let sent = async |credentials: Credentials| {
        let url = "https://trino.example.org:8443".parse().unwrap();
        let config = TrinoConfig { user: "ana".to_owned(), credentials, ..TrinoConfig::new(url) };
        let engine = TrinoQueryEngine::new(config, secrets.clone()).unwrap();
        engine.client.session(None).await.unwrap().authorization().map(str::to_owned)
    };
    let (password, jwt) = (|| "trino".to_owned(), "trino_jwt".to_owned());
    secrets.put("trino", &Secret::new("open sesame")).await.unwrap();
    secrets.put("trino_jwt", &Secret::new("a.b.c\n")).await.unwrap();
    // `ana:open sesame`
    let basic = sent(Credentials::Password { secret: password() }).await;
    assert_eq!(basic.as_deref(), Some("Basic YW5hOm9wZW4gc2VzYW1l"));
    assert_eq!(sent(Credentials::Jwt { secret: jwt }).await.as_deref(), Some("Bearer a.b.c"));
    assert_eq!(sent(Credentials::None).await, None);
    secrets.put("trino", &Secret::new("another")).await.unwrap();
    assert_ne!(sent(Credentials::Password { secret: password() }).await, basic);
}

#[test]
fn certificates_that_are_none_are_refused() {
    for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let url = "https://trino.example.org".parse().unwrap();
        let config = TrinoConfig { certificates: Some(pem.as_bytes().to_vec()), ..TrinoConfig::new(url) };
        let refused = TrinoQueryEngine::new(config, Arc::new(MemorySecretStore::default()));
        assert!(refused.is_err_and(|error| error.to_string().contains("certificate")), "{pem}");
    }
}

#[tokio::test]
async fn credentials_are_neither_sent_in_the_clear_nor_told() {
    let password = || Credentials::Password { secret: "trino_password".to_owned() };
    let config = |url: &str| TrinoConfig { credentials: password(), ..TrinoConfig::new(url.parse().unwrap()) };
    let secrets = Arc::new(MemorySecretStore::default());
    let refused = TrinoQueryEngine::new(config("http://trino.example.org"), secrets.clone()).err().unwrap();
    assert!(refused.to_string().contains("https"), "{refused}");

    // Nothing listens there.
    let engine = TrinoQueryEngine::new(config("https://127.0.0.1:1"), secrets.clone()).unwrap();
    let not_stored = engine.start(&request(1)).await.unwrap_err();
    assert!(!not_stored.is_transient() && not_stored.to_string().contains("trino_password"), "{not_stored}");
    secrets.put("trino_password", &Secret::new("hunter2")).await.unwrap();
    let not_reached = engine.start(&request(1)).await.unwrap_err();
    let told = format!("{not_reached} {not_reached:?}");
    assert!(not_reached.is_transient() && !told.contains("hunter2") && !told.contains("aHVudGVyMg"), "{told}");
}
