//! The Athena adapter against an endpoint that speaks Athena's protocol over the one-machine engine.

use crate::athena_endpoint::{AthenaEndpoint, Fault, Served};
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use mantissa_aws::athena::{AthenaConfig, AthenaQueryEngine};
use mantissa_contracts::messages::FailureKind;
use mantissa_embedded::query_engine::{DataFusionEngine, EngineConfig};
use mantissa_ports::conformance::EngineFixture;
use mantissa_ports::{QueryEngine, QueryRequest, QueryStatus, SystemClock};
use mantissa_tests::lake_files::write_conformance_lake;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

struct Athena {
    served: Served,
    config: SdkConfig,
    _folder: TempDir,
}

impl Athena {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_conformance_lake(folder.path());
        let engine = DataFusionEngine::new(EngineConfig::new(folder.path())).unwrap();
        let served = AthenaEndpoint::serve(Arc::new(engine)).await;
        let config = mantissa_aws::config_loader()
            .endpoint_url(&served.url)
            .region("us-east-1")
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .load()
            .await;
        Self { served, config, _folder: folder }
    }

    fn engine_that_reuses(&self, reuse_results: Option<Duration>) -> Arc<dyn QueryEngine> {
        let config = AthenaConfig { workgroup: "w".to_owned(), database: "d".to_owned(), reuse_results };
        let client = aws_sdk_athena::Client::new(&self.config);
        Arc::new(AthenaQueryEngine::new(client, config, Arc::new(SystemClock)))
    }
}

impl EngineFixture for Athena {
    fn engine(&self) -> Arc<dyn QueryEngine> {
        self.engine_that_reuses(None)
    }
}

mantissa_ports::query_engine_conformance!(Athena::new().await);

fn request(token: &str) -> QueryRequest {
    QueryRequest {
        token: token.to_owned(),
        sql: "SELECT count(*) AS n FROM application_logs".to_owned(),
        max_rows: 10,
        timeout: Duration::from_secs(60),
    }
}

async fn end_of(engine: &dyn QueryEngine, token: &str) -> QueryStatus {
    let query = engine.start(&request(token)).await.unwrap();
    loop {
        let status = engine.status(&query).await.unwrap();
        if status.is_final() {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_of_athena_are_tried_again_and_those_of_the_query_are_not() {
    let athena = Athena::new().await;
    let engine = athena.engine();
    let (endpoint, reason) = (&athena.served.endpoint, "why");
    endpoint.next_start(Fault::Fail { retryable: true, reason });
    endpoint.next_start(Fault::Fail { retryable: false, reason });
    endpoint.next_start(Fault::Cancel);
    let failed = |kind| QueryStatus::Failed { kind, reason: reason.to_owned() };
    assert_eq!(end_of(engine.as_ref(), "a").await, failed(FailureKind::Transient));
    assert_eq!(end_of(engine.as_ref(), "b").await, failed(FailureKind::Permanent));
    assert_eq!(end_of(engine.as_ref(), "c").await, QueryStatus::Cancelled);
    assert!(matches!(end_of(engine.as_ref(), "d").await, QueryStatus::Succeeded(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn result_of_the_same_query_is_taken_as_long_as_configured_and_else_never() {
    for reuse in [None, Some(15)] {
        let athena = Athena::new().await;
        let engine = athena.engine_that_reuses(reuse.map(|minutes| Duration::from_secs(60 * minutes)));
        engine.start(&request("a")).await.unwrap();
        assert_eq!(athena.served.endpoint.reuse_asked(), [reuse]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttled_start_is_tried_again_by_the_sdk_and_then_by_the_queue() {
    let athena = Athena::new().await;
    let engine = athena.engine();
    athena.served.endpoint.next_start(Fault::Throttle);
    engine.start(&request("once")).await.unwrap();
    assert_eq!(athena.served.endpoint.started().len(), 1);
    (0..10).for_each(|_| athena.served.endpoint.next_start(Fault::Throttle));
    let error = engine.start(&request("for long")).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("TooManyRequestsException"), "{error}");
    assert_eq!(athena.served.endpoint.started().len(), 1);
}
