//! The adapters a function was deployed with.

use crate::config::FunctionConfig;
use crate::configuration::Configuration;
use crate::functions::{FUNCTIONS, FunctionSpec};
use anyhow::Context as _;
use mantissa_aws::athena::{AthenaConfig, WakeOnEnd};
use mantissa_aws::dynamodb::{DynamoTables, Outbox};
use mantissa_aws::sqs::{HandedQueue, QueueUrls, SqsQueue};
use mantissa_aws::{Account, EventBus};
use mantissa_contracts::topology::{find_queue, find_topic};
use mantissa_ports::stores::{AlertStore, DeliveryStore, DestinationStore, IngestStore, LedgerStore, RuleStore};
use mantissa_ports::{
    Clock, Mailer, ObjectStorage, Publisher, QueryEngine, Queue, RawObjectSource, SecretStore, SystemClock, Topic,
};
use mantissa_runtime::metrics::Metrics;
use mantissa_runtime::telemetry::{self, LogFormat};
use mantissa_runtime::trace_export::{self, TraceExportConfig};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

/// A start has ten seconds, and some functions no more for their work.
const TRACES_WITHIN: Duration = Duration::from_secs(2);

pub struct Deployment {
    pub(crate) spec: &'static FunctionSpec,
    pub(crate) config: FunctionConfig,
    account: Account,
    pub clock: Arc<dyn Clock>,
    pub publisher: Arc<Publisher>,
    pub metrics: Arc<Metrics>,
}

impl Deployment {
    /// Reads the environment, begins to log, and opens the queues and topics it names.
    pub async fn open() -> anyhow::Result<Self> {
        let config = FunctionConfig::of_process()?;
        let spec = FUNCTIONS.iter().find(|function| function.name == config.function);
        let spec = spec.with_context(|| format!("MANTISSA_FUNCTION: there is no function `{}`", config.function))?;
        telemetry::install(LogFormat::Json, &config.log_filter)?;
        let account = Account::of_process().await;
        if let Some(endpoint) = config.otlp_endpoint.clone() {
            // A collector that cannot be told of stops no alert.
            let exported = tokio::time::timeout(TRACES_WITHIN, export_traces(endpoint, &config, &account)).await;
            if let Err(error) = exported.context("its secret was not read in time").and_then(|exported| exported) {
                warn!("traces are not exported: {error:#}");
            }
        }
        let mut queues: Vec<Arc<dyn Queue>> = Vec::new();
        for name in &config.queues.names {
            queues.push(Arc::new(open_queue(&account, &config, name)?));
        }
        let mut topics: Vec<Arc<dyn Topic>> = Vec::new();
        for (name, arn) in &config.topics {
            let spec = find_topic(name).with_context(|| format!("topic `{name}` is not in the topology"))?;
            topics.push(Arc::new(account.topic(spec, arn)));
        }
        Ok(Self {
            spec,
            config,
            account,
            clock: Arc::new(SystemClock),
            publisher: Arc::new(Publisher::new(queues, topics)),
            metrics: Arc::new(Metrics::default()),
        })
    }

    /// A queue whose messages Lambda hands over.
    pub(crate) fn handed_queue(&self, name: &str) -> anyhow::Result<Arc<HandedQueue>> {
        Ok(Arc::new(HandedQueue::new(open_queue(&self.account, &self.config, name)?)))
    }

    /// One whose messages wait for queries of Athena.
    pub(crate) fn waiting_queue(&self, name: &str) -> anyhow::Result<Arc<HandedQueue>> {
        let queries = WakeOnEnd { waits: self.tables()?.query_waits() };
        Ok(Arc::new(HandedQueue::waiting_for(queries, open_queue(&self.account, &self.config, name)?)))
    }

    pub fn alerts(&self) -> anyhow::Result<Arc<dyn AlertStore>> {
        Ok(Arc::new(self.tables()?.alerts()))
    }

    pub fn deliveries(&self) -> anyhow::Result<Arc<dyn DeliveryStore>> {
        Ok(Arc::new(self.tables()?.deliveries()))
    }

    pub fn destinations(&self) -> anyhow::Result<Arc<dyn DestinationStore>> {
        Ok(Arc::new(self.tables()?.destinations()))
    }

    pub fn ingests(&self) -> anyhow::Result<Arc<dyn IngestStore>> {
        Ok(Arc::new(self.tables()?.ingests(&self.process())))
    }

    pub fn ledger(&self) -> anyhow::Result<Arc<dyn LedgerStore>> {
        Ok(Arc::new(self.tables()?.ledger()))
    }

    pub fn rules(&self) -> anyhow::Result<Arc<dyn RuleStore>> {
        Ok(Arc::new(self.tables()?.rules()))
    }

    pub fn outbox(&self) -> anyhow::Result<Outbox> {
        Ok(self.tables()?.outbox().clone())
    }

    pub fn lake(&self) -> anyhow::Result<Arc<dyn ObjectStorage>> {
        Ok(Arc::new(self.account.objects(self.config.lake_bucket()?)))
    }

    pub fn raw_objects(&self) -> Arc<dyn RawObjectSource> {
        Arc::new(self.account.raw_objects())
    }

    pub fn secrets(&self) -> anyhow::Result<Arc<dyn SecretStore>> {
        Ok(Arc::new(self.account.secrets(self.config.secret_prefix()?)))
    }

    pub fn mailer(&self) -> Arc<dyn Mailer> {
        Arc::new(self.account.mailer())
    }

    pub(crate) fn event_bus(&self) -> anyhow::Result<EventBus> {
        Ok(self.account.event_bus(self.config.event_bus()?))
    }

    pub fn engine(&self) -> anyhow::Result<Arc<dyn QueryEngine>> {
        let athena = self.config.athena()?;
        // A window is judged once, so a result is never asked for again.
        let config = AthenaConfig {
            workgroup: athena.workgroup.clone(),
            database: athena.database.clone(),
            reuse_results: None,
        };
        Ok(Arc::new(self.account.athena(config, self.clock.clone())))
    }

    /// What the archive of this deployment says.
    pub async fn configuration(&self) -> anyhow::Result<Configuration> {
        let (bucket, key) = self.config.configuration()?;
        let archive = self.account.objects(bucket).get(key).await?;
        let archive = archive.with_context(|| format!("the configuration s3://{bucket}/{key} is not there"))?;
        Configuration::read(archive.into()).with_context(|| format!("configuration s3://{bucket}/{key}"))
    }

    /// Names this execution environment; two never share it, nor do two lives of one.
    pub fn process(&self) -> String {
        let stream = self.config.log_stream.as_deref().unwrap_or(&self.config.function);
        format!("{stream}-{:016x}", rand::random::<u64>())
    }

    fn tables(&self) -> anyhow::Result<DynamoTables> {
        Ok(self.account.tables(self.config.table_prefix()?, self.publisher.clone(), self.clock.clone()))
    }
}

async fn export_traces(endpoint: String, config: &FunctionConfig, account: &Account) -> anyhow::Result<()> {
    let mut export = TraceExportConfig { endpoint, headers: HashMap::new() };
    if let Some(name) = &config.otlp_headers_secret {
        let headers = account.secrets(config.secret_prefix()?).get(name).await?;
        let headers = headers.with_context(|| format!("secret `{name}` has no value yet"))?;
        export.headers = TraceExportConfig::read_headers(headers.expose())
            .with_context(|| format!("secret `{name}` is not `name=value,name=value`"))?;
    }
    Ok(trace_export::install(export)?)
}

fn open_queue(account: &Account, config: &FunctionConfig, name: &str) -> anyhow::Result<SqsQueue> {
    let (queue, dlq) = config
        .queues
        .of(name)
        .with_context(|| format!("MANTISSA_QUEUES has no `{name}`: function `{}` needs it", config.function))?;
    let spec = find_queue(name).with_context(|| format!("queue `{name}` is not in the topology"))?;
    Ok(account.queue(spec, QueueUrls { queue, dlq }))
}
