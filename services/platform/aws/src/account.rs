//! One account and region, and the adapters on its services.

use crate::athena::{AthenaConfig, AthenaQueryEngine};
use crate::dynamodb::DynamoTables;
use crate::s3::{S3ObjectStorage, S3RawObjectSource};
use crate::sqs::{QueueUrls, SqsQueue};
use crate::{EventBus, SecretsManagerStore, SesMailer, SnsTopic, load_config};
use aws_config::SdkConfig;
use mantissa_contracts::topology::{QueueSpec, TopicSpec};
use mantissa_ports::{Clock, Publisher};
use std::sync::{Arc, OnceLock};

/// A service's client is made once, when it is first needed: all that talk to the service share it.
pub struct Account {
    config: SdkConfig,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    sns: OnceLock<aws_sdk_sns::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
}

impl Account {
    /// The account whose credentials and region the process was given.
    pub async fn of_process() -> Self {
        Self {
            config: load_config().await,
            sqs: OnceLock::new(),
            sns: OnceLock::new(),
            dynamodb: OnceLock::new(),
            s3: OnceLock::new(),
        }
    }

    pub fn queue(&self, spec: &'static QueueSpec, urls: QueueUrls) -> SqsQueue {
        SqsQueue::new(self.sqs.get_or_init(|| aws_sdk_sqs::Client::new(&self.config)).clone(), spec, urls)
    }

    pub fn topic(&self, spec: &'static TopicSpec, arn: &str) -> SnsTopic {
        SnsTopic::new(self.sns.get_or_init(|| aws_sdk_sns::Client::new(&self.config)).clone(), spec, arn)
    }

    pub fn tables(&self, prefix: &str, publisher: Arc<Publisher>, clock: Arc<dyn Clock>) -> DynamoTables {
        DynamoTables::new(
            self.dynamodb.get_or_init(|| aws_sdk_dynamodb::Client::new(&self.config)).clone(),
            prefix,
            publisher,
            clock,
        )
    }

    pub fn objects(&self, bucket: &str) -> S3ObjectStorage {
        S3ObjectStorage::new(self.s3(), bucket)
    }

    pub fn raw_objects(&self) -> S3RawObjectSource {
        S3RawObjectSource::new(self.s3())
    }

    pub fn secrets(&self, prefix: &str) -> SecretsManagerStore {
        SecretsManagerStore::new(aws_sdk_secretsmanager::Client::new(&self.config), prefix)
    }

    pub fn athena(&self, config: AthenaConfig, clock: Arc<dyn Clock>) -> AthenaQueryEngine {
        AthenaQueryEngine::new(aws_sdk_athena::Client::new(&self.config), config, clock)
    }

    pub fn event_bus(&self, name: &str) -> EventBus {
        EventBus::new(aws_sdk_eventbridge::Client::new(&self.config), name)
    }

    pub fn mailer(&self) -> SesMailer {
        SesMailer::new(&self.config)
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        self.s3.get_or_init(|| aws_sdk_s3::Client::new(&self.config)).clone()
    }
}
