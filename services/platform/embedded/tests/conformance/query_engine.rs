//! DataFusion over Parquet files in a folder, and over batches in memory.

use mantissa_embedded::query_engine::{DataFusionEngine, EngineConfig};
use mantissa_ports::QueryEngine;
use mantissa_ports::conformance::EngineFixture;
use mantissa_ports::conformance::query_engine::LAKE_TABLE;
use mantissa_tests::lake_files::{conformance_batches, write_conformance_lake};
use std::collections::HashMap;
use std::sync::Arc;
use tempfile::TempDir;

struct Lake {
    engine: DataFusionEngine,
    _folder: TempDir,
}

impl Lake {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_conformance_lake(folder.path());
        Self { engine: DataFusionEngine::new(EngineConfig::new(folder.path())).unwrap(), _folder: folder }
    }
}

impl EngineFixture for Lake {
    fn engine(&self) -> Arc<dyn QueryEngine> {
        Arc::new(self.engine.clone())
    }
}

struct Batches(DataFusionEngine);

impl Batches {
    fn new() -> Self {
        let tables = HashMap::from([(LAKE_TABLE.to_owned(), conformance_batches())]);
        Self(DataFusionEngine::with_batches(&tables).unwrap())
    }
}

impl EngineFixture for Batches {
    fn engine(&self) -> Arc<dyn QueryEngine> {
        Arc::new(self.0.clone())
    }

    fn lake_is_files(&self) -> bool {
        false
    }
}

mod files {
    use super::*;

    mantissa_ports::query_engine_conformance!(Lake::new());
}

mod batches {
    use super::*;

    mantissa_ports::query_engine_conformance!(Batches::new());
}
