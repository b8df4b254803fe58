//! The one-machine engine over a lake that lies in a bucket: the bucket is copied before each query.

use async_trait::async_trait;
use mantissa_contracts::ids::EngineQueryId;
use mantissa_embedded::query_engine::{DataFusionEngine, EngineConfig};
use mantissa_ports::{ObjectStorage, PortError, QueryEngine, QueryRequest, QueryStatus, ResultPage};
use std::collections::HashSet;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::Mutex;

pub(crate) struct MirroredLake {
    bucket: Arc<dyn ObjectStorage>,
    folder: TempDir,
    /// Keys that are in the folder.
    copied: Mutex<HashSet<String>>,
    engine: DataFusionEngine,
}

impl MirroredLake {
    pub(crate) fn new(bucket: Arc<dyn ObjectStorage>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = DataFusionEngine::new(EngineConfig::new(folder.path())).unwrap();
        Self { bucket, folder, copied: Mutex::default(), engine }
    }

    /// Files of the lake are written once and never changed.
    async fn copy(&self) -> Result<(), PortError> {
        let mut copied = self.copied.lock().await;
        let listed = self.bucket.list("").await?;
        let keys: HashSet<String> = listed.into_iter().map(|object| object.key).collect();
        copied.retain(|key| {
            let stays = keys.contains(key);
            if !stays {
                std::fs::remove_file(self.folder.path().join(key)).unwrap();
            }
            stays
        });
        for key in keys {
            // One that is not there was merged away since it was listed.
            if !copied.contains(&key)
                && let Some(content) = self.bucket.get(&key).await?
            {
                let path = self.folder.path().join(&key);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, content).unwrap();
                copied.insert(key);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl QueryEngine for MirroredLake {
    async fn start(&self, request: &QueryRequest) -> Result<EngineQueryId, PortError> {
        self.copy().await?;
        self.engine.start(request).await
    }

    async fn status(&self, query: &EngineQueryId) -> Result<QueryStatus, PortError> {
        self.engine.status(query).await
    }

    async fn results(&self, query: &EngineQueryId, page: Option<&str>) -> Result<ResultPage, PortError> {
        self.engine.results(query, page).await
    }

    async fn cancel(&self, query: &EngineQueryId) -> Result<(), PortError> {
        self.engine.cancel(query).await
    }
}
