//! The adapters as the suites want them: queues, topics and tables of their own for each sentence.

use crate::emulator::{Emulator, Kind};
use crate::resources::{make_queue, make_table, make_topic};
use async_trait::async_trait;
use aws_config::SdkConfig;
use mantissa_aws::dynamodb::DynamoTables;
use mantissa_aws::dynamodb::schema::TABLES;
use mantissa_aws::s3::{S3ObjectStorage, S3RawObjectSource};
use mantissa_aws::sqs::{QueueUrls, SqsQueue};
use mantissa_aws::{SecretsManagerStore, SesMailer, SnsTopic};
use mantissa_contracts::time::Instant;
use mantissa_contracts::topology::{QUEUES, QueueSpec, TopicSpec, find_queue};
use mantissa_ports::conformance::topic::{FILTERED, UNSUBSCRIBED};
use mantissa_ports::conformance::{
    ArrivedMail, Fixture, MailerFixture, ObjectStorageFixture, RawObjectFixture, SecretStoreFixture,
};
use mantissa_ports::stores::{AlertStore, DeliveryStore, DestinationStore, IngestStore, LedgerStore, RuleStore};
use mantissa_ports::{
    Clock as _, DeadMessage, Mailer, ObjectStorage, Outgoing, PortError, Publisher, Queue, QueueDepth, RawObjectSource,
    Receipt, ReceivedMessage, SecretStore, SystemClock, Topic,
};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// An emulator's time passes as ours does: a minute of the suites lasts three seconds.
fn fast(duration: Duration) -> Duration {
    if duration >= Duration::from_secs(60) { duration / 20 } else { duration }
}

/// What one sentence has.
#[derive(Clone)]
pub(crate) struct AwsFixture {
    config: SdkConfig,
    prefix: String,
    queues: HashMap<&'static str, QueueUrls>,
    topics: HashMap<&'static str, String>,
}

impl AwsFixture {
    /// Makes what the suite uses and nothing else, under a prefix of its own.
    pub(crate) async fn new(emulator: &Emulator, suite: &str, number: usize) -> Self {
        let config = emulator.config().await;
        let prefix = format!("t{number}-");
        let mut fixture = Self { config, prefix, queues: HashMap::new(), topics: HashMap::new() };
        let with_queues = matches!(suite, "queue" | "queue_dlq" | "topic");
        for spec in QUEUES.iter().filter(|spec| with_queues || spec.name == "dedup-rule_matched") {
            fixture.queues.insert(spec.name, make_queue(&fixture.config, &fixture.prefix, spec).await);
        }
        if suite == "topic" {
            for spec in [&FILTERED, &UNSUBSCRIBED] {
                let url_of = |name: &str| fixture.queues[name].queue.clone();
                let arn = make_topic(&fixture.config, &fixture.prefix, spec, url_of).await;
                fixture.topics.insert(spec.name, arn);
            }
        }
        if !with_queues {
            for spec in TABLES {
                make_table(&fixture.config, &fixture.prefix, &spec).await;
            }
        }
        fixture
    }

    fn tables(&self) -> DynamoTables {
        let queue = self.queue(find_queue("dedup-rule_matched").unwrap());
        let publisher = Arc::new(Publisher::new(vec![queue], vec![]));
        let client = aws_sdk_dynamodb::Client::new(&self.config);
        DynamoTables::new(client, &self.prefix, publisher, Arc::new(SystemClock))
    }
}

#[async_trait]
impl Fixture for AwsFixture {
    fn now(&self) -> Instant {
        SystemClock.now()
    }

    async fn advance(&self, by: Duration) {
        tokio::time::sleep(fast(by) + Duration::from_millis(200)).await;
    }

    async fn reopen(&self) -> Option<Box<dyn Fixture>> {
        Some(Box::new(self.clone()))
    }

    fn queue(&self, spec: &'static QueueSpec) -> Arc<dyn Queue> {
        let client = aws_sdk_sqs::Client::new(&self.config);
        Arc::new(FastQueue(SqsQueue::new(client, spec, self.queues[spec.name].clone())))
    }

    fn topic(&self, spec: &'static TopicSpec) -> Arc<dyn Topic> {
        Arc::new(SnsTopic::new(aws_sdk_sns::Client::new(&self.config), spec, &self.topics[spec.name]))
    }

    fn ingests(&self) -> Arc<dyn IngestStore> {
        // Each handle is a process of its own.
        Arc::new(self.tables().ingests(&Uuid::now_v7().to_string()))
    }

    fn ledger(&self) -> Arc<dyn LedgerStore> {
        Arc::new(self.tables().ledger())
    }

    fn rules(&self) -> Arc<dyn RuleStore> {
        Arc::new(self.tables().rules())
    }

    fn alerts(&self) -> Arc<dyn AlertStore> {
        Arc::new(self.tables().alerts())
    }

    fn deliveries(&self) -> Arc<dyn DeliveryStore> {
        Arc::new(self.tables().deliveries())
    }

    fn destinations(&self) -> Arc<dyn DestinationStore> {
        Arc::new(self.tables().destinations())
    }
}

/// A queue whose minutes are three seconds.
struct FastQueue(SqsQueue);

#[async_trait]
impl Queue for FastQueue {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn send(&self, messages: &[Outgoing]) -> Result<(), PortError> {
        let fast = |message: &Outgoing| Outgoing { delay: fast(message.delay), ..message.clone() };
        self.0.send(&messages.iter().map(fast).collect::<Vec<_>>()).await
    }

    async fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<ReceivedMessage>, PortError> {
        self.0.receive(max, fast(visibility), wait).await
    }

    async fn ack(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        self.0.ack(receipts).await
    }

    async fn change_visibility(&self, receipt: &Receipt, visibility: Duration) -> Result<(), PortError> {
        self.0.change_visibility(receipt, fast(visibility)).await
    }

    async fn dead_letter(&self, receipt: &Receipt, reason: &str) -> Result<(), PortError> {
        self.0.dead_letter(receipt, reason).await
    }

    async fn depth(&self) -> Result<QueueDepth, PortError> {
        self.0.depth().await
    }

    async fn dead(&self, limit: usize, after: Option<Uuid>) -> Result<Vec<DeadMessage>, PortError> {
        self.0.dead(limit, after).await
    }

    async fn dead_message(&self, dead_id: Uuid) -> Result<Option<DeadMessage>, PortError> {
        self.0.dead_message(dead_id).await
    }

    async fn replay(&self, dead_id: Uuid) -> Result<bool, PortError> {
        self.0.replay(dead_id).await
    }

    async fn discard(&self, dead_id: Uuid) -> Result<bool, PortError> {
        self.0.discard(dead_id).await
    }
}

/// One bucket.
pub(crate) struct BucketFixture {
    config: SdkConfig,
    bucket: String,
}

impl BucketFixture {
    pub(crate) async fn new(emulator: &Emulator, suite: &str, number: usize) -> Self {
        let fixture = Self { config: emulator.config().await, bucket: format!("{}-{number}", suite.replace('_', "-")) };
        fixture.client().create_bucket().bucket(&fixture.bucket).send().await.unwrap();
        fixture
    }

    /// Emulators have one host name for all buckets.
    fn client(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(config)
    }
}

impl ObjectStorageFixture for BucketFixture {
    fn open(&self) -> Arc<dyn ObjectStorage> {
        Arc::new(S3ObjectStorage::new(self.client(), &self.bucket))
    }
}

impl RawObjectFixture for BucketFixture {
    fn source(&self) -> Arc<dyn RawObjectSource> {
        Arc::new(S3RawObjectSource::new(self.client()))
    }

    fn root(&self) -> String {
        format!("s3://{}/logs", self.bucket)
    }

    fn put(&self, name: &str, content: &[u8]) {
        let put =
            self.client().put_object().bucket(&self.bucket).key(format!("logs/{name}")).body(content.to_vec().into());
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(put.send()).unwrap();
        });
    }
}

pub(crate) struct SecretsFixture {
    config: SdkConfig,
    prefix: String,
}

impl SecretsFixture {
    pub(crate) async fn new(emulator: &Emulator, number: usize) -> Self {
        Self { config: emulator.config().await, prefix: format!("mantissa-{number}") }
    }
}

impl SecretStoreFixture for SecretsFixture {
    fn open(&self) -> Arc<dyn SecretStore> {
        Arc::new(SecretsManagerStore::new(aws_sdk_secretsmanager::Client::new(&self.config), &self.prefix))
    }

    fn stored_bytes(&self) -> Option<Vec<u8>> {
        None
    }

    fn outlives_its_process(&self) -> bool {
        true
    }
}

/// An identity of its own, and what an emulator shows of the mails that it sent.
pub(crate) struct MailFixture {
    config: SdkConfig,
    kind: Kind,
    endpoint: String,
    sender: String,
}

impl MailFixture {
    pub(crate) async fn new(emulator: &Emulator, number: usize) -> Self {
        mantissa_runtime::tls::install_crypto_provider();
        let (config, sender) = (emulator.config().await, format!("alerts-{number}@example.com"));
        let client = aws_sdk_sesv2::Client::new(&config);
        client.create_email_identity().email_identity(&sender).send().await.unwrap();
        Self { config, kind: emulator.kind, endpoint: emulator.endpoint.clone(), sender }
    }

    async fn read(&self, path: &str) -> Value {
        let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(format!("{}{path}", self.endpoint));
        serde_json::from_str(&answer.send().await.unwrap().text().await.unwrap()).unwrap()
    }
}

#[async_trait]
impl MailerFixture for MailFixture {
    fn mailer(&self) -> Arc<dyn Mailer> {
        Arc::new(SesMailer::new(&self.config))
    }

    fn sender(&self) -> String {
        format!("Mantissa Log <{}>", self.sender)
    }

    fn stranger(&self) -> String {
        "nobody@elsewhere.example".to_owned()
    }

    async fn arrived(&self) -> Vec<ArrivedMail> {
        // What each calls the parts of a mail. Headers are shown by neither, the text by one of them.
        let (mails, [from, to, subject, html]) = match self.kind {
            Kind::MiniStack | Kind::WholeMiniStack => (
                self.read("/_ministack/ses/messages").await["messages"]["000000000000"].take(),
                ["/Source", "/To", "/Subject", "/BodyHtml"],
            ),
            Kind::Moto => (
                self.read("/moto-api/data.json").await["ses"]["Message"].take(),
                ["/source", "/destinations/ToAddresses", "/subject", "/body"],
            ),
        };
        let text_at = |mail: &Value, at: &str| mail.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let mails = mails.as_array().cloned().unwrap_or_default();
        let ours = mails.iter().filter(|mail| text_at(mail, from).is_some_and(|from| from.contains(&self.sender)));
        let arrived = ours.map(|mail| ArrivedMail {
            to: mail.pointer(to).and_then(Value::as_array).into_iter().flatten().map(Value::to_string).collect(),
            subject: text_at(mail, subject).unwrap_or_default(),
            text: text_at(mail, "/BodyText"),
            html: text_at(mail, html),
            headers: None,
        });
        arrived.collect()
    }
}
