//! A handler that panics.

use super::*;
use async_trait::async_trait;
use mantissa_contracts::messages::ObjectReceived;
use mantissa_contracts::topology::find_queue;
use mantissa_ports::Publisher;
use mantissa_ports::memory::{MemoryBus, MemoryQueue, TestClock};
use std::sync::Mutex;

const QUEUE: &str = "ingest-object_received";

/// Panics on one location, and keeps the others it saw.
struct Fragile(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Handler for Fragile {
    type Message = ObjectReceived;

    async fn handle(&self, envelope: &Envelope<ObjectReceived>) -> Handled {
        assert_ne!(envelope.data.location, "deadly", "it cannot be read");
        self.0.lock().unwrap().push(envelope.data.location.clone());
        Ok(Vec::new())
    }
}

fn received(location: &str) -> Outgoing {
    let now = SystemClock.now();
    let object = ObjectReceived {
        location: location.to_owned(),
        etag: "1".to_owned(),
        size_bytes: 1,
        source: "auto".to_owned(),
        received_at: now,
    };
    Outgoing::new(&Envelope::new("test", now, None, object)).unwrap()
}

#[tokio::test]
async fn panic_ends_neither_the_loop_nor_the_messages_beside_it() {
    let clock = Arc::new(TestClock::default());
    let bus = MemoryBus::new(clock.clone());
    let spec = find_queue(QUEUE).unwrap();
    let queue: Arc<dyn Queue> = Arc::new(MemoryQueue::new(bus, spec));
    queue.send(&[received("a"), received("deadly"), received("b")]).await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let metrics = Arc::new(Metrics::default());
    let worker = Worker {
        queue: queue.clone(),
        handler: Fragile(seen.clone()),
        publisher: Arc::new(Publisher::new(Vec::new(), Vec::new())),
        metrics: metrics.clone(),
        config: WorkerConfig::of(spec),
    };
    for _ in 0..spec.max_receive_count {
        let batch = queue.receive(10, Duration::from_secs(60), Duration::ZERO).await.unwrap();
        worker.handle_received(batch).await;
        clock.advance(LONGEST_BACKOFF);
    }
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["a", "b"]);
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.n_visible, depth.n_in_flight, depth.n_delayed, depth.n_dead), (0, 0, 0, 1));
    let dead = queue.dead(10, None).await.unwrap();
    assert!(dead[0].body.contains("deadly"), "{dead:?}");
    assert!(metrics.render().contains("mantissa_handler_panics_total"));
}
