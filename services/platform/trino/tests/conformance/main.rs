//! The adapter on a real Trino; skipped where there is none (`make parity` starts one).

#![expect(clippy::unwrap_used, reason = "what a helper of tests meets unexpectedly is a failed test")]

use mantissa_contracts::messages::FailureKind;
use mantissa_lake::catalogue::catalogue;
use mantissa_ports::conformance::query_engine::EVENT_IDS;
use mantissa_ports::conformance::{EngineFixture, query_engine_sentences};
use mantissa_ports::memory::MemorySecretStore;
use mantissa_ports::{QueryEngine, QueryRequest, QueryStatus, Secret, SecretStore as _};
use mantissa_tests::lake_files::write_conformance_lake;
use mantissa_tests::trino::trino_cluster;
use mantissa_trino::{Credentials, LakeRegistration, RegisteredAs, TrinoConfig, TrinoError, TrinoQueryEngine};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

fn engine(config: &TrinoConfig) -> TrinoQueryEngine {
    TrinoQueryEngine::new(config.clone(), Arc::new(MemorySecretStore::default())).unwrap()
}

/// The suite's lake, registered once; each sentence asks an adapter of its own, as if it had just started.
struct Lake(Arc<TrinoQueryEngine>);

impl EngineFixture for Lake {
    fn engine(&self) -> Arc<dyn QueryEngine> {
        self.0.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adapter_conforms_on_trino() {
    let Some(cluster) = trino_cluster() else { return };
    let folder = cluster.new_folder();
    write_conformance_lake(folder.path());
    cluster.engine_over(&folder).await;
    let config = cluster.config(&folder);
    let mut running = JoinSet::new();
    let (mut n_hold, mut wrong) = (0, Vec::new());
    for sentence in query_engine_sentences() {
        let lake = Lake(Arc::new(engine(&config)));
        running.spawn(async move {
            let name = sentence.name;
            (name, tokio::spawn(async move { (sentence.check)(&lake).await }).await)
        });
        // The cluster has two cores.
        while running.len() > 2 {
            let (name, checked) = running.join_next().await.unwrap().unwrap();
            checked.map_or_else(|error| wrong.push(format!("{name}: {error}")), |()| n_hold += 1);
        }
    }
    while let Some(ended) = running.join_next().await {
        let (name, checked) = ended.unwrap();
        checked.map_or_else(|error| wrong.push(format!("{name}: {error}")), |()| n_hold += 1);
    }
    println!("conformance on Trino\n  query_engine       {n_hold:>3} hold");
    assert!(wrong.is_empty() && n_hold > 0, "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn result_that_is_too_large_fails_permanently() {
    let Some(cluster) = trino_cluster() else { return };
    let folder = cluster.new_folder();
    write_conformance_lake(folder.path());
    cluster.engine_over(&folder).await;
    let config = cluster.config(&folder);
    let small = engine(&TrinoConfig { max_result_bytes: 10_000, ..config });
    let (token, sql) = ("t".to_owned(), EVENT_IDS.to_owned());
    let request = QueryRequest { token, sql, max_rows: 10_000, timeout: Duration::from_secs(60) };
    let id = small.start(&request).await.unwrap();
    let status = loop {
        match small.status(&id).await.unwrap() {
            status if status.is_final() => break status,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let QueryStatus::Failed { kind, reason } = status else { panic!("{status:?}") };
    assert!(kind == FailureKind::Permanent && reason.contains("larger than 10000 bytes"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn password_and_token_are_taken_over_tls_and_others_are_not() {
    let Some(cluster) = trino_cluster() else { return };
    let secrets = Arc::new(MemorySecretStore::default());
    for (name, value) in
        [("password", cluster.over_tls("password")), ("jwt", cluster.over_tls("jwt")), ("wrong", "a.b.c".to_owned())]
    {
        secrets.put(name, &Secret::new(value)).await.unwrap();
    }
    let trusting = TrinoConfig {
        certificates: Some(cluster.over_tls("ca.pem").into_bytes()),
        ..TrinoConfig::new(cluster.over_tls("url").parse().unwrap())
    };
    let ask = async |credentials: Credentials, config: &TrinoConfig| {
        let config = TrinoConfig { credentials, ..config.clone() };
        let output = TrinoQueryEngine::new(config, secrets.clone()).unwrap().collect("SELECT current_user").await?;
        Ok::<_, TrinoError>(output.rows)
    };
    let password = |secret: &str| Credentials::Password { secret: secret.to_owned() };
    let jwt = |secret: &str| Credentials::Jwt { secret: secret.to_owned() };
    for credentials in [password("password"), jwt("jwt")] {
        assert_eq!(ask(credentials, &trusting).await.unwrap(), [[Some("mantissa".to_owned())]]);
    }
    for credentials in [password("wrong"), jwt("wrong"), Credentials::None] {
        let refused = ask(credentials, &trusting).await.unwrap_err();
        assert!(refused.kind() == FailureKind::Permanent && refused.to_string().contains("401"), "{refused}");
    }
    let distrusting = TrinoConfig { certificates: None, ..trusting };
    let refused = ask(password("password"), &distrusting).await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lake_is_registered_again_without_losing_what_is_there() {
    let Some(cluster) = trino_cluster() else { return };
    let (folder, elsewhere) = (cluster.new_folder(), cluster.new_folder());
    let engine = engine(&cluster.config(&folder));
    let registered_as = |registered: Vec<mantissa_trino::Registered>| {
        registered.into_iter().find(|entry| entry.name == "application_logs").unwrap().registered_as
    };
    let mut before = catalogue().clone();
    let table = before.tables.iter_mut().find(|table| table.name == "application_logs").unwrap();
    let position = table.columns.iter().position(|column| column.name == "source_object").unwrap();
    table.columns.remove(position);
    // Views of the version before would name the column.
    before.views.clear();
    let registered = engine.register_lake(&before, &folder.registration()).await.unwrap();
    assert_eq!(registered_as(registered), RegisteredAs::Created);
    let registered = engine.register_lake(catalogue(), &folder.registration()).await.unwrap();
    assert_eq!(registered_as(registered), RegisteredAs::ColumnsAdded { columns: vec!["source_object"] });
    let registered = engine.register_lake(catalogue(), &folder.registration()).await.unwrap();
    assert_eq!(registered_as(registered), RegisteredAs::Unchanged);

    let moved = elsewhere.registration();
    let refused = engine.register_lake(catalogue(), &moved).await.unwrap_err().to_string();
    assert!(refused.contains("--replace") && refused.contains(&elsewhere.location), "{refused}");
    let registered = engine.register_lake(catalogue(), &LakeRegistration { replace: true, ..moved }).await.unwrap();
    assert_eq!(registered_as(registered), RegisteredAs::Replaced);
    let nowhere = LakeRegistration { location: "/lake".to_owned(), replace: false };
    let refused = engine.register_lake(catalogue(), &nowhere).await.unwrap_err().to_string();
    assert!(refused.contains("no scheme"), "{refused}");
}
