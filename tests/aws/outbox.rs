//! What was committed is published, whatever happens between the two.

use crate::emulator::{Emulator, Kind};
use crate::resources::{make_queue, make_table};
use async_trait::async_trait;
use mantissa_aws::dynamodb::DynamoTables;
use mantissa_aws::dynamodb::schema::TABLES;
use mantissa_aws::sqs::SqsQueue;
use mantissa_contracts::ids::{RuleId, RuleVersion, derive};
use mantissa_contracts::time::TimeWindow;
use mantissa_contracts::topology::{QueueSpec, find_queue};
use mantissa_ports::stores::{LedgerStore as _, PlanOutcome, PlannedWindow, RuleActivation, WindowState};
use mantissa_ports::{
    Clock as _, DeadMessage, Outgoing, PortError, Publisher, Queue, QueueDepth, Receipt, ReceivedMessage, SystemClock,
};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A queue that cannot be reached, as its publisher's death between commit and publish leaves it.
struct Unreachable(&'static QueueSpec);

#[async_trait]
impl Queue for Unreachable {
    fn name(&self) -> &str {
        self.0.name
    }

    async fn send(&self, _: &[Outgoing]) -> Result<(), PortError> {
        Err(PortError::transient("send to queue", self.0.name, "it cannot be reached"))
    }

    async fn receive(&self, _: usize, _: Duration, _: Duration) -> Result<Vec<ReceivedMessage>, PortError> {
        Ok(Vec::new())
    }

    async fn ack(&self, _: &[Receipt]) -> Result<(), PortError> {
        Ok(())
    }

    async fn change_visibility(&self, _: &Receipt, _: Duration) -> Result<(), PortError> {
        Ok(())
    }

    async fn dead_letter(&self, _: &Receipt, _: &str) -> Result<(), PortError> {
        Ok(())
    }

    async fn depth(&self) -> Result<QueueDepth, PortError> {
        Ok(QueueDepth::default())
    }

    async fn dead(&self, _: usize, _: Option<Uuid>) -> Result<Vec<DeadMessage>, PortError> {
        Ok(Vec::new())
    }

    async fn dead_message(&self, _: Uuid) -> Result<Option<DeadMessage>, PortError> {
        Ok(None)
    }

    async fn replay(&self, _: Uuid) -> Result<bool, PortError> {
        Ok(false)
    }

    async fn discard(&self, _: Uuid) -> Result<bool, PortError> {
        Ok(false)
    }
}

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
    let queue: Arc<dyn Queue> = Arc::new(SqsQueue::new(aws_sdk_sqs::Client::new(&config), spec, urls));
    let tables = |queue: Arc<dyn Queue>| {
        let publisher = Arc::new(Publisher::new(vec![queue], vec![]));
        DynamoTables::new(aws_sdk_dynamodb::Client::new(&config), "o-", publisher, Arc::new(SystemClock))
    };
    let (cut_off, whole) = (tables(Arc::new(Unreachable(spec))), tables(queue.clone()));
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
