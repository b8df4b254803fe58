//! Messages as an event source mapping hands them over: what is settled and what is not, and what the end of a query wakes.

use crate::emulator::{Emulator, Kind};
use crate::resources::{make_queue, make_table};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageSystemAttributeName;
use mantissa_aws::athena::WakeOnEnd;
use mantissa_aws::dynamodb::{DynamoTables, schema};
use mantissa_aws::sqs::{HandedMessage, HandedQueue, QueueUrls, SqsQueue};
use mantissa_contracts::Envelope;
use mantissa_contracts::ids::EngineQueryId;
use mantissa_contracts::messages::QueryStarted;
use mantissa_contracts::topology::{QueueSpec, find_queue};
use mantissa_ports::{Clock as _, Outgoing, Publisher, Queue as _, ReceivedMessage, SystemClock};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// With what should be seen, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a message says of the query it waits for, from the golden example.
fn started(execution: &str) -> Outgoing {
    let example = include_str!("../../contracts/examples/query_started/v1.json");
    let mut data = Envelope::<QueryStarted>::decode(example).unwrap().data;
    data.engine_query_id = EngineQueryId::new(format!("{execution}/100/60000"));
    Outgoing::new(&Envelope::new("query-worker", SystemClock.now(), None, data)).unwrap()
}

struct World {
    client: Client,
    urls: QueueUrls,
    queue: HandedQueue,
    _emulator: Emulator,
}

impl World {
    async fn new() -> Option<Self> {
        let emulator = Emulator::start(Kind::MiniStack)?;
        let config = emulator.config().await;
        make_table(&config, "h-", &schema::WAITS).await;
        let spec: &QueueSpec = find_queue("result-poller-query_started").unwrap();
        let urls = make_queue(&config, "h-", spec).await;
        let client = Client::new(&config);
        let publisher = Arc::new(Publisher::new(Vec::new(), Vec::new()));
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        let waits = DynamoTables::new(dynamodb, "h-", publisher, Arc::new(SystemClock)).query_waits();
        let queue = SqsQueue::new(client.clone(), spec, urls.clone());
        let queue = HandedQueue::waiting_for(WakeOnEnd { waits }, queue);
        Some(Self { client, urls, queue, _emulator: emulator })
    }

    /// What a mapping would hand over, of what is visible.
    async fn handed(&self) -> Vec<(String, ReceivedMessage)> {
        let received = self
            .client
            .receive_message()
            .queue_url(&self.urls.queue)
            .max_number_of_messages(10)
            .visibility_timeout(600)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await
            .unwrap();
        let hand = |message: aws_sdk_sqs::types::Message| {
            let id = message.message_id.unwrap();
            let system = message.attributes.unwrap().into_iter();
            let handed = HandedMessage {
                message_id: id.clone(),
                receipt_handle: message.receipt_handle.unwrap(),
                body: message.body.unwrap(),
                system_attributes: system.map(|(name, value)| (name.as_str().to_owned(), value)).collect(),
                attributes: message
                    .message_attributes
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value.string_value?)))
                    .collect(),
            };
            (id, self.queue.accept(handed).unwrap())
        };
        received.messages.unwrap_or_default().into_iter().map(hand).collect()
    }

    /// `None` when nothing is seen.
    async fn handed_within(&self, time: Duration) -> Option<Vec<(String, ReceivedMessage)>> {
        let began = Instant::now();
        while began.elapsed() < time {
            let handed = self.handed().await;
            if !handed.is_empty() {
                return Some(handed);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_or_buried_is_settled_and_the_rest_is_not() {
    let Some(world) = World::new().await else { return };
    world.queue.send(&[started("a"), started("b"), started("c")]).await.unwrap();
    let handed = world.handed().await;
    assert_eq!(handed.len(), 3);
    assert!(handed.iter().all(|(_, message)| message.receive_count == 1 && message.attributes.contains_key("type")));
    world.queue.ack(&[handed[0].1.receipt.clone()]).await.unwrap();
    world.queue.dead_letter(&handed[1].1.receipt, "why").await.unwrap();
    world.queue.change_visibility(&handed[2].1.receipt, Duration::from_secs(600)).await.unwrap();
    let settled = BTreeSet::from([handed[0].0.clone(), handed[1].0.clone()]);
    assert_eq!(world.queue.take_settled(), settled);
    assert!(world.queue.take_settled().is_empty());
    // The mapping deletes what was acknowledged; what was buried is gone from the queue and in the DLQ.
    let depth = world.queue.depth().await.unwrap();
    assert_eq!((depth.n_in_flight, depth.n_visible, depth.n_dead), (2, 0, 1));
    assert_eq!(world.queue.dead(10, None).await.unwrap()[0].reason, "why");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn end_of_a_query_shows_the_message_that_waits_for_it_whichever_comes_first() {
    const LONG: Duration = Duration::from_secs(600);
    let Some(world) = World::new().await else { return };
    world.queue.send(&[started("waits-first")]).await.unwrap();
    let (_, message) = world.handed().await.remove(0);
    world.queue.change_visibility(&message.receipt, LONG).await.unwrap();
    world.queue.wake("another").await.unwrap();
    assert!(world.handed_within(Duration::from_secs(2)).await.is_none());
    world.queue.wake("waits-first").await.unwrap();
    assert!(world.handed_within(PATIENCE).await.is_some());

    world.queue.send(&[started("ends-first")]).await.unwrap();
    let (_, message) = world.handed().await.remove(0);
    world.queue.wake("ends-first").await.unwrap();
    world.queue.change_visibility(&message.receipt, LONG).await.unwrap();
    let (_, message) = world.handed_within(PATIENCE).await.expect("the end came before").remove(0);
    // Put back again, it is for another reason than that its query runs: it waits.
    world.queue.change_visibility(&message.receipt, LONG).await.unwrap();
    assert!(world.handed_within(Duration::from_secs(2)).await.is_none());

    for round in 0..20 {
        let execution = format!("at once {round}");
        world.queue.send(&[started(&execution)]).await.unwrap();
        let (_, message) = world.handed().await.remove(0);
        let both = tokio::join!(world.queue.wake(&execution), world.queue.change_visibility(&message.receipt, LONG));
        both.0.and(both.1).unwrap();
        let seen = world.handed_within(PATIENCE).await;
        assert!(seen.is_some(), "round {round}: nobody was woken");
        world.client.purge_queue().queue_url(&world.urls.queue).send().await.unwrap();
    }
}
