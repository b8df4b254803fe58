//! What a seal promises when ingest and sealers meet, in every order of their requests that interrupts them seldom and in some
//! that interrupt them often: what is in the lake before a seal when it is made is all that will ever be there.

use crate::emulator::{Emulator, Kind};
use crate::interleavings::{AnyOrder, Doors, EveryOrder, Order, Turns};
use crate::resources::make_table;
use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use chrono::TimeDelta;
use futures::future::BoxFuture;
use mantissa_aws::dynamodb::{DynamoIngestStore, DynamoTables, schema};
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::{Instant, TimeWindow};
use mantissa_ports::stores::{BeginOutcome, EventSpan, IngestStore as _, LakeCommit};
use mantissa_ports::{Publisher, SystemClock};
use std::sync::{Arc, Mutex};

const PREFIX: &str = "races-";
const N_ACTORS: usize = 3;
const MAX_INTERRUPTIONS: usize = 2;
const N_ANY_ORDERS: u64 = 60;
/// More than an actor makes requests.
const MANY: usize = 7;
/// Records of a part.
const N_RECORDS: u64 = 7;

fn at(minute: i64) -> Instant {
    Instant::UNIX_EPOCH + TimeDelta::minutes(1_000_000 + minute)
}

struct World {
    emulator: Emulator,
    config: SdkConfig,
    doors: Doors,
    n_runs: usize,
}

/// How far a sealer got, and what it saw before that.
type Sealed = (Instant, Option<EventSpan>);

/// One run, with an object and a table of the lake of its own, and what its sealers saw.
#[derive(Clone)]
struct Run {
    config: SdkConfig,
    endpoints: Vec<String>,
    table: String,
    object: ObjectId,
    sealed: Arc<Mutex<Vec<Sealed>>>,
    completed: Arc<Mutex<Vec<Instant>>>,
}

impl World {
    async fn new() -> Option<Self> {
        let emulator = Emulator::start(Kind::MiniStack)?;
        let config = emulator.config().await;
        make_table(&config, PREFIX, &schema::INGESTS).await;
        let doors = Doors::before(&emulator, N_ACTORS).await;
        Some(Self { emulator, config, doors, n_runs: 0 })
    }

    fn next_run(&mut self) -> Run {
        self.n_runs += 1;
        Run {
            config: self.config.clone(),
            endpoints: self.doors.endpoints.clone(),
            table: format!("table-{}", self.n_runs),
            object: ObjectId::new(format!("object-{}", self.n_runs)),
            sealed: Arc::default(),
            completed: Arc::default(),
        }
    }

    async fn check(&mut self, actors: fn(&Run) -> Vec<BoxFuture<'static, ()>>, before: &[i64], order: &mut impl Order) {
        let run = self.next_run();
        for stamp in before {
            assert_eq!(
                run.store(&self.emulator.endpoint).begin(&run.commit(*stamp)).await.unwrap(),
                BeginOutcome::Begun
            );
        }
        self.doors.run(actors(&run), order).await;
        run.check(&self.emulator.endpoint).await;
    }

    async fn check_every_order(&mut self, actors: fn(&Run) -> Vec<BoxFuture<'static, ()>>, before: &[i64]) {
        let mut order = EveryOrder::new(MAX_INTERRUPTIONS);
        loop {
            self.check(actors, before, &mut order).await;
            if !order.advance() {
                break;
            }
        }
        println!("{} orders of requests", self.n_runs);
    }

    async fn check_any_orders(&mut self, actors: fn(&Run) -> Vec<BoxFuture<'static, ()>>) {
        for seed in 0..N_ANY_ORDERS {
            println!("seed {seed}");
            self.check(actors, &[], &mut AnyOrder::new(seed)).await;
        }
    }
}

impl Run {
    fn store(&self, endpoint: &str) -> DynamoIngestStore {
        // A request that is held for long is not asked again.
        let config = aws_sdk_dynamodb::config::Builder::from(&self.config)
            .endpoint_url(endpoint)
            .timeout_config(TimeoutConfig::disabled())
            .build();
        let publisher = Arc::new(Publisher::new(vec![], vec![]));
        let client = aws_sdk_dynamodb::Client::from_conf(config);
        DynamoTables::new(client, PREFIX, publisher, Arc::new(SystemClock)).ingests(endpoint)
    }

    fn commit(&self, stamp: i64) -> LakeCommit {
        LakeCommit {
            object_id: self.object.clone(),
            part: 0,
            table: self.table.clone(),
            stamp: at(stamp),
            event_from: at(stamp - 100),
            event_to: at(stamp - 50),
            n_records: N_RECORDS,
        }
    }

    /// Begins the part with this stamp and completes it.
    fn ingest(&self, actor: usize, stamp: i64) -> BoxFuture<'static, ()> {
        let (run, store) = (self.clone(), self.store(&self.endpoints[actor]));
        Box::pin(async move {
            if store.begin(&run.commit(stamp)).await.unwrap() == BeginOutcome::Begun {
                run.complete_with(&store, stamp).await;
            }
        })
    }

    fn complete(&self, actor: usize, stamp: i64) -> BoxFuture<'static, ()> {
        let (run, store) = (self.clone(), self.store(&self.endpoints[actor]));
        Box::pin(async move { run.complete_with(&store, stamp).await })
    }

    async fn complete_with(&self, store: &DynamoIngestStore, stamp: i64) {
        if store.complete(&self.object, 0, at(stamp)).await.unwrap() {
            self.completed.lock().unwrap().push(at(stamp));
        }
    }

    /// Seals, and looks at what is there.
    fn seal(&self, actor: usize, until: i64, lapsed_before: i64) -> BoxFuture<'static, ()> {
        let (run, store) = (self.clone(), self.store(&self.endpoints[actor]));
        Box::pin(async move {
            let sealed = store.seal(&run.table, at(until), at(lapsed_before)).await.unwrap();
            let span = store.event_span(&run.table, TimeWindow::new(at(-1), sealed)).await.unwrap();
            run.sealed.lock().unwrap().push((sealed, span));
        })
    }

    async fn check(&self, endpoint: &str) {
        let store = self.store(endpoint);
        let sealed = std::mem::take(&mut *self.sealed.lock().unwrap());
        for (until, seen) in &sealed {
            let now = store.event_span(&self.table, TimeWindow::new(at(-1), *until)).await.unwrap();
            assert_eq!(*seen, now, "what came before the seal at {until} came after it was made; seals {sealed:?}");
        }
        let completed = self.completed.lock().unwrap().clone();
        let whole = store.event_span(&self.table, TimeWindow::new(at(-1), at(100))).await.unwrap();
        let n_records = whole.map_or(0, |span| span.n_records);
        assert_eq!(n_records, if completed.is_empty() { 0 } else { N_RECORDS }, "completed with {completed:?}");
        // Whoever lost took away what holds the seal.
        let furthest = store.seal(&self.table, at(50), at(-100)).await.unwrap();
        assert_eq!(furthest, at(50), "a pointer was left; completed with {completed:?}, seals {sealed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn part_is_before_the_seal_or_seen_by_it() {
    let Some(mut world) = World::new().await else { return };
    world.check_every_order(|run| vec![run.ingest(0, 5), run.seal(1, 10, -100)], &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lapsed_part_is_completed_before_the_seal_passes_it_or_not_at_all() {
    let Some(mut world) = World::new().await else { return };
    world.check_every_order(|run| vec![run.complete(0, 5), run.seal(1, 10, 6)], &[5]).await;
    // One that lapses while it is begun.
    world.check_every_order(|run| vec![run.ingest(0, 5), run.seal(1, 10, 6)], &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_workers_on_one_part_no_seal_sees_half() {
    let Some(mut world) = World::new().await else { return };
    world.check_any_orders(|run| vec![run.ingest(0, 5), run.ingest(1, 7), run.seal(2, 10, -100)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_sealers_neither_passes_a_part_that_the_other_saw() {
    let Some(mut world) = World::new().await else { return };
    let actors = |run: &Run| vec![run.ingest(0, 9), run.seal(1, 10, -100), run.seal(2, 8, -100)];
    // One sealer is held somewhere, the other goes all its way, and the part its way until somewhere.
    for (sealer, other) in [(1, 2), (2, 1)] {
        for (held, begun) in (0..MANY).flat_map(|held| (0..MANY).map(move |begun| (held, begun))) {
            println!("sealer {sealer} is held after {held} requests, the part after {begun}");
            let turns = [(sealer, Some(held)), (other, None), (0, Some(begun)), (sealer, None), (0, None)];
            world.check(actors, &[], &mut Turns::new(turns)).await;
        }
    }
}
