//! Every port's suite on every emulator, with a table of what holds.

use crate::emulator::{Emulator, Kind};
use crate::fixture::{AwsFixture, BucketFixture, MailFixture, SecretsFixture};
use futures::future::BoxFuture;
use mantissa_ports::conformance::{
    Fixture, MailerFixture, ObjectStorageFixture, RawObjectFixture, SecretStoreFixture, Sentence, mailer_sentences,
    object_storage_sentences, raw_object_sentences, secret_store_sentences, store_and_queue_sentences,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Sentences at a time: emulators answer one request after the other.
const AT_ONCE: usize = 6;

/// Sentences that an emulator breaks though AWS keeps them, and how. One that holds after all fails the test too.
const BROKEN_BY_EMULATOR: &[(Kind, &str, &str, &str)] = &[
    (Kind::Moto, "queue", "one_stale_receipt_does_not_keep_the_others", STALE_HANDLES),
    (Kind::Moto, "queue", "receipt_replaced_by_a_later_receive_acknowledges_nothing", STALE_HANDLES),
    (Kind::Moto, "queue", "stale_receipt_does_not_change_visibility", STALE_HANDLES),
    (Kind::Moto, "queue_dlq", "stale_receipt_dead_letters_nothing", STALE_HANDLES),
    (Kind::MiniStack, "mailer", "malformed_address_is_refused", "takes an address without a domain, which SES refuses"),
];
const STALE_HANDLES: &str = "takes a receipt handle that a later receive has replaced, where SQS asks for the latest";

/// Sentences that hold on an emulator by luck only, or whose outcome it does not show.
fn not_asked(kind: Kind, suite: &str, name: &str) -> Option<&'static str> {
    match name {
        "mail_refers_to_its_thread_and_says_that_a_machine_wrote_it" => return Some("keeps no header of a mail"),
        "value_is_not_readable_from_what_is_stored" => return Some("shows nothing of what it stores"),
        _ => {}
    }
    if kind != Kind::Moto || !name.starts_with("racing_") {
        return None;
    }
    match suite {
        "queue" => Some("answers each request in a thread of its own, and now and then gives one message to two"),
        store if store.ends_with("_store") => {
            Some("answers each request in a thread of its own and isolates no transaction from another")
        }
        _ => None,
    }
}

type Outcome = (&'static str, &'static str, Result<(), String>);

/// An emulator, and how many sentences may use it at a time.
#[derive(Clone)]
struct Place {
    emulator: Arc<Emulator>,
    free: Arc<Semaphore>,
}

impl Place {
    fn start(kind: Kind, at_once: usize) -> Option<Self> {
        Some(Self { emulator: Arc::new(Emulator::start(kind)?), free: Arc::new(Semaphore::new(at_once)) })
    }
}

/// Makes fixtures for sentences and runs them.
struct Run {
    kind: Kind,
    running: JoinSet<Outcome>,
    n_made: usize,
    table: BTreeMap<&'static str, Counts>,
    /// Why sentences were not asked, or do not hold.
    remarks: Vec<String>,
}

#[derive(Default)]
struct Counts {
    n_hold: usize,
    n_broken: usize,
    n_not_asked: usize,
    n_failed: usize,
}

impl Run {
    fn add<F>(
        &mut self,
        place: &Place,
        sentences: Vec<Sentence<F>>,
        make: fn(Arc<Emulator>, &'static str, usize) -> BoxFuture<'static, Box<F>>,
    ) where
        F: ?Sized + Sync + 'static,
        Box<F>: Send + Sync,
    {
        for sentence in sentences {
            if let Some(why) = not_asked(self.kind, sentence.suite, sentence.name) {
                self.table.entry(sentence.suite).or_default().n_not_asked += 1;
                self.remarks.push(format!("  {}::{}: {why}", sentence.suite, sentence.name));
                continue;
            }
            let (Place { emulator, free }, number) = (place.clone(), self.n_made);
            self.n_made += 1;
            self.running.spawn(async move {
                let _turn = free.acquire_owned().await.unwrap();
                let (suite, name, check) = (sentence.suite, sentence.name, sentence.check);
                let checked = tokio::spawn(async move {
                    let fixture = make(emulator, suite, number).await;
                    check(&*fixture).await;
                });
                (suite, name, checked.await.map_err(|error| said_by(error.into_panic().as_ref())))
            });
        }
    }
}

fn said_by(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Sentences that an emulator breaks are expected to panic: a line of each, and no backtrace that hides what is not expected.
fn panic_in_a_line() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("{at}: {}", said_by(panic.payload()).lines().next().unwrap_or_default());
    }));
}

async fn run(kind: Kind) {
    panic_in_a_line();
    let Some(place) = Place::start(kind, AT_ONCE) else { return };
    // To show its mails moto prints all that it holds, and fails where that changes meanwhile.
    let Some(for_mails) = Place::start(kind, 1) else { return };
    let mut run = Run { kind, running: JoinSet::new(), n_made: 0, table: BTreeMap::new(), remarks: Vec::new() };
    run.add(&place, store_and_queue_sentences(), |emulator, suite, number| {
        Box::pin(async move { Box::new(AwsFixture::new(&emulator, suite, number).await) as Box<dyn Fixture> })
    });
    run.add(&place, object_storage_sentences(), |emulator, suite, number| {
        Box::pin(async move {
            Box::new(BucketFixture::new(&emulator, suite, number).await) as Box<dyn ObjectStorageFixture>
        })
    });
    run.add(&place, raw_object_sentences(), |emulator, suite, number| {
        Box::pin(
            async move { Box::new(BucketFixture::new(&emulator, suite, number).await) as Box<dyn RawObjectFixture> },
        )
    });
    run.add(&place, secret_store_sentences(), |emulator, _, number| {
        Box::pin(async move { Box::new(SecretsFixture::new(&emulator, number).await) as Box<dyn SecretStoreFixture> })
    });
    run.add(&for_mails, mailer_sentences(), |emulator, _, number| {
        Box::pin(async move { Box::new(MailFixture::new(&emulator, number).await) as Box<dyn MailerFixture> })
    });
    let mut wrong = Vec::new();
    while let Some(outcome) = run.running.join_next().await {
        let (suite, name, checked) = outcome.unwrap();
        let known = BROKEN_BY_EMULATOR.iter().find(|known| (known.0, known.1, known.2) == (kind, suite, name));
        let counts = run.table.entry(suite).or_default();
        match (checked, known) {
            (Ok(()), None) => counts.n_hold += 1,
            (Err(_), Some(known)) => {
                counts.n_broken += 1;
                run.remarks.push(format!("  {suite}::{name}: {}", known.3));
            }
            (Ok(()), Some(_)) => {
                counts.n_failed += 1;
                wrong.push(format!("  {suite}::{name}: FAILED, it holds now: take it off the list"));
            }
            (Err(said), None) => {
                counts.n_failed += 1;
                wrong.push(format!("  {suite}::{name}: FAILED, {said}"));
            }
        }
    }
    println!("conformance on {}", kind.name());
    for (suite, Counts { n_hold, n_broken, n_not_asked, n_failed }) in run.table {
        println!(
            "  {suite:<18} {n_hold:>3} hold  {n_broken:>2} broken by the emulator  {n_not_asked:>2} not asked  {n_failed:>2} failed"
        );
    }
    run.remarks.sort();
    run.remarks.iter().for_each(|line| println!("{line}"));
    wrong.sort();
    wrong.iter().for_each(|line| println!("{line}"));
    assert!(wrong.is_empty(), "{} sentences do not hold", wrong.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn adapters_conform_on_ministack() {
    run(Kind::MiniStack).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn adapters_conform_on_moto() {
    run(Kind::Moto).await;
}
