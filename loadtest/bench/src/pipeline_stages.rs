//! The stages from match to webhook, running over the durable queues as they do in the product.

use crate::open_data_dir::DataDir;
use anyhow::Context as _;
use mantissa_contracts::ids::DestinationId;
use mantissa_contracts::messages::DestinationType;
use mantissa_contracts::topology::find_queue;
use mantissa_dedup::{DedupDeps, MatchHandler};
use mantissa_domain::routing::RoutingConfig;
use mantissa_embedded::EncryptedFileSecretStore;
use mantissa_embedded::sqlite::{SqliteAlertStore, SqliteDeliveryStore, SqliteDestinationStore};
use mantissa_enrichment::{AssetTable, EnrichmentDeps, OpenedHandler, UpdatedHandler};
use mantissa_notifiers::{AddressPolicy, HttpConfig, HttpSender, NotificationHandler, NotifierConfig, NotifierDeps};
use mantissa_ports::Publisher;
use mantissa_ports::stores::{AlertStore, Destination, DestinationStore};
use mantissa_ports::{Secret, SecretStore};
use mantissa_runtime::metrics::Metrics;
use mantissa_runtime::{Handler, Worker, WorkerConfig};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const QUEUES: [&str; 4] =
    ["dedup-rule_matched", "enrichment-alert_opened", "enrichment-alert_updated", "notifiers-webhook"];
const DESTINATION: &str = "bench-receiver";
const SIGNING_SECRET: &str = "bench_signing_key";

pub(crate) struct Stages {
    pub(crate) publisher: Arc<Publisher>,
    tasks: JoinSet<()>,
    shutdown: CancellationToken,
}

impl Stages {
    pub(crate) async fn start(data: &DataDir, receiver: SocketAddr) -> anyhow::Result<Self> {
        let alerts: Arc<dyn AlertStore> = Arc::new(SqliteAlertStore::new(data.db.clone()));
        let destinations = Arc::new(SqliteDestinationStore::new(data.db.clone()));
        let secrets = Arc::new(EncryptedFileSecretStore::new(&data.path));
        // 32 bytes in base64; nothing is protected by it.
        secrets.put(SIGNING_SECRET, &Secret::new("whsec_YmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmU=")).await?;
        destinations.put(&destination(receiver)).await?;
        let dedup = DedupDeps { alerts: alerts.clone(), clock: data.clock.clone() };
        let enrichment = EnrichmentDeps {
            alerts: alerts.clone(),
            destinations: destinations.clone(),
            clock: data.clock.clone(),
            routing: Arc::new(RoutingConfig { routes: Vec::new(), defaults: vec![DestinationId::new(DESTINATION)] }),
            assets: Arc::new(AssetTable::default()),
            addresses: None,
        };
        let notifier = NotifierDeps {
            alerts,
            deliveries: Arc::new(SqliteDeliveryStore::new(data.db.clone())),
            destinations,
            secrets,
            clock: data.clock.clone(),
            http: HttpSender::new(&HttpConfig::new(AddressPolicy::AllowLoopback))?,
            mail: None,
            config: NotifierConfig::new("bench"),
        };
        let mut stages =
            Self { publisher: data.publisher(), tasks: JoinSet::new(), shutdown: CancellationToken::new() };
        stages.work(QUEUES[0], MatchHandler(dedup))?;
        stages.work(QUEUES[1], OpenedHandler(enrichment.clone()))?;
        stages.work(QUEUES[2], UpdatedHandler(enrichment))?;
        stages.work(QUEUES[3], NotificationHandler::new(notifier))?;
        Ok(stages)
    }

    /// Whether no message is left anywhere. An error when one is dead.
    pub(crate) async fn are_idle(&self) -> anyhow::Result<bool> {
        for name in QUEUES {
            let queue = self.publisher.queue(name).with_context(|| format!("queue `{name}` is not set up"))?;
            let depth = queue.depth().await?;
            anyhow::ensure!(depth.n_dead == 0, "{} messages of `{name}` are dead", depth.n_dead);
            if depth.n_visible + depth.n_in_flight + depth.n_delayed > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
    }

    fn work<H: Handler>(&mut self, name: &str, handler: H) -> anyhow::Result<()> {
        let queue = self.publisher.queue(name).with_context(|| format!("queue `{name}` is not set up"))?.clone();
        let spec = find_queue(name).with_context(|| format!("queue `{name}` is not in the topology"))?;
        let worker = Worker {
            queue,
            handler,
            publisher: self.publisher.clone(),
            metrics: Arc::new(Metrics::default()),
            config: WorkerConfig::of(spec),
        };
        self.tasks.spawn(worker.run(self.shutdown.clone()));
        Ok(())
    }
}

fn destination(receiver: SocketAddr) -> Destination {
    Destination {
        destination_id: DestinationId::new(DESTINATION),
        destination_type: DestinationType::Webhook,
        enabled: true,
        disabled_reason: None,
        settings: BTreeMap::from([
            ("url".to_owned(), format!("http://{receiver}/")),
            ("signing_secret".to_owned(), SIGNING_SECRET.to_owned()),
        ]),
    }
}
