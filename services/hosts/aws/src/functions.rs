//! The one table of functions: what wakes each, and what it may touch. `pulumi/generated/functions.json` is made from it;
//! what a function publishes where, and which queues there are, is in the topology.

use mantissa_contracts::topology::{LIFECYCLE, OBJECT_CREATED, QUERY_ENDED};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    Read,
    ReadWrite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AthenaUse {
    /// Starts queries, and what `Read` may.
    Start,
    /// Reads how a query is doing and what it found, and stops it.
    Read,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TableUse {
    /// As `aws/src/dynamodb/schema.rs` names it.
    pub table: &'static str,
    pub access: Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Schedule {
    pub rate_minutes: u32,
    /// What the function is invoked with.
    pub input: RunInput,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RunInput {
    pub run: &'static str,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct FunctionSpec {
    pub name: &'static str,
    /// A file in `bin/`. Several functions may share one.
    pub binary: &'static str,
    pub doc: &'static str,
    /// Under whose names it publishes.
    pub services: &'static [&'static str],
    /// Whose messages are handed to it.
    pub queues: &'static [&'static str],
    pub schedule: Option<Schedule>,
    pub http: bool,
    /// What the deployment invokes it with, whenever the configuration or its code changed.
    pub on_deployment: Option<RunInput>,
    pub timeout_s: u32,
    pub memory_mb: u32,
    /// Executions at the same time, of those that queues cause.
    pub max_concurrency: u32,
    pub tables: &'static [TableUse],
    pub lake: Option<Access>,
    pub raw_objects: bool,
    pub configuration: bool,
    pub athena: Option<AthenaUse>,
    pub secrets: bool,
    /// Looks into every DLQ.
    pub dead_letters: bool,
    /// Puts events on the bus.
    pub event_bus: bool,
    /// Sends mails.
    pub mail: bool,
}

const fn read(table: &'static str) -> TableUse {
    TableUse { table, access: Access::Read }
}

const fn write(table: &'static str) -> TableUse {
    TableUse { table, access: Access::ReadWrite }
}

const fn every(rate_minutes: u32, run: &'static str) -> Option<Schedule> {
    Some(Schedule { rate_minutes, input: RunInput { run } })
}

/// A function that touches nothing. Ten seconds, for a queue hides its messages six times as long as its function may run:
/// so long they wait after a function that was killed.
const fn function(name: &'static str, binary: &'static str, doc: &'static str) -> FunctionSpec {
    FunctionSpec {
        name,
        binary,
        doc,
        services: &[],
        queues: &[],
        schedule: None,
        http: false,
        on_deployment: None,
        timeout_s: 10,
        memory_mb: 256,
        max_concurrency: 10,
        tables: &[],
        lake: None,
        raw_objects: false,
        configuration: false,
        athena: None,
        secrets: false,
        dead_letters: false,
        event_bus: false,
        mail: false,
    }
}

const NOTIFIER_TABLES: &[TableUse] = &[read("alerts"), write("deliveries"), write("destinations"), write("outbox")];

const fn notifier(name: &'static str, queues: &'static [&'static str]) -> FunctionSpec {
    FunctionSpec {
        services: &["notifiers"],
        queues,
        timeout_s: 60,
        max_concurrency: 5,
        tables: NOTIFIER_TABLES,
        configuration: true,
        secrets: true,
        ..function(name, "notifiers", "makes destinations agree with the state of alerts")
    }
}

pub const FUNCTIONS: &[FunctionSpec] = &[
    FunctionSpec {
        services: &["ingest"],
        queues: &[OBJECT_CREATED, "ingest-object_received"],
        timeout_s: 150,
        // Memory buys processor time, and parsing is what this one does.
        memory_mb: 1769,
        tables: &[write("ingests")],
        lake: Some(Access::ReadWrite),
        raw_objects: true,
        ..function("ingest", "ingest", "reads raw log objects into the lake")
    },
    FunctionSpec {
        schedule: every(60, "compact"),
        timeout_s: 900,
        memory_mb: 1769,
        tables: &[write("ingests")],
        lake: Some(Access::ReadWrite),
        ..function("compaction", "ingest", "merges the lake's small files")
    },
    FunctionSpec {
        services: &["scheduler"],
        queues: &["scheduler-query_completed", "scheduler-rule_failed"],
        schedule: every(1, "tick"),
        // After an outage a tick plans many windows of every rule.
        timeout_s: 60,
        tables: &[write("ledger"), write("ingests"), write("outbox")],
        configuration: true,
        ..function("scheduler", "scheduler", "plans which rule is judged over which window")
    },
    FunctionSpec {
        services: &["dead-letter-watch"],
        schedule: every(1, "watch_dead_letters"),
        timeout_s: 60,
        dead_letters: true,
        ..function("dead-letter-watch", "dead-letter-watch", "raises an alert for what reaches a DLQ")
    },
    FunctionSpec {
        services: &["query-worker"],
        queues: &["query-worker-query_requested"],
        tables: &[read("rules")],
        configuration: true,
        athena: Some(AthenaUse::Start),
        ..function("query-worker", "query-worker", "hands a requested query to Athena")
    },
    FunctionSpec {
        services: &["result-poller"],
        queues: &["result-poller-query_started", QUERY_ENDED],
        timeout_s: 150,
        tables: &[read("rules"), write("waits")],
        athena: Some(AthenaUse::Read),
        ..function("result-poller", "result-poller", "turns the rows of ended queries into matches")
    },
    FunctionSpec {
        services: &["dedup"],
        queues: &["dedup-rule_matched"],
        tables: &[write("alerts"), write("outbox")],
        ..function("dedup", "dedup", "groups matches into alerts")
    },
    FunctionSpec {
        services: &["enrichment"],
        queues: &["enrichment-alert_opened", "enrichment-alert_updated", "enrichment-alert_closed"],
        tables: &[write("alerts"), read("destinations"), write("outbox")],
        configuration: true,
        ..function("enrichment", "enrichment", "adds what is known of an alert, and chooses its destinations")
    },
    notifier("notifiers-slack", &["notifiers-slack"]),
    notifier("notifiers-webhook", &["notifiers-webhook"]),
    FunctionSpec { mail: true, ..notifier("notifiers-email", &["notifiers-email"]) },
    FunctionSpec {
        queues: &[LIFECYCLE],
        event_bus: true,
        ..function("event-bus", "event-bus", "puts what becomes of alerts and deliveries on the event bus")
    },
    FunctionSpec {
        services: &["scheduler", "dedup", "enrichment", "notifiers", "api"],
        schedule: every(1, "sweep"),
        timeout_s: 60,
        tables: &[write("outbox")],
        ..function("outbox", "outbox", "publishes what was committed and not published")
    },
    FunctionSpec {
        on_deployment: Some(RunInput { run: "configure" }),
        timeout_s: 120,
        memory_mb: 512,
        tables: &[write("rules"), write("ledger"), write("destinations"), write("outbox")],
        configuration: true,
        ..function("configure", "configure", "brings the rules and destinations of the configuration into force")
    },
    FunctionSpec {
        http: true,
        timeout_s: 30,
        tables: &[read("alerts"), read("deliveries"), read("ingests"), read("ledger")],
        ..function("api", "api", "serves people and programs")
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use mantissa_aws::dynamodb::schema::TABLES;
    use mantissa_contracts::topology::{AWS_QUEUES, PUBLICATIONS, QUEUES, find_queue};
    use std::collections::BTreeSet;

    #[test]
    fn every_queue_is_handed_to_one_function_of_its_consumer() {
        for queue in QUEUES.iter().chain(AWS_QUEUES) {
            let served: Vec<_> = FUNCTIONS.iter().filter(|function| function.queues.contains(&queue.name)).collect();
            assert_eq!(served.len(), 1, "{}", queue.name);
            assert_eq!(served[0].binary, queue.consumer, "{}", queue.name);
        }
    }

    #[test]
    fn every_publication_is_some_functions() {
        let services: BTreeSet<_> = FUNCTIONS.iter().flat_map(|function| function.services).collect();
        for publication in PUBLICATIONS {
            let on_aws: Vec<_> = publication.publishers.iter().filter(|name| **name != "standalone").collect();
            assert!(!on_aws.is_empty() && on_aws.iter().all(|name| services.contains(name)), "{}", publication.message);
        }
    }

    #[test]
    fn what_a_table_of_functions_names_is_there() {
        let tables = TABLES.map(|table| table.name);
        for function in FUNCTIONS {
            assert!(function.tables.iter().all(|used| tables.contains(&used.table)), "{}", function.name);
            assert!(function.queues.iter().all(|queue| find_queue(queue).is_some()), "{}", function.name);
            let file = format!("{}/src/bin/{}.rs", env!("CARGO_MANIFEST_DIR"), function.binary);
            assert!(std::path::Path::new(&file).is_file(), "{file}");
        }
    }
}
