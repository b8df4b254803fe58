//! What was committed is published, whatever happens between the two.

use crate::emulator::{Emulator, Kind};
use crate::resources::{make_queue, make_table};
use aws_config::retry::RetryConfig;
use mantissa_aws::dynamodb::DynamoTables;
use mantissa_aws::dynamodb::schema::TABLES;
use mantissa_aws::sqs::SqsQueue;
use mantissa_contracts::ids::{RuleId, RuleVersion, derive};
use mantissa_contracts::time::TimeWindow;
use mantissa_contracts::topology::find_queue;
use mantissa_ports::stores::{LedgerStore as _, PlanOutcome, PlannedWindow, RuleActivation, WindowState};
use mantissa_ports::{Clock as _, Outgoing, Publisher, Queue, SystemClock};
use std::sync::Arc;
use std::time::Duration;

fn message(text: &str) -> Outgoing {
    Outgoing {
        message_name: "query_requested".to_owned(),
        id: derive("sample", &[text]),
        body: format!("{{\"text\":\"{text}\"}}"),
        attributes: [("type".to_owned(), "mantissa.query_requested.v1".to_owned())].into(),
        delay: Duration::ZERO,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_published_is_published_by_the_sweep_once() {
    let Some(emulator) = Emulator::start(Kind::MiniStack) else { return };
    let config = emulator.config().await;
    for table in TABLES {
        make_table(&config, "o-", &table).await;
    }
    let spec = find_queue("query-worker-query_requested").unwrap();
    let urls = make_queue(&config, "o-", spec).await;
    // As its publisher's death between commit and publish leaves it: nothing listens there.
    let nowhere = aws_sdk_sqs::config::Builder::from(&config)
        .endpoint_url("http://127.0.0.1:1")
        .retry_config(RetryConfig::disabled())
        .build();
    let unreachable = SqsQueue::new(aws_sdk_sqs::Client::from_conf(nowhere), spec, urls.clone());
    let queue: Arc<dyn Queue> = Arc::new(SqsQueue::new(aws_sdk_sqs::Client::new(&config), spec, urls));
    let tables = |queue: Arc<dyn Queue>| {
        let publisher = Arc::new(Publisher::new(vec![queue], vec![]));
        DynamoTables::new(aws_sdk_dynamodb::Client::new(&config), "o-", publisher, Arc::new(SystemClock))
    };
    let (cut_off, whole) = (tables(Arc::new(unreachable)), tables(queue.clone()));
    let from = SystemClock.now();
    let rule = |name: &str| (RuleId::new(name), RuleVersion::new("1"));
    let mut expected = Vec::new();
    for i in 0..20 {
        let (rule_id, rule_version) = rule(&format!("r{i}"));
        let (table, window) = ("t".to_owned(), TimeWindow::new(from, from + Duration::from_secs(60)));
        let activation =
            RuleActivation { rule_id: rule_id.clone(), rule_version: rule_version.clone(), table, every_s: 60, from };
        whole.ledger().activate(&activation).await.unwrap();
        let state = WindowState::Planned;
        let planned = PlannedWindow { rule_id, rule_version, window, state, planned_at: from };
        let messages = [message(&format!("{i} a")), message(&format!("{i} b"))];
        // Every other commit cannot publish: it succeeds all the same.
        let committing = if i % 2 == 0 { &cut_off } else { &whole };
        assert_eq!(committing.ledger().plan(&planned, &messages).await.unwrap(), PlanOutcome::Planned);
        expected.extend(messages.map(|message| message.body));
    }
    assert_eq!(queue.depth().await.unwrap().n_visible, 20);
    let just_now = Duration::ZERO;
    assert!(cut_off.outbox().sweep(just_now).await.unwrap_err().is_transient());
    assert_eq!(whole.outbox().sweep(Duration::from_secs(3600)).await.unwrap(), 0, "its committer may be publishing it");
    assert_eq!(whole.outbox().sweep(just_now).await.unwrap(), 20);
    assert_eq!(whole.outbox().sweep(just_now).await.unwrap(), 0);
    let received = queue.receive(100, Duration::from_secs(60), Duration::from_secs(1)).await.unwrap();
    let mut bodies: Vec<String> = received.into_iter().map(|message| message.body).collect();
    bodies.sort();
    expected.sort();
    assert_eq!(bodies, expected);
}
