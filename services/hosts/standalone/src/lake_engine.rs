//! What runs queries over the lake: the engine in this process, or a Trino cluster.

use crate::exit::bad_input;
use anyhow::Context as _;
use mantissa_embedded::query_engine::{DataFusionEngine, EngineConfig};
use mantissa_ports::tracked_queries::QueryOutput;
use mantissa_ports::{QueryEngine, SecretStore};
use mantissa_runtime::config::{EngineKind, Query, TrinoEntry};
use mantissa_trino::{Credentials, TrinoConfig, TrinoQueryEngine};
use std::path::Path;
use std::sync::Arc;

#[derive(Clone)]
pub(crate) enum LakeEngine {
    Embedded(DataFusionEngine),
    Trino(Arc<TrinoQueryEngine>),
}

impl LakeEngine {
    /// As the configuration says.
    pub(crate) fn open(data: &Path, config: &Query, secrets: Arc<dyn SecretStore>) -> anyhow::Result<Self> {
        match (config.engine, &config.trino) {
            (EngineKind::Trino, Some(entry)) => Ok(Self::Trino(Arc::new(trino(entry, secrets)?))),
            _ => Ok(Self::Embedded(embedded(data, config)?)),
        }
    }

    pub(crate) fn port(&self) -> Arc<dyn QueryEngine> {
        match self {
            Self::Embedded(engine) => Arc::new(engine.clone()),
            Self::Trino(engine) => engine.clone(),
        }
    }

    /// Runs a query to its end, without row limit or timeout.
    pub(crate) async fn collect(&self, sql: &str) -> anyhow::Result<QueryOutput> {
        Ok(match self {
            Self::Embedded(engine) => {
                let (columns, rows, stats) = engine.collect(sql).await?;
                QueryOutput { columns, rows, stats }
            }
            Self::Trino(engine) => engine.collect(sql).await?,
        })
    }
}

pub(crate) fn embedded(data: &Path, config: &Query) -> anyhow::Result<DataFusionEngine> {
    DataFusionEngine::new(EngineConfig {
        memory_limit_bytes: config.memory_limit_mb << 20,
        max_concurrent_queries: config.concurrent.max(1),
        spill_dir: Some(data.join("spill")),
        ..EngineConfig::new(data.join("lake"))
    })
    .context("set up the query engine")
}

pub(crate) fn trino(entry: &TrinoEntry, secrets: Arc<dyn SecretStore>) -> anyhow::Result<TrinoQueryEngine> {
    let wrong = |problem: &dyn std::fmt::Display| bad_input(format!("query.trino: {problem}"));
    let certificates = match &entry.certificates {
        None => None,
        Some(path) => Some(std::fs::read(path).map_err(|e| wrong(&format!("certificates {}: {e}", path.display())))?),
    };
    let credentials = match (&entry.password_secret, &entry.jwt_secret) {
        (Some(secret), _) => Credentials::Password { secret: secret.clone() },
        (None, Some(secret)) => Credentials::Jwt { secret: secret.clone() },
        (None, None) => Credentials::None,
    };
    let config = TrinoConfig {
        user: entry.user.clone(),
        credentials,
        certificates,
        catalog: entry.catalog.clone(),
        schema: entry.schema.clone(),
        ..TrinoConfig::new(entry.url().map_err(|e| bad_input(e.to_string()))?)
    };
    TrinoQueryEngine::new(config, secrets).map_err(|e| wrong(&e))
}
