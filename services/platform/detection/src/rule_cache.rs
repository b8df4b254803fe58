//! Compiled rules by version: a version is a digest of its text, so what was compiled once stays right.

use crate::compiled_rule::CompiledRule;
use crate::problem::Problem;
use mantissa_contracts::ids::RuleVersion;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Versions held; an installation has fewer rules, and an edit leaves one old version behind.
const MAX_VERSIONS: usize = 10_000;

/// What compiling a version came to; problems are remembered like rules.
type Compiled = Result<Arc<CompiledRule>, Arc<Vec<Problem>>>;

#[derive(Debug, Default)]
pub struct CompiledRules {
    by_version: Mutex<HashMap<RuleVersion, Compiled>>,
}

impl CompiledRules {
    /// The rule of this version; compiled on first sight.
    pub fn get(&self, version: &RuleVersion, path: &str, yaml: &str) -> Compiled {
        // A panic elsewhere leaves the map whole: entries are inserted finished.
        if let Some(compiled) = self.by_version.lock().unwrap_or_else(PoisonError::into_inner).get(version) {
            return compiled.clone();
        }
        let compiled = crate::compile_rule(path, yaml).map(Arc::new).map_err(Arc::new);
        let mut by_version = self.by_version.lock().unwrap_or_else(PoisonError::into_inner);
        if by_version.len() >= MAX_VERSIONS {
            by_version.clear();
        }
        by_version.insert(version.clone(), compiled.clone());
        compiled
    }
}
