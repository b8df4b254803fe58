//! A try that was made is recorded, or known not to be.

use crate::local_server::{Behaviour, LocalServer, answer};
use crate::world::{Way, World, ops};
use async_trait::async_trait;
use chrono::TimeDelta;
use mantissa_contracts::ids::{AlertId, DeliveryId};
use mantissa_contracts::messages::{DeliveryState, DestinationType, Intent, Severity};
use mantissa_contracts::time::Instant;
use mantissa_notifiers::NotificationHandler;
use mantissa_ports::stores::{AttemptRecord, ClaimOutcome, DeliveryKey, DeliveryRecord, DeliveryStore};
use mantissa_ports::{Clock, PortError};
use mantissa_runtime::handler::{Handler, HandlerError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const WAY: Way = Way::Webhook;

/// A store whose first writes of tries fail.
struct BusyStore {
    store: Arc<dyn DeliveryStore>,
    n_failures_left: AtomicU32,
}

#[async_trait]
impl DeliveryStore for BusyStore {
    async fn claim(
        &self,
        key: &DeliveryKey,
        destination_type: DestinationType,
        owner: &str,
        now: Instant,
        lease_until: Instant,
    ) -> Result<ClaimOutcome, PortError> {
        self.store.claim(key, destination_type, owner, now, lease_until).await
    }

    async fn record(&self, record: &AttemptRecord) -> Result<bool, PortError> {
        let take_one = |n: u32| n.checked_sub(1);
        if self.n_failures_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one).is_ok() {
            return Err(PortError::transient("record attempt", record.delivery_id.to_string(), "busy"));
        }
        self.store.record(record).await
    }

    async fn reopen(&self, delivery: &DeliveryId, now: Instant) -> Result<bool, PortError> {
        self.store.reopen(delivery, now).await
    }

    async fn get(&self, delivery: &DeliveryId) -> Result<Option<DeliveryRecord>, PortError> {
        self.store.get(delivery).await
    }

    async fn for_alert(&self, alert: &AlertId) -> Result<Vec<DeliveryRecord>, PortError> {
        self.store.for_alert(alert).await
    }

    async fn counts(&self) -> Result<BTreeMap<String, u64>, PortError> {
        self.store.counts().await
    }
}

fn with_busy_store(world: &mut World, n_failures: u32) {
    let store = BusyStore { store: world.deps.deliveries.clone(), n_failures_left: AtomicU32::new(n_failures) };
    world.deps.deliveries = Arc::new(store);
    world.handler = NotificationHandler::new(world.deps.clone());
}

#[tokio::test]
async fn a_store_that_is_busy_for_a_moment_causes_no_second_send() {
    let server = LocalServer::start([answer(200, "")]).await;
    let mut world = World::start(WAY, &server).await;
    with_busy_store(&mut world, 2);
    let alert = world.open_alert("a", Severity::High).await;
    world.notify(&alert, WAY, Intent::Open).await.unwrap();
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert_eq!((delivery.state, delivery.possible_duplicate), (DeliveryState::Delivered, false));
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_try_that_could_not_be_recorded_is_made_again_and_marked() {
    let server = LocalServer::start([answer(200, "")]).await;
    let mut world = World::start(WAY, &server).await;
    with_busy_store(&mut world, 3);
    let alert = world.open_alert("a", Severity::High).await;
    let message = world.request(&alert, WAY, Intent::Open);
    let handled = world.handler.handle(&message).await;
    assert!(matches!(handled, Err(HandlerError::Transient { .. })), "{handled:?}");
    world.clock.advance(Duration::from_secs(60));
    world.handler.handle(&message).await.unwrap();
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert!(world.delivery(&alert, Intent::Open).await.possible_duplicate);
}

#[tokio::test]
async fn a_worker_whose_claim_lapsed_while_sending_records_nothing() {
    let server = LocalServer::start([Behaviour::Slow(Duration::from_millis(300))]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    let take_over = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.clock.advance(Duration::from_secs(61));
        let key =
            DeliveryKey { alert_id: alert.alert_id, destination_id: ops(), intent: Intent::Open, about_revision: 0 };
        let now = world.clock.now();
        let lease_until = now + TimeDelta::seconds(60);
        world.deps.deliveries.claim(&key, DestinationType::Webhook, "other", now, lease_until).await.unwrap()
    };
    let (handled, taken) = tokio::join!(world.notify(&alert, WAY, Intent::Open), take_over);
    assert!(matches!(taken, ClaimOutcome::Claimed(_)));
    assert!(matches!(handled, Err(HandlerError::NotYet { .. })), "{handled:?}");
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert_eq!((delivery.owner.as_deref(), delivery.attempts.len()), (Some("other"), 0));
    assert!(delivery.possible_duplicate && world.bus.published().is_empty());
}
