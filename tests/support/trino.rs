//! A real Trino, where the environment names one (`services/platform/trino/with_trino.py` starts it).

use mantissa_lake::catalogue::catalogue;
use mantissa_ports::memory::MemorySecretStore;
use mantissa_trino::{LakeRegistration, TrinoConfig, TrinoQueryEngine};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// The catalogue that `with_trino.py` gives it.
pub const CATALOG: &str = "lake";

#[derive(Debug, Clone)]
pub struct Cluster {
    pub url: String,
    /// What the catalogue sees as `local:///`.
    lakes: PathBuf,
    tls: PathBuf,
}

/// `None`, and the reason printed, where there is none.
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where the cluster is")]
#[expect(clippy::print_stderr, reason = "the reason for skipping belongs in the test's output")]
pub fn trino_cluster() -> Option<Cluster> {
    let named = |name: &str| std::env::var(name).ok();
    let found = named("MANTISSA_TRINO_URL").zip(named("MANTISSA_TRINO_LAKES")).zip(named("MANTISSA_TRINO_TLS"));
    if found.is_none() {
        eprintln!("skipped: no Trino in MANTISSA_TRINO_URL, …_LAKES and …_TLS (`make parity` starts one)");
    }
    found.map(|((url, lakes), tls)| Cluster { url, lakes: lakes.into(), tls: tls.into() })
}

impl Cluster {
    /// A folder that the cluster reads too.
    pub fn new_folder(&self) -> ClusterFolder {
        // Hidden files are none of a table's.
        let folder = tempfile::Builder::new().prefix("lake_").tempdir_in(&self.lakes).unwrap();
        let name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
        ClusterFolder { location: format!("local:///{name}"), schema: name.to_lowercase(), folder }
    }
}

impl Cluster {
    /// What the cluster asks for over TLS: `url`, `ca.pem`, and the `password` and a `jwt` of the user `mantissa`.
    pub fn over_tls(&self, name: &str) -> String {
        std::fs::read_to_string(self.tls.join(name)).unwrap()
    }

    pub fn config(&self, folder: &ClusterFolder) -> TrinoConfig {
        TrinoConfig {
            catalog: CATALOG.to_owned(),
            schema: folder.schema.clone(),
            ..TrinoConfig::new(self.url.parse().unwrap())
        }
    }

    /// With the lake's tables known to it; their files are put into the folder.
    pub async fn engine_over(&self, folder: &ClusterFolder) -> TrinoQueryEngine {
        let engine = TrinoQueryEngine::new(self.config(folder), Arc::new(MemorySecretStore::default())).unwrap();
        engine.register_lake(catalogue(), &folder.registration()).await.unwrap();
        engine
    }
}

/// Removed when it is dropped; its tables stay known, and empty.
pub struct ClusterFolder {
    folder: TempDir,
    /// As the cluster sees it.
    pub location: String,
    /// A name for its tables' schema, which nobody else uses.
    pub schema: String,
}

impl ClusterFolder {
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Of the tables in it, each in a folder that is there.
    pub fn registration(&self) -> LakeRegistration {
        catalogue().tables.iter().for_each(|table| std::fs::create_dir_all(self.path().join(table.name)).unwrap());
        LakeRegistration { location: self.location.clone(), replace: false }
    }
}
