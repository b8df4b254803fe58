//! Runs every stage in this process.

use crate::installation::Installation;
use anyhow::Context as _;
use chrono::TimeDelta;
use mantissa_contracts::Envelope;
use mantissa_contracts::topology::{DLQ_RETENTION_DAYS, QueueSpec, find_queue};
use mantissa_dedup::MatchHandler;
use mantissa_embedded::sqlite::DataDirLock;
use mantissa_enrichment::{ClosedHandler, OpenedHandler, UpdatedHandler};
use mantissa_ingest::{FolderWatch, IngestHandler, compact_table};
use mantissa_lake::catalogue::catalogue;
use mantissa_notifiers::NotificationHandler;
use mantissa_ports::{Outgoing, Queue};
use mantissa_query_worker::RequestHandler;
use mantissa_result_poller::StartedHandler;
use mantissa_runtime::{Handler, Worker, WorkerConfig, trace_export};
use mantissa_scheduler::handler::{CompletedHandler, FailedHandler};
use mantissa_scheduler::{DeadLetterWatch, tick};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Interval;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// How often the DLQs are looked at.
const WATCH_DLQ_EVERY: Duration = Duration::from_secs(15);

const KEEP_HOUSE_EVERY: Duration = Duration::from_secs(3600);
/// How often a watched folder is listed; a file is taken when two listings in a row agree.
const WATCH_FOLDER_EVERY: Duration = Duration::from_secs(1);

/// The running services; they end when the token is cancelled, after finishing what they hold.
pub(crate) struct Services {
    tasks: JoinSet<()>,
    shutdown: CancellationToken,
    /// Where the server listens; the port may have been chosen by the system.
    pub(crate) address: Option<SocketAddr>,
}

impl Services {
    /// Starts every stage, the watch folders and the server; first it frees what a killed run held.
    pub(crate) async fn start(
        installation: Arc<Installation>,
        lock: &DataDirLock,
        watch: Vec<PathBuf>,
        allow_loopback: bool,
    ) -> anyhow::Result<Self> {
        let shutdown = CancellationToken::new();
        let mut services = Self { tasks: JoinSet::new(), shutdown, address: None };
        if let Some(config) = installation.trace_export().await? {
            trace_export::install(config)?;
        }
        let released = installation.database.release_held(lock).await?;
        if released.n_messages + released.n_commits > 0 {
            info!(
                "the run before ended with {} messages in hand and {} commits in progress: they are done again now",
                released.n_messages, released.n_commits
            );
        }
        let enrichment = installation.enrichment()?;
        let notifier = installation.notifier(allow_loopback)?;
        let scheduler = installation.scheduler();

        let ingest = IngestHandler { deps: installation.ingest(), metrics: installation.metrics.clone() };
        services.work(&installation, "ingest-object_received", ingest)?;
        services.work(&installation, "query-worker-query_requested", RequestHandler(installation.query_worker()))?;
        services.work(&installation, "result-poller-query_started", StartedHandler(installation.result_poller()))?;
        services.work(&installation, "dedup-rule_matched", MatchHandler(installation.dedup()))?;
        services.work(&installation, "scheduler-query_completed", CompletedHandler(scheduler.clone()))?;
        services.work(&installation, "scheduler-rule_failed", FailedHandler(scheduler))?;
        services.work(&installation, "enrichment-alert_opened", OpenedHandler(enrichment.clone()))?;
        services.work(&installation, "enrichment-alert_updated", UpdatedHandler(enrichment.clone()))?;
        services.work(&installation, "enrichment-alert_closed", ClosedHandler(enrichment))?;
        services.work(&installation, "notifiers-slack", NotificationHandler::new(notifier.clone()))?;
        services.work(&installation, "notifiers-webhook", NotificationHandler::new(notifier.clone()))?;
        services.work(&installation, "notifiers-email", NotificationHandler::new(notifier))?;

        services.schedule(installation.clone());
        services.watch_dead_letters(installation.clone());
        services.keep_house(installation.clone());
        for folder in watch {
            services.watch_folder(installation.clone(), folder);
        }
        services.serve(&installation).await?;
        Ok(services)
    }

    /// Waits for a service to end that should not: what it did would stay undone without a word.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Err(panic)) => anyhow::anyhow!("a service ended: {panic}"),
            Some(Ok(())) => anyhow::anyhow!("a service ended by itself"),
            // No service, no failure.
            None => std::future::pending().await,
        }
    }

    /// Ends every service, after what it holds is finished.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
        trace_export::flush().await;
    }

    fn work<H: Handler>(&mut self, installation: &Installation, name: &str, handler: H) -> anyhow::Result<()> {
        let queue: Arc<dyn Queue> =
            installation.publisher.queue(name).with_context(|| format!("queue `{name}` is not set up"))?.clone();
        let spec: &QueueSpec = find_queue(name).with_context(|| format!("queue `{name}` is not in the topology"))?;
        let worker = Worker {
            queue,
            handler,
            publisher: installation.publisher.clone(),
            metrics: installation.metrics.clone(),
            config: WorkerConfig::of(spec),
        };
        self.tasks.spawn(worker.run(self.shutdown.clone()));
        Ok(())
    }

    fn schedule(&mut self, installation: Arc<Installation>) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let deps = installation.scheduler();
            let mut timer = tokio::time::interval(Duration::from_millis(installation.config.scheduler.tick_ms.max(10)));
            timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while is_due(&mut timer, &shutdown).await {
                if let Err(failure) = tick(&deps).await {
                    installation.metrics.count("mantissa_scheduler_failures_total", "ticks that failed", &[], 1);
                    error!("scheduler tick failed, the next one goes on from the ledger: {failure}");
                }
            }
        });
    }

    fn watch_dead_letters(&mut self, installation: Arc<Installation>) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let queues: Vec<Arc<dyn Queue>> = installation.publisher.queues().into_iter().cloned().collect();
            let mut watch = DeadLetterWatch::default();
            let mut timer = tokio::time::interval(WATCH_DLQ_EVERY);
            while is_due(&mut timer, &shutdown).await {
                for queue in &queues {
                    let (clock, publisher) = (installation.clock.as_ref(), installation.publisher.as_ref());
                    if let Err(failure) = watch.tell(clock, publisher, queue.as_ref()).await {
                        error!("look into the DLQ of `{}` failed: {failure}", queue.name());
                    }
                }
            }
        });
    }

    /// Every hour: small files of the lake are merged, and what died longer ago than the contracts promise to stay
    /// readable is removed, as AWS does.
    fn keep_house(&mut self, installation: Arc<Installation>) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let mut timer = tokio::time::interval(KEEP_HOUSE_EVERY);
            while is_due(&mut timer, &shutdown).await {
                purge_dead_letters(&installation).await;
                for table in &catalogue().tables {
                    tokio::select! {
                        // Stopped half-way, the next merge goes on from there.
                        () = shutdown.cancelled() => break,
                        () = compact(&installation, table.name) => {}
                    }
                }
            }
        });
    }

    fn watch_folder(&mut self, installation: Arc<Installation>, folder: PathBuf) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let location = folder.display().to_string();
            info!("watching {location} for new files");
            let mut watch = FolderWatch::new(&location, "auto");
            let mut timer = tokio::time::interval(WATCH_FOLDER_EVERY);
            timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while is_due(&mut timer, &shutdown).await {
                if let Err(failure) = announce_new_objects(&installation, &mut watch).await {
                    error!("watching {location} failed, going on: {failure:#}");
                }
            }
        });
    }

    async fn serve(&mut self, installation: &Installation) -> anyhow::Result<()> {
        let bind = installation.config.server.bind;
        let listener = TcpListener::bind(bind).await.with_context(|| format!("serve on {bind}"))?;
        let router = mantissa_api::router(installation.api());
        let shutdown = self.shutdown.clone();
        let address = listener.local_addr()?;
        self.address = Some(address);
        info!("serving on http://{address}");
        self.tasks.spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await;
            if let Err(failure) = served {
                error!("server stopped: {failure}");
            }
        });
        Ok(())
    }
}

/// Waits for the timer; `false` when it is time to stop.
async fn is_due(timer: &mut Interval, shutdown: &CancellationToken) -> bool {
    tokio::select! {
        () = shutdown.cancelled() => false,
        _ = timer.tick() => true,
    }
}

async fn purge_dead_letters(installation: &Installation) {
    let before = installation.clock.now() - TimeDelta::days(i64::from(DLQ_RETENTION_DAYS));
    match installation.database.purge_dead_messages(before).await {
        Ok(0) => {}
        Ok(n_purged) => info!("removed {n_purged} dead messages older than {DLQ_RETENTION_DAYS} days"),
        Err(failure) => error!("removal of old dead messages failed: {failure}"),
    }
}

async fn compact(installation: &Installation, table: &str) {
    match compact_table(&installation.ingest(), table).await {
        Ok(report) if report.n_files_merged == 0 => {}
        Ok(report) => {
            info!("merged {} small files of {table} into {}", report.n_files_merged, report.n_files_written);
        }
        Err(failure) => error!("merging the small files of {table} failed, tried again in an hour: {failure}"),
    }
}

/// Puts a message into the queue for every object that is new and whole.
async fn announce_new_objects(installation: &Installation, watch: &mut FolderWatch) -> anyhow::Result<()> {
    for object in watch.poll(&installation.ingest()).await? {
        let envelope = Envelope::new("standalone", installation.clock.now(), None, object);
        installation.publisher.publish(&[Outgoing::new(&envelope)?]).await?;
        watch.announced(&envelope.data);
    }
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn interrupted() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
