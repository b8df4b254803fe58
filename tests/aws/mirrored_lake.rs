//! An engine over a lake that lies in a bucket: the bucket is copied before each query.

use async_trait::async_trait;
use mantissa_contracts::ids::EngineQueryId;
use mantissa_embedded::query_engine::{DataFusionEngine, EngineConfig};
use mantissa_ports::{ObjectStorage, PortError, QueryEngine, QueryRequest, QueryStatus, ResultPage};
use mantissa_tests::trino::trino_cluster;
use std::any::Any;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;

pub(crate) struct MirroredLake {
    bucket: Arc<dyn ObjectStorage>,
    folder: PathBuf,
    /// Keys that are in the folder.
    copied: Mutex<HashSet<String>>,
    engine: Arc<dyn QueryEngine>,
    /// What removes the folder.
    _kept: Box<dyn Any + Send + Sync>,
}

impl MirroredLake {
    /// Read by Trino where there is one, which is what Athena is made of; else by the one-machine engine.
    pub(crate) async fn new(bucket: Arc<dyn ObjectStorage>) -> Self {
        let copied = Mutex::default();
        let Some(cluster) = trino_cluster() else {
            let folder = tempfile::tempdir().unwrap();
            let engine = Arc::new(DataFusionEngine::new(EngineConfig::new(folder.path())).unwrap());
            return Self { bucket, folder: folder.path().to_owned(), copied, engine, _kept: Box::new(folder) };
        };
        let folder = cluster.new_folder();
        let engine = cluster.engine_over(&folder).await;
        Self { bucket, folder: folder.path().to_owned(), copied, engine: Arc::new(engine), _kept: Box::new(folder) }
    }

    /// Files of the lake are written once and never changed.
    async fn copy(&self) -> Result<(), PortError> {
        let mut copied = self.copied.lock().await;
        let listed = self.bucket.list("").await?;
        let keys: HashSet<String> = listed.into_iter().map(|object| object.key).collect();
        copied.retain(|key| {
            let stays = keys.contains(key);
            if !stays {
                std::fs::remove_file(self.folder.join(key)).unwrap();
            }
            stays
        });
        for key in keys {
            // One that is not there was merged away since it was listed.
            if !copied.contains(&key)
                && let Some(content) = self.bucket.get(&key).await?
            {
                let path = self.folder.join(&key);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                // Never seen before it is whole; engines take no file whose name begins so.
                let partial = path.with_file_name(format!(".{}", path.file_name().unwrap().display()));
                std::fs::write(&partial, content).unwrap();
                std::fs::rename(partial, path).unwrap();
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
