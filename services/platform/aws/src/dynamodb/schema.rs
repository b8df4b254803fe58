//! The tables: their keys, their indexes, and what each item in them is for.
//!
//! Every table has a partition key `pk` and a sort key `sk`, both text. Instants in keys are milliseconds with twenty
//! digits, so that text sorts as time does.
//!
//! | table | `pk` | `sk` | read by |
//! |---|---|---|---|
//! | alerts | `ALERT#<alert>` | `ALERT` | the alert's id; index `by_opening`: newest first, a day at a time; index `by_status` |
//! | | `KEY#<rule>#<digest>` | `KEY` | the key's revision, and what its last commit wrote |
//! | | `KEY#<rule>#<digest>` | `SPAN#<alert>` | index `by_end`: alerts of a key whose dedup window ends after an instant |
//! | | `MATCH#<rule>#<match>` | `MATCH` | whether a rule holds a match |
//! | | `ENTITY#<digest of a value>` | `<opened>#<alert>` | alerts that name a value, by time |
//! | | `DAYS` | `DAYS` | the days on which alerts were opened |
//! | deliveries | `DELIVERY#<delivery>` | `DELIVERY` | the delivery's id |
//! | | `ALERT#<alert>` | `<created>#<delivery>` | the deliveries of an alert |
//! | | `COUNT#<shard>` | `COUNT` | how many deliveries are in each state |
//! | destinations | `DESTINATIONS` | `<destination>` | one, or all |
//! | ingests | `PART#<object>` | `<part>` | the state of a part |
//! | | `OPEN#<table>` | `<stamp>#<object>#<part>` | parts begun and not completed, by stamp |
//! | | `DONE#<table>#<day>` | `<stamp>#<object>#<part>` | completed parts of a window |
//! | | `SEAL#<table>` | `SEAL` | up to where ingestion time is sealed |
//! | | `OBJECT#<object>` | `OBJECT` | one object; index `by_ingestion`: the newest |
//! | ledger | `SCHEDULES` | `<rule>` | every rule's schedule |
//! | | `WINDOWS#<rule>` | `<from>` | a rule's windows by time; index `unjudged`: those that wait for something |
//! | rules | `RULE#<rule>` | `<version>` | one version |
//! | outbox | `OUTBOX#<shard>` | `<committed>#<id>#<number>` | messages that were committed and not published yet |
//! | waits | `QUERY#<execution>` | `WAIT` | the message that waits for a query of Athena; deleted after a day |
//! | | `QUERY#<execution>` | `END` | that the query has ended; deleted after a day |
//!
//! Indexes that a decision rests on are local ones and read consistently (`by_end`). The others serve lists for people, which
//! may be a moment old.

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    Text,
    Number,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct IndexSpec {
    pub name: &'static str,
    /// Shares the table's partition key and can be read consistently.
    pub local: bool,
    pub partition_key: &'static str,
    pub sort_key: &'static str,
    pub sort_key_type: KeyType,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct TableSpec {
    pub name: &'static str,
    pub indexes: &'static [IndexSpec],
    /// The attribute with the second after which DynamoDB may delete an item.
    pub expires: Option<&'static str>,
}

pub const PK: &str = "pk";
pub const SK: &str = "sk";

pub const ALERTS: TableSpec = TableSpec {
    name: "alerts",
    indexes: &[
        IndexSpec {
            name: "by_end",
            local: true,
            partition_key: PK,
            sort_key: "dedup_to",
            sort_key_type: KeyType::Number,
        },
        IndexSpec {
            name: "by_opening",
            local: false,
            partition_key: "opened_day",
            sort_key: "opened_key",
            sort_key_type: KeyType::Text,
        },
        IndexSpec {
            name: "by_status",
            local: false,
            partition_key: "status",
            sort_key: "opened_key",
            sort_key_type: KeyType::Text,
        },
    ],
    expires: None,
};
pub const DELIVERIES: TableSpec = TableSpec { name: "deliveries", indexes: &[], expires: None };
pub const DESTINATIONS: TableSpec = TableSpec { name: "destinations", indexes: &[], expires: None };
pub const INGESTS: TableSpec = TableSpec {
    name: "ingests",
    indexes: &[IndexSpec {
        name: "by_ingestion",
        local: false,
        partition_key: "listed",
        sort_key: "ingested_key",
        sort_key_type: KeyType::Text,
    }],
    expires: None,
};
pub const LEDGER: TableSpec = TableSpec {
    name: "ledger",
    indexes: &[IndexSpec {
        name: "unjudged",
        local: false,
        partition_key: "unjudged",
        sort_key: "updated_key",
        sort_key_type: KeyType::Text,
    }],
    expires: None,
};
pub const RULES: TableSpec = TableSpec { name: "rules", indexes: &[], expires: None };
pub const OUTBOX: TableSpec = TableSpec { name: "outbox", indexes: &[], expires: None };
pub const WAITS: TableSpec = TableSpec { name: "waits", indexes: &[], expires: Some("expires") };

pub const TABLES: [TableSpec; 8] = [ALERTS, DELIVERIES, DESTINATIONS, INGESTS, LEDGER, RULES, OUTBOX, WAITS];
