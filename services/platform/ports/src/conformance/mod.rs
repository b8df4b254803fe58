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
pub mod mailer;
pub mod object_storage;
pub mod query_engine;
pub mod queue;
pub mod queue_dlq;
pub mod raw_objects;
pub mod rule_store;
mod samples;
pub mod secret_store;
pub mod topic;

use futures::future::BoxFuture;

pub use fixture::{Fixture, MailerFixture, MemoryFixture, ObjectStorageFixture, RawObjectFixture, SecretStoreFixture};
pub use mailer::ArrivedMail;
pub use query_engine::{EngineFixture, LakeRow, lake_rows};

/// One sentence of a contract, for a run that makes its fixtures itself: over an emulator that many share.
pub struct Sentence<F: ?Sized> {
    pub suite: &'static str,
    pub name: &'static str,
    /// Panics where the adapter breaks it.
    pub check: for<'a> fn(&'a F) -> BoxFuture<'a, ()>,
}

/// Expands to one test a sentence, or, after `collect`, adds the sentences to a list.
#[macro_export]
macro_rules! conformance_tests {
    ($suite:ident, [collect $sentences:ident], $($sentence:ident)*) => {
        $sentences.extend([$(
            $crate::conformance::Sentence {
                suite: stringify!($suite),
                name: stringify!($sentence),
                check: |fixture| Box::pin($crate::conformance::$suite::$sentence(fixture)),
            }
        ),*]);
    };
    ($suite:ident, [$make:expr], $($sentence:ident)*) => {
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

/// The sentences of all ports a [`Fixture`] gives.
pub fn store_and_queue_sentences() -> Vec<Sentence<dyn Fixture>> {
    let mut sentences = Vec::new();
    crate::queue_conformance!(collect sentences);
    crate::topic_conformance!(collect sentences);
    crate::ingest_store_conformance!(collect sentences);
    crate::ledger_store_conformance!(collect sentences);
    crate::rule_store_conformance!(collect sentences);
    crate::alert_store_conformance!(collect sentences);
    crate::delivery_store_conformance!(collect sentences);
    crate::destination_store_conformance!(collect sentences);
    sentences
}

pub fn object_storage_sentences() -> Vec<Sentence<dyn ObjectStorageFixture>> {
    let mut sentences = Vec::new();
    crate::object_storage_conformance!(collect sentences);
    sentences
}

pub fn raw_object_sentences() -> Vec<Sentence<dyn RawObjectFixture>> {
    let mut sentences = Vec::new();
    crate::raw_object_conformance!(collect sentences);
    sentences
}

pub fn query_engine_sentences() -> Vec<Sentence<dyn EngineFixture>> {
    let mut sentences = Vec::new();
    crate::query_engine_conformance!(collect sentences);
    sentences
}

pub fn secret_store_sentences() -> Vec<Sentence<dyn SecretStoreFixture>> {
    let mut sentences = Vec::new();
    crate::secret_store_conformance!(collect sentences);
    sentences
}

pub fn mailer_sentences() -> Vec<Sentence<dyn MailerFixture>> {
    let mut sentences = Vec::new();
    crate::mailer_conformance!(collect sentences);
    sentences
}

#[cfg(test)]
mod tests {
    /// A sentence that is written and not listed in its macro would never run.
    #[test]
    fn every_sentence_of_every_suite_is_listed_in_its_macro() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/conformance");
        let mut suites = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if !["mod", "fixture", "samples"].contains(&name.as_str()) {
                suites.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
        // The DLQ's sentences are listed with the queue's.
        let listed: Vec<&str> = suites
            .iter()
            .flat_map(|(_, text)| text.split("macro_rules!").skip(1).flat_map(str::lines))
            .map(str::trim)
            .collect();
        for (suite, text) in &suites {
            let sentences: Vec<&str> =
                text.split("pub async fn ").skip(1).filter_map(|rest| rest.split('(').next()).collect();
            assert!(!sentences.is_empty(), "suite {suite} has no sentence");
            for sentence in sentences {
                assert!(listed.contains(&sentence), "`{sentence}` of suite {suite} is not listed in a macro");
            }
        }
    }
}
