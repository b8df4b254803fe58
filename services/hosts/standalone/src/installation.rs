//! One data directory, opened: every adapter of the one-machine build.

use crate::exit::{Failure, IN_USE, bad_input};
use crate::lake_engine::LakeEngine;
use crate::outbound_mail::outbound_mail;
use mantissa_api::ApiDeps;
use mantissa_contracts::topology::{QUEUES, TOPICS};
use mantissa_dedup::DedupDeps;
use mantissa_detection::CompiledRules;
use mantissa_embedded::sqlite::{
    DataDirLock, SqliteAlertStore, SqliteDb, SqliteDeliveryStore, SqliteDestinationStore, SqliteIngestStore,
    SqliteLedgerStore, SqliteQueue, SqliteRuleStore, SqliteTopic,
};
use mantissa_embedded::{EncryptedFileSecretStore, FsObjectStorage, FsRawObjectSource};
use mantissa_enrichment::{AssetTable, EnrichmentDeps};
use mantissa_ingest::IngestDeps;
use mantissa_notifiers::{AddressPolicy, HttpConfig, HttpSender, NotifierConfig, NotifierDeps, sync_destinations};
use mantissa_ports::Publisher;
use mantissa_ports::stores::{AlertStore, DeliveryStore, DestinationStore, IngestStore, LedgerStore, RuleStore};
use mantissa_ports::{Clock, ObjectStorage, Queue, SecretStore, SystemClock, Topic};
use mantissa_query_worker::{QueryWorkerConfig, QueryWorkerDeps};
use mantissa_result_poller::{ResultPollerConfig, ResultPollerDeps};
use mantissa_runtime::config::Config;
use mantissa_runtime::metrics::Metrics;
use mantissa_runtime::trace_export::TraceExportConfig;
use mantissa_scheduler::{SchedulerConfig, SchedulerDeps};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Installation {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) database: Arc<SqliteDb>,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) ingests: Arc<dyn IngestStore>,
    pub(crate) ledger: Arc<dyn LedgerStore>,
    pub(crate) rules: Arc<dyn RuleStore>,
    pub(crate) alerts: Arc<dyn AlertStore>,
    pub(crate) deliveries: Arc<dyn DeliveryStore>,
    pub(crate) destinations: Arc<dyn DestinationStore>,
    pub(crate) secrets: Arc<dyn SecretStore>,
    pub(crate) lake: Arc<dyn ObjectStorage>,
    pub(crate) engine: LakeEngine,
    pub(crate) metrics: Arc<Metrics>,
    compiled: Arc<CompiledRules>,
}

impl Installation {
    /// Opens what is in the data directory, and makes what is not there yet. Several processes may have it open;
    /// only one may run the services (see [`lock`]).
    pub(crate) fn open(data: &Path, config: Config) -> anyhow::Result<Self> {
        std::fs::create_dir_all(data).map_err(|e| bad_input(format!("data directory {}: {e}", data.display())))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let db = SqliteDb::open(data.join("mantissa.db"), clock.clone())?;
        let queues: Vec<Arc<dyn Queue>> =
            QUEUES.iter().map(|spec| Arc::new(SqliteQueue::new(db.clone(), spec)) as Arc<dyn Queue>).collect();
        let topics: Vec<Arc<dyn Topic>> =
            TOPICS.iter().map(|spec| Arc::new(SqliteTopic::new(db.clone(), spec)) as Arc<dyn Topic>).collect();
        let secrets: Arc<dyn SecretStore> = Arc::new(EncryptedFileSecretStore::new(data));
        Ok(Self {
            publisher: Arc::new(Publisher::new(queues, topics)),
            ingests: Arc::new(SqliteIngestStore::new(db.clone())),
            ledger: Arc::new(SqliteLedgerStore::new(db.clone())),
            rules: Arc::new(SqliteRuleStore::new(db.clone())),
            alerts: Arc::new(SqliteAlertStore::new(db.clone())),
            deliveries: Arc::new(SqliteDeliveryStore::new(db.clone())),
            destinations: Arc::new(SqliteDestinationStore::new(db.clone())),
            lake: Arc::new(FsObjectStorage::new(data.join("lake"))),
            engine: LakeEngine::open(data, &config.query, secrets.clone())?,
            secrets,
            metrics: Arc::new(Metrics::default()),
            compiled: Arc::new(CompiledRules::default()),
            database: db,
            clock,
            config,
        })
    }

    pub(crate) fn scheduler(&self) -> SchedulerDeps {
        SchedulerDeps {
            ledger: self.ledger.clone(),
            ingests: self.ingests.clone(),
            clock: self.clock.clone(),
            config: SchedulerConfig { settle: self.config.scheduler.settle(), ..SchedulerConfig::default() },
        }
    }

    pub(crate) fn query_worker(&self) -> QueryWorkerDeps {
        QueryWorkerDeps {
            rules: self.rules.clone(),
            compiled: self.compiled.clone(),
            engine: self.engine.port(),
            clock: self.clock.clone(),
            config: QueryWorkerConfig {
                max_rows: self.config.query.max_rows,
                timeout: Duration::from_secs(self.config.query.timeout_s),
            },
        }
    }

    pub(crate) fn result_poller(&self) -> ResultPollerDeps {
        ResultPollerDeps {
            rules: self.rules.clone(),
            compiled: self.compiled.clone(),
            engine: self.engine.port(),
            publisher: self.publisher.clone(),
            clock: self.clock.clone(),
            config: ResultPollerConfig::default(),
        }
    }

    pub(crate) fn dedup(&self) -> DedupDeps {
        DedupDeps { alerts: self.alerts.clone(), clock: self.clock.clone() }
    }

    pub(crate) fn enrichment(&self) -> anyhow::Result<EnrichmentDeps> {
        let assets = match &self.config.enrichment.assets {
            None => AssetTable::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|e| bad_input(format!("asset table {}: {e}", path.display())))?;
                AssetTable::parse(&path.display().to_string(), &text).map_err(|e| bad_input(e.to_string()))?
            }
        };
        let addresses = match &self.config.enrichment.maxmind {
            None => None,
            Some(path) => Some(Arc::new(
                maxminddb::Reader::open_readfile(path)
                    .map_err(|e| bad_input(format!("MaxMind database {}: {e}", path.display())))?,
            )),
        };
        Ok(EnrichmentDeps {
            alerts: self.alerts.clone(),
            destinations: self.destinations.clone(),
            clock: self.clock.clone(),
            routing: Arc::new(self.config.routing().map_err(|e| bad_input(e.to_string()))?),
            assets: Arc::new(assets),
            addresses,
        })
    }

    /// Where notifications may go.
    pub(crate) fn address_policy(&self, allow_loopback: bool) -> AddressPolicy {
        match allow_loopback || self.config.delivery.allow_loopback {
            true => AddressPolicy::AllowLoopback,
            false => AddressPolicy::Public,
        }
    }

    pub(crate) fn notifier(&self, allow_loopback: bool) -> anyhow::Result<NotifierDeps> {
        // Two runs must not share the name of their claims: a claim of the run before is taken over, not continued.
        let started = self.clock.now();
        let mut config = NotifierConfig::new(format!("{}-{}", std::process::id(), started.timestamp_millis()));
        config.base_url = self.config.base_url().map_err(|e| bad_input(e.to_string()))?;
        Ok(NotifierDeps {
            alerts: self.alerts.clone(),
            deliveries: self.deliveries.clone(),
            destinations: self.destinations.clone(),
            secrets: self.secrets.clone(),
            clock: self.clock.clone(),
            http: HttpSender::new(&HttpConfig::new(self.address_policy(allow_loopback)))?,
            mail: self.config.mail.as_ref().map(|mail| outbound_mail(mail, self.secrets.clone())).transpose()?,
            config,
        })
    }

    /// Where traces go; `None` when no collector is configured.
    pub(crate) async fn trace_export(&self) -> anyhow::Result<Option<TraceExportConfig>> {
        let Some(endpoint) = self.config.telemetry.otlp_endpoint.clone() else { return Ok(None) };
        let headers = match &self.config.telemetry.otlp_headers_secret {
            None => HashMap::new(),
            Some(name) => {
                let secret = self.secrets.get(name).await?.ok_or_else(|| {
                    bad_input(format!("telemetry.otlp_headers_secret: store it with `mantissa secrets set {name}`"))
                })?;
                TraceExportConfig::read_headers(secret.expose()).ok_or_else(|| {
                    bad_input(format!("telemetry.otlp_headers_secret: `{name}` is not `name=value,name=value`"))
                })?
            }
        };
        let config = TraceExportConfig { endpoint, headers };
        config.check().map_err(|e| bad_input(format!("telemetry.otlp_endpoint: {e}")))?;
        Ok(Some(config))
    }

    pub(crate) fn ingest(&self) -> IngestDeps {
        IngestDeps {
            ingests: self.ingests.clone(),
            lake: self.lake.clone(),
            quarantine: self.lake.clone(),
            raw_objects: Arc::new(FsRawObjectSource),
            clock: self.clock.clone(),
            config: mantissa_ingest::IngestConfig::default(),
        }
    }

    pub(crate) fn api(&self) -> ApiDeps {
        ApiDeps {
            alerts: self.alerts.clone(),
            deliveries: self.deliveries.clone(),
            ingests: self.ingests.clone(),
            ledger: self.ledger.clone(),
            publisher: self.publisher.clone(),
            metrics: self.metrics.clone(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) async fn sync_destinations(&self) -> anyhow::Result<()> {
        Ok(sync_destinations(self.destinations.as_ref(), &self.config.destinations()).await?)
    }
}

/// Holds the data directory for this process's services until it is dropped.
pub(crate) fn lock(data: &Path) -> anyhow::Result<DataDirLock> {
    std::fs::create_dir_all(data).map_err(|e| bad_input(format!("data directory {}: {e}", data.display())))?;
    DataDirLock::acquire(data).map_err(|e| Failure { code: IN_USE, message: e.to_string() }.into())
}
