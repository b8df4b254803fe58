//! A data directory with the adapters the product uses on one machine.

use anyhow::Context as _;
use mantissa_contracts::topology::{QUEUES, TOPICS};
use mantissa_embedded::query_engine::{DataFusionEngine, EngineConfig};
use mantissa_embedded::sqlite::{SqliteDb, SqliteIngestStore, SqliteQueue, SqliteTopic};
use mantissa_embedded::{FsObjectStorage, FsRawObjectSource};
use mantissa_ingest::{IngestConfig, IngestDeps};
use mantissa_ports::Publisher;
use mantissa_ports::{Clock, Queue, SystemClock, Topic};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) struct DataDir {
    pub(crate) path: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) db: Arc<SqliteDb>,
}

impl DataDir {
    /// Opens it, emptied where it was used before.
    pub(crate) fn fresh(path: &Path) -> anyhow::Result<Self> {
        if path.exists() {
            std::fs::remove_dir_all(path).with_context(|| format!("empty {}", path.display()))?;
        }
        Self::open(path)
    }

    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(path).with_context(|| format!("make {}", path.display()))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let db = SqliteDb::open(path.join("mantissa.db"), clock.clone())?;
        Ok(Self { path: path.to_owned(), clock, db })
    }

    pub(crate) fn lake_dir(&self) -> PathBuf {
        self.path.join("lake")
    }

    pub(crate) fn publisher(&self) -> Arc<Publisher> {
        let queues = QUEUES.iter().map(|spec| Arc::new(SqliteQueue::new(self.db.clone(), spec)) as Arc<dyn Queue>);
        let topics = TOPICS.iter().map(|spec| Arc::new(SqliteTopic::new(self.db.clone(), spec)) as Arc<dyn Topic>);
        Arc::new(Publisher::new(queues.collect(), topics.collect()))
    }

    pub(crate) fn ingest(&self) -> IngestDeps {
        let lake = Arc::new(FsObjectStorage::new(self.lake_dir()));
        IngestDeps {
            raw_objects: Arc::new(FsRawObjectSource),
            lake: lake.clone(),
            quarantine: lake,
            ingests: Arc::new(SqliteIngestStore::new(self.db.clone())),
            clock: self.clock.clone(),
            config: IngestConfig { n_concurrent: 1, ..IngestConfig::default() },
        }
    }

    pub(crate) fn engine(&self, n_threads: usize) -> anyhow::Result<DataFusionEngine> {
        let config = EngineConfig { n_threads, ..EngineConfig::new(self.lake_dir()) };
        DataFusionEngine::new(config).context("set up the query engine")
    }
}
