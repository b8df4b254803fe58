//! The RuleStore port on SQLite.

use super::database::SqliteDb;
use super::documents::{encode, query_document};
use super::write_in_groups::WriteTx;
use async_trait::async_trait;
use mantissa_contracts::ids::{RuleId, RuleVersion};
use mantissa_ports::PortError;
use mantissa_ports::stores::{RuleStore, StoredRule};
use rusqlite::{Connection, params};
use std::sync::Arc;

pub struct SqliteRuleStore {
    db: Arc<SqliteDb>,
}

impl SqliteRuleStore {
    pub fn new(db: Arc<SqliteDb>) -> Self {
        Self { db }
    }
}

#[async_trait]
impl RuleStore for SqliteRuleStore {
    async fn put(&self, rule: &StoredRule) -> Result<(), PortError> {
        let rule = rule.clone();
        let subject = rule.rule_id.to_string();
        let put = move |tx: &WriteTx<'_>| {
            let mut insert = tx
                .conn
                .prepare_cached("INSERT OR IGNORE INTO rules (rule_id, rule_version, document) VALUES (?1, ?2, ?3)")?;
            insert.execute(params![rule.rule_id.as_str(), rule.rule_version.as_str(), encode("rule", &rule)?])?;
            Ok(())
        };
        self.db.write("store rule", subject, put).await
    }

    async fn get(&self, rule: &RuleId, version: &RuleVersion) -> Result<Option<StoredRule>, PortError> {
        let (rule, version) = (rule.clone(), version.clone());
        let subject = rule.to_string();
        let get = move |conn: &Connection| {
            let mut select =
                conn.prepare_cached("SELECT rule_id, document FROM rules WHERE rule_id = ?1 AND rule_version = ?2")?;
            query_document(&mut select, "rules", params![rule.as_str(), version.as_str()])
        };
        self.db.read("read rule", subject, get).await
    }
}
