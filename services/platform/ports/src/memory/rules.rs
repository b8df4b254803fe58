//! Rule versions in a map.

use super::locked;
use crate::PortError;
use crate::stores::{RuleStore, StoredRule};
use async_trait::async_trait;
use mantissa_contracts::ids::{RuleId, RuleVersion};
use std::collections::HashMap;
use std::sync::Mutex;

#[derive(Default)]
pub struct MemoryRuleStore {
    rules: Mutex<HashMap<(RuleId, RuleVersion), StoredRule>>,
}

impl MemoryRuleStore {
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl RuleStore for MemoryRuleStore {
    async fn put(&self, rule: &StoredRule) -> Result<(), PortError> {
        let key = (rule.rule_id.clone(), rule.rule_version.clone());
        locked(&self.rules).entry(key).or_insert_with(|| rule.clone());
        Ok(())
    }

    async fn get(&self, rule: &RuleId, version: &RuleVersion) -> Result<Option<StoredRule>, PortError> {
        Ok(locked(&self.rules).get(&(rule.clone(), version.clone())).cloned())
    }
}
