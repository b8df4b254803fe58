//! What is aimed at, from `budgets.toml`.

use anyhow::Context as _;
use serde::Deserialize;
use std::path::Path;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budgets {
    pub(crate) ingest: IngestBudget,
    pub(crate) detect: DetectBudget,
    pub(crate) pipeline: PipelineBudget,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IngestBudget {
    pub(crate) min_mb_per_core_s: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetectBudget {
    pub(crate) max_times_duckdb: f64,
    pub(crate) min_times_rsigma: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PipelineBudget {
    pub(crate) min_matches_per_s: f64,
}

impl Budgets {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("read {}", path.display()))
    }
}
