//! The rules in force, each version kept.

use crate::PortError;
use async_trait::async_trait;
use mantissa_contracts::ids::{RuleId, RuleVersion};
use serde::{Deserialize, Serialize};

/// One version of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRule {
    pub rule_id: RuleId,
    pub rule_version: RuleVersion,
    /// The file the version came from, for people.
    pub path: String,
    /// The rule's document as its author wrote it.
    pub yaml: String,
}

/// Versions of rules.
///
/// - [`put`](RuleStore::put) of a version that is there already changes nothing: a version is a digest of its text.
/// - A version stays readable after a newer one was put: windows planned with it are still judged by it.
#[async_trait]
pub trait RuleStore: Send + Sync {
    async fn put(&self, rule: &StoredRule) -> Result<(), PortError>;

    async fn get(&self, rule: &RuleId, version: &RuleVersion) -> Result<Option<StoredRule>, PortError>;
}
