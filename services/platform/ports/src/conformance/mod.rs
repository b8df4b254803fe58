//! One suite a port: each sentence of a port's contract is a function, and fails by panicking.
//!
//! An adapter makes a fixture and expands a suite in its test binary:
//! `mantissa_ports::queue_conformance!(MyFixture::new().await);`. Each sentence becomes a `#[tokio::test]` of its
//! own, with a fixture of its own, so a failure names the sentence.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a suite fails as tests do, and says what it skips"
)]

pub mod alert_store;
pub mod clock;
pub mod delivery_store;
pub mod destination_store;
mod fixture;
pub mod ingest_store;
pub mod ledger_store;
pub mod object_storage;
pub mod query_engine;
pub mod queue;
pub mod queue_dlq;
pub mod raw_objects;
pub mod rule_store;
mod samples;
pub mod secret_store;
pub mod topic;

pub use fixture::{Fixture, MemoryFixture, ObjectStorageFixture, RawObjectFixture, SecretStoreFixture};
pub use query_engine::{EngineFixture, LakeRow, lake_rows};

/// Expands to one test a sentence.
#[macro_export]
macro_rules! conformance_tests {
    ($suite:ident, $make:expr, $($sentence:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() {
                let fixture = $make;
                $crate::conformance::$suite::$sentence(&fixture).await;
            }
        )*
    };
}

/// Expands the suites of all ports a [`Fixture`] gives, each in a module of its name.
#[macro_export]
macro_rules! store_and_queue_conformance {
    ($make:expr) => {
        mod queue {
            use super::*;
            $crate::queue_conformance!($make);
        }
        mod topic {
            use super::*;
            $crate::topic_conformance!($make);
        }
        mod ingest_store {
            use super::*;
            $crate::ingest_store_conformance!($make);
        }
        mod ledger_store {
            use super::*;
            $crate::ledger_store_conformance!($make);
        }
        mod rule_store {
            use super::*;
            $crate::rule_store_conformance!($make);
        }
        mod alert_store {
            use super::*;
            $crate::alert_store_conformance!($make);
        }
        mod delivery_store {
            use super::*;
            $crate::delivery_store_conformance!($make);
        }
        mod destination_store {
            use super::*;
            $crate::destination_store_conformance!($make);
        }
    };
}

#[cfg(test)]
mod tests {
    /// A sentence that is written and not listed in its macro would never run.
    #[test]
    fn every_sentence_of_every_suite_is_listed_in_its_macro() {
        let suites = [
            ("alert_store", include_str!("alert_store.rs")),
            ("clock", include_str!("clock.rs")),
            ("delivery_store", include_str!("delivery_store.rs")),
            ("destination_store", include_str!("destination_store.rs")),
            ("ingest_store", include_str!("ingest_store.rs")),
            ("ledger_store", include_str!("ledger_store.rs")),
            ("object_storage", include_str!("object_storage.rs")),
            ("query_engine", include_str!("query_engine.rs")),
            ("queue", include_str!("queue.rs")),
            ("queue_dlq", include_str!("queue_dlq.rs")),
            ("raw_objects", include_str!("raw_objects.rs")),
            ("rule_store", include_str!("rule_store.rs")),
            ("secret_store", include_str!("secret_store.rs")),
            ("topic", include_str!("topic.rs")),
        ];
        // The DLQ's sentences are listed with the queue's.
        let listed: Vec<&str> = suites
            .iter()
            .flat_map(|(_, text)| text.split("macro_rules!").skip(1).flat_map(str::lines))
            .map(str::trim)
            .collect();
        for (suite, text) in suites {
            let sentences: Vec<&str> =
                text.split("pub async fn ").skip(1).filter_map(|rest| rest.split('(').next()).collect();
            assert!(!sentences.is_empty(), "suite {suite} has no sentence");
            for sentence in sentences {
                assert!(listed.contains(&sentence), "`{sentence}` of suite {suite} is not listed in a macro");
            }
        }
    }
}
