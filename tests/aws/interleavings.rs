//! Orders in which the requests of several actors can reach an emulator, tried one after the other.
//!
//! Each actor's requests go through a door of its own. One is let through at a time, and the next not before the actor whose
//! turn it was has asked for more or has ended: so an order that was found to break something breaks it every time.

use crate::emulator::Emulator;
use crate::upstream::Upstream;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use futures::future::BoxFuture;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// An actor that neither asks nor ends within it hangs.
const TURN: Duration = Duration::from_secs(20);

/// What an actor does next: ask, or end.
enum Step {
    Asks(usize, oneshot::Sender<()>),
    Ends,
}

/// Tells of an actor's end, also of one that panics.
struct End(mpsc::UnboundedSender<Step>);

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.0.send(Step::Ends);
    }
}

#[derive(Clone)]
struct Door {
    actor: usize,
    steps: mpsc::UnboundedSender<Step>,
    upstream: Upstream,
}

pub(crate) struct Doors {
    /// An endpoint for each actor.
    pub(crate) endpoints: Vec<String>,
    servers: Vec<JoinHandle<()>>,
    ends: mpsc::UnboundedSender<Step>,
    steps: mpsc::UnboundedReceiver<Step>,
}

impl Drop for Doors {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

impl Doors {
    pub(crate) async fn before(emulator: &Emulator, n_actors: usize) -> Self {
        let (ends, steps) = mpsc::unbounded_channel();
        let mut doors = Self { endpoints: Vec::new(), servers: Vec::new(), ends, steps };
        for actor in 0..n_actors {
            let door = Door { actor, steps: doors.ends.clone(), upstream: Upstream::new(emulator) };
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            doors.endpoints.push(format!("http://{}", listener.local_addr().unwrap()));
            let router = Router::new().fallback(pass).with_state(door);
            doors.servers.push(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }));
        }
        doors
    }

    /// Runs the actors to their ends in the order that is next.
    pub(crate) async fn run(&mut self, actors: Vec<BoxFuture<'static, ()>>, order: &mut impl Order) {
        let mut running = actors.len();
        let tasks: Vec<_> = actors
            .into_iter()
            .map(|act| {
                let end = End(self.ends.clone());
                tokio::spawn(async move {
                    let _end = end;
                    act.await;
                })
            })
            .collect();
        let mut waiting: Vec<(usize, oneshot::Sender<()>)> = Vec::new();
        let mut last = None;
        loop {
            while waiting.len() < running {
                match tokio::time::timeout(TURN, self.steps.recv()).await.unwrap().unwrap() {
                    Step::Asks(actor, permit) => waiting.push((actor, permit)),
                    Step::Ends => running -= 1,
                }
            }
            if waiting.is_empty() {
                break;
            }
            // Whose turn it was comes first, where it can go on.
            waiting.sort_by_key(|(actor, _)| (Some(*actor) != last, *actor));
            let goes_on = Some(waiting[0].0) == last;
            let actors: Vec<usize> = waiting.iter().map(|(actor, _)| *actor).collect();
            let (actor, permit) = waiting.swap_remove(order.next_of(&actors, goes_on));
            last = Some(actor);
            permit.send(()).unwrap();
        }
        for task in tasks {
            task.await.unwrap();
        }
    }
}

async fn pass(State(door): State<Door>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let (permit, permitted) = oneshot::channel();
    door.steps.send(Step::Asks(door.actor, permit)).unwrap();
    permitted.await.unwrap();
    door.upstream.send(&method, &uri, &headers, &body).await
}

/// Whose turn it is.
pub(crate) trait Order {
    /// The place of one of the actors that wait. The first one is the one whose turn it was, where that one goes on.
    fn next_of(&mut self, waiting: &[usize], goes_on: bool) -> usize;
}

/// Every order in which actors are interrupted at most so often; what takes more interruptions than two to go wrong is rare.
pub(crate) struct EveryOrder {
    max_interruptions: usize,
    taken: Vec<Choice>,
    /// How many of `taken` this run has made again.
    n_made: usize,
}

struct Choice {
    taken: usize,
    n_possible: usize,
    goes_on: bool,
}

impl EveryOrder {
    pub(crate) fn new(max_interruptions: usize) -> Self {
        Self { max_interruptions, taken: Vec::new(), n_made: 0 }
    }

    /// `false` when there is no order left.
    pub(crate) fn advance(&mut self) -> bool {
        self.taken.truncate(std::mem::take(&mut self.n_made));
        while let Some(mut choice) = self.taken.pop() {
            choice.taken += 1;
            if choice.taken < choice.n_possible {
                self.taken.push(choice);
                return true;
            }
        }
        false
    }
}

impl Order for EveryOrder {
    fn next_of(&mut self, waiting: &[usize], goes_on: bool) -> usize {
        if self.n_made == self.taken.len() {
            let interruptions = self.taken.iter().filter(|choice| choice.goes_on && choice.taken > 0).count();
            let n_possible = if goes_on && interruptions == self.max_interruptions { 1 } else { waiting.len() };
            self.taken.push(Choice { taken: 0, n_possible, goes_on });
        }
        self.n_made += 1;
        self.taken[self.n_made - 1].taken
    }
}

/// Any order, from a seed.
pub(crate) struct AnyOrder(StdRng);

impl AnyOrder {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }
}

impl Order for AnyOrder {
    fn next_of(&mut self, waiting: &[usize], _: bool) -> usize {
        self.0.random_range(0..waiting.len())
    }
}

/// Turns that were written down: an actor, and how many requests it makes before the next one's turn; all it has where that
/// is `None`.
pub(crate) struct Turns(VecDeque<(usize, Option<usize>)>);

impl Turns {
    pub(crate) fn new(turns: impl IntoIterator<Item = (usize, Option<usize>)>) -> Self {
        Self(turns.into_iter().collect())
    }
}

impl Order for Turns {
    fn next_of(&mut self, waiting: &[usize], _: bool) -> usize {
        while let Some((actor, left)) = self.0.front_mut() {
            match waiting.iter().position(|waits| waits == actor) {
                Some(place) if *left != Some(0) => {
                    *left = left.map(|left| left - 1);
                    return place;
                }
                _ => _ = self.0.pop_front(),
            }
        }
        0
    }
}
