//! The RuleStore port on DynamoDB.

use super::item::{Attributes, Key, Stored};
use super::table::Table;
use async_trait::async_trait;
use mantissa_contracts::ids::{RuleId, RuleVersion};
use mantissa_ports::PortError;
use mantissa_ports::stores::{RuleStore, StoredRule};

pub struct DynamoRuleStore {
    pub(super) table: Table,
}

fn key_of(rule: &RuleId, version: &RuleVersion) -> Key {
    Key::new(format!("RULE#{rule}"), version.as_str())
}

#[async_trait]
impl RuleStore for DynamoRuleStore {
    async fn put(&self, rule: &StoredRule) -> Result<(), PortError> {
        let key = key_of(&rule.rule_id, &rule.rule_version);
        let item = Attributes::default().document(rule.rule_id.as_str(), rule)?.with_key(&key);
        self.table.put_new(item).await.map(drop)
    }

    async fn get(&self, rule: &RuleId, version: &RuleVersion) -> Result<Option<StoredRule>, PortError> {
        let item = self.table.get(&key_of(rule, version)).await?;
        item.map(|item| Stored { table: self.table.name, item: &item }.document()).transpose()
    }
}
