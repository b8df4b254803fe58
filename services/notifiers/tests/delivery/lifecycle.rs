//! One delivery over time: waits, budgets, giving up, what is told to whom.

use crate::local_server::{Behaviour, LocalServer, answer, answer_with};
use crate::world::{Way, World, ops};
use chrono::TimeDelta;
use mantissa_contracts::ids::AlertId;
use mantissa_contracts::messages::{
    AttemptOutcome, DeliveryState, DestinationType, Intent, KeyPart, NotificationRequested, Severity,
};
use mantissa_contracts::{Envelope, Message};
use mantissa_domain::system_alert::SystemAlert;
use mantissa_notifiers::explain;
use mantissa_ports::Clock;
use mantissa_ports::stores::DeliveryKey;
use mantissa_runtime::handler::{Handled, Handler, HandlerError};
use std::time::Duration;

const WAY: Way = Way::Webhook;

fn wait(handled: &Handled) -> Duration {
    match handled {
        Err(HandlerError::NotYet { retry_in, .. }) => *retry_in,
        other => panic!("expected a wait, got {other:?}"),
    }
}

/// Handles the same message until it is done, moving the clock as the queue would; how many times it was handled.
async fn run_out(world: &World, message: &Envelope<NotificationRequested>) -> (u32, Handled) {
    for n in 1..1000 {
        match world.handler.handle(message).await {
            Err(HandlerError::NotYet { retry_in, .. }) => world.clock.advance(retry_in),
            done => return (n, done),
        }
    }
    panic!("the delivery never ends");
}

#[tokio::test]
async fn a_wait_is_kept_in_the_record_and_an_early_message_sends_nothing() {
    let server = LocalServer::start([answer_with(429, "retry-after", "90"), answer(200, "")]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    assert_eq!(wait(&world.notify(&alert, WAY, Intent::Open).await), Duration::from_secs(90));
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert_eq!(delivery.state, DeliveryState::Failed);
    assert_eq!(delivery.next_attempt_at, Some(delivery.created_at + TimeDelta::seconds(90)));

    world.clock.advance(Duration::from_secs(89));
    assert_eq!(wait(&world.notify(&alert, WAY, Intent::Open).await), Duration::from_secs(1));
    assert_eq!(server.received().len(), 1);

    world.clock.advance(Duration::from_secs(1));
    world.notify(&alert, WAY, Intent::Open).await.unwrap();
    world.notify(&alert, WAY, Intent::Open).await.unwrap();
    assert_eq!(server.received().len(), 2, "a delivery that is done is not sent again");
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!(delivery.attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(delivery.attempts[1].reason, "first_notification: answered 200");
    let ids: std::collections::BTreeSet<_> = world.bus.published().iter().map(|message| message.id).collect();
    assert_eq!(ids.len(), 2, "each try is told under an id of its own");
}

#[tokio::test]
async fn a_failing_destination_is_tried_for_its_budget_and_then_told_of() {
    for (severity, hours) in [(Severity::Medium, 4), (Severity::Critical, 24)] {
        let server = LocalServer::start([answer(500, "")]).await;
        let world = World::start(WAY, &server).await;
        let alert = world.open_alert("a", severity).await;
        let message = world.request(&alert, WAY, Intent::Open);
        let (n, done) = run_out(&world, &message).await;
        assert!(matches!(done, Err(HandlerError::Permanent { .. })), "{done:?}");
        let delivery = world.delivery(&alert, Intent::Open).await;
        assert_eq!(delivery.state, DeliveryState::Dead);
        let took = world.clock.now() - delivery.created_at;
        assert!(took > TimeDelta::minutes(hours * 60 - 10) && took <= TimeDelta::hours(hours), "{severity}: {took}");
        assert!(n > u32::try_from(hours).unwrap() * 6, "at least one try in ten minutes: {n}");
        assert!(explain(&delivery).iter().any(|line| line.contains("its time is used up")));

        let [system_alert] = &world.system_alerts()[..] else { panic!("one system alert") };
        assert_eq!(system_alert.rule.rule_id, SystemAlert::DestinationFailing.rule_id());
        assert_eq!(system_alert.rule.log_source, "mantissa");
        assert_eq!(system_alert.alert_key[0].value.as_deref(), Some("ops"));

        let n_published = world.bus.published().len();
        let again = world.handler.handle(&message).await;
        assert!(matches!(again, Err(HandlerError::Permanent { .. })), "to the DLQ again: {again:?}");
        assert_eq!(world.bus.published().len(), n_published);
    }
}

#[tokio::test]
async fn authorization_is_tried_three_times_over_a_quarter_of_an_hour() {
    for way in Way::ALL {
        let server = LocalServer::start([answer(403, "")]).await;
        let world = World::start(way, &server).await;
        let alert = world.open_alert("a", Severity::High).await;
        let (_, done) = run_out(&world, &world.request(&alert, way, Intent::Open)).await;
        assert!(matches!(done, Err(HandlerError::Permanent { .. })));
        assert_eq!(server.received().len(), 3);
        let delivery = world.delivery(&alert, Intent::Open).await;
        assert_eq!(world.clock.now() - delivery.created_at, TimeDelta::minutes(15));
        assert_eq!(world.system_alerts().len(), 1);
    }
}

#[tokio::test]
async fn a_secret_that_comes_late_is_used() {
    let server = LocalServer::start([answer(200, "")]).await;
    let world = World::start(WAY, &server).await;
    world.deps.secrets.remove("ops-key").await.unwrap();
    let alert = world.open_alert("a", Severity::High).await;
    let retry_in = wait(&world.notify(&alert, WAY, Intent::Open).await);
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert_eq!(delivery.attempts[0].outcome, AttemptOutcome::Auth);
    assert!(delivery.attempts[0].reason.contains("secret `ops-key`"), "{}", delivery.attempts[0].reason);
    world.put_secret("ops-key", crate::world::KEY).await;
    world.clock.advance(retry_in);
    world.notify(&alert, WAY, Intent::Open).await.unwrap();
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_destination_that_is_gone_is_disabled_and_gets_nothing_more() {
    for way in Way::ALL {
        let server = LocalServer::start([answer(410, "")]).await;
        let world = World::start(way, &server).await;
        let alert = world.open_alert("a", Severity::High).await;
        let _ = world.notify(&alert, way, Intent::Open).await;
        let destination = world.deps.destinations.get(&ops()).await.unwrap().unwrap();
        assert!(!destination.enabled);
        assert_eq!(destination.disabled_reason.as_deref(), Some("gone: answered 410"));

        let next = world.open_alert("b", Severity::High).await;
        world.notify(&next, way, Intent::Open).await.unwrap();
        let delivery = world.delivery(&next, Intent::Open).await;
        assert_eq!(delivery.state, DeliveryState::Suppressed);
        assert_eq!(delivery.attempts[0].reason, "suppressed: destination_disabled");
        assert_eq!(server.received().len(), 1);
        assert_eq!(world.recorded().last().unwrap().state, DeliveryState::Suppressed, "and it is told");
    }
}

#[tokio::test]
async fn an_unanswered_webhook_is_sent_again_under_the_same_id_and_marked() {
    let server = LocalServer::start([Behaviour::CutMidHead, answer(200, "")]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    let retry_in = wait(&world.notify(&alert, WAY, Intent::Open).await);
    assert_eq!(world.delivery(&alert, Intent::Open).await.state, DeliveryState::Unknown);
    world.clock.advance(retry_in);
    world.notify(&alert, WAY, Intent::Open).await.unwrap();
    let received = server.received();
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert_eq!((delivery.state, delivery.possible_duplicate), (DeliveryState::Delivered, true));
    assert!(world.recorded()[1].possible_duplicate);
}

#[tokio::test]
async fn a_worker_that_died_while_sending_leaves_a_possible_duplicate() {
    let server = LocalServer::start([answer(200, "")]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    let key = DeliveryKey { alert_id: alert.alert_id, destination_id: ops(), intent: Intent::Open, about_revision: 0 };
    let now = world.clock.now();
    let lease_until = now + TimeDelta::seconds(60);
    world.deps.deliveries.claim(&key, DestinationType::Webhook, "dead-worker", now, lease_until).await.unwrap();
    let retry_in = wait(&world.notify(&alert, WAY, Intent::Open).await);
    assert_eq!(retry_in, Duration::from_secs(60));
    assert!(server.received().is_empty());
    world.clock.advance(retry_in);
    world.notify(&alert, WAY, Intent::Open).await.unwrap();
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert_eq!((delivery.state, delivery.possible_duplicate), (DeliveryState::Delivered, true));
}

#[tokio::test]
async fn messages_to_one_slack_channel_are_a_second_apart_and_no_worker_waits() {
    let server = LocalServer::start([answer(200, "ok")]).await;
    let world = World::start(Way::SlackWebhook, &server).await;
    let (one, two) = (world.open_alert("1", Severity::High).await, world.open_alert("2", Severity::High).await);
    world.notify(&one, Way::SlackWebhook, Intent::Open).await.unwrap();
    let retry_in = wait(&world.notify(&two, Way::SlackWebhook, Intent::Open).await);
    assert_eq!(retry_in, Duration::from_secs(1));
    assert_eq!(server.received().len(), 1);
    world.clock.advance(retry_in);
    world.notify(&two, Way::SlackWebhook, Intent::Open).await.unwrap();
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn a_throttled_channel_is_left_alone_by_every_delivery() {
    for way in Way::ALL {
        let server = LocalServer::start([answer_with(429, "retry-after", "120"), answer(200, way.taken())]).await;
        let world = World::start(way, &server).await;
        let (one, two) = (world.open_alert("1", Severity::High).await, world.open_alert("2", Severity::High).await);
        wait(&world.notify(&one, way, Intent::Open).await);
        world.clock.advance(Duration::from_secs(20));
        assert_eq!(wait(&world.notify(&two, way, Intent::Open).await), Duration::from_secs(100));
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test]
async fn a_system_alert_about_a_destination_does_not_go_to_it() {
    let server = LocalServer::start([answer(200, "")]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    let about = world
        .change_alert(&alert, |alert| {
            alert.rule.rule_id = SystemAlert::DestinationFailing.rule_id();
            alert.alert_key = vec![KeyPart { field: "subject".to_owned(), value: Some("ops".to_owned()) }];
        })
        .await;
    world.notify(&about, WAY, Intent::Open).await.unwrap();
    assert!(server.received().is_empty());
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert_eq!(delivery.attempts[0].reason, "suppressed: alert_is_about_this_destination");
}

#[tokio::test]
async fn a_notification_without_its_alert_goes_to_the_dlq_and_blames_no_destination() {
    let server = LocalServer::start([answer(200, "")]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    for intent in [Intent::Open, Intent::Update, Intent::Close] {
        let mut message = world.request(&alert, WAY, intent);
        message.data.alert_id = AlertId::derive(&["nowhere"]);
        let handled = world.handler.handle(&message).await;
        assert!(matches!(handled, Err(HandlerError::Permanent { .. })), "{intent}: {handled:?}");
    }
    assert!(world.system_alerts().is_empty());
    assert_eq!(NotificationRequested::NAME, "notification_requested");
}

#[tokio::test]
async fn a_destination_of_another_type_than_was_requested_is_a_failure_that_shows() {
    let server = LocalServer::start([answer(200, "ok")]).await;
    let world = World::start(Way::SlackWebhook, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    let handled = world.notify(&alert, Way::Webhook, Intent::Open).await;
    let Err(HandlerError::Permanent { reason }) = handled else { panic!("{handled:?}") };
    assert!(reason.contains("it is of type `slack`, the notification was requested for `webhook`"), "{reason}");
    assert_eq!(world.system_alerts().len(), 1);
}
