//! Messages that come at once, out of order, or for an alert that moved on.

use crate::local_server::{Behaviour, LocalServer, answer};
use crate::world::{Way, World};
use mantissa_contracts::messages::{DeliveryState, Intent, Severity};
use mantissa_runtime::handler::HandlerError;
use std::time::Duration;

const WAY: Way = Way::Webhook;

#[tokio::test]
async fn of_many_workers_with_one_message_one_sends() {
    let server = LocalServer::start([Behaviour::Slow(Duration::from_millis(200))]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    let (one, two, three) = tokio::join!(
        world.notify(&alert, WAY, Intent::Open),
        world.notify(&alert, WAY, Intent::Open),
        world.notify(&alert, WAY, Intent::Open)
    );
    let n_done = [&one, &two, &three].iter().filter(|handled| handled.is_ok()).count();
    assert_eq!((n_done, server.received().len()), (1, 1), "{one:?} {two:?} {three:?}");
}

#[tokio::test]
async fn a_closing_that_overtakes_an_opening_being_sent_comes_after_it() {
    let server = LocalServer::start([Behaviour::Slow(Duration::from_millis(300)), answer(200, "")]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    let closing = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let closed = world.close_alert(&alert).await;
        let handled = world.notify(&closed, WAY, Intent::Close).await;
        assert!(matches!(handled, Err(HandlerError::NotYet { .. })), "{handled:?}");
        closed
    };
    let (opened, closed) = tokio::join!(world.notify(&alert, WAY, Intent::Open), closing);
    opened.unwrap();
    world.clock.advance(Duration::from_secs(5));
    world.notify(&closed, WAY, Intent::Close).await.unwrap();
    let types: Vec<_> = server.received().iter().map(|request| request.json()["type"].clone()).collect();
    assert_eq!(types, ["alert.opened", "alert.closed"]);
}

#[tokio::test]
async fn a_closing_before_its_opening_makes_both_unnecessary() {
    let server = LocalServer::start([answer(200, "")]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    let closed = world.close_alert(&alert).await;
    world.notify(&closed, WAY, Intent::Close).await.unwrap();
    world.notify(&alert, WAY, Intent::Open).await.unwrap();
    assert!(server.received().is_empty());
    let reason = |delivery: mantissa_ports::stores::DeliveryRecord| delivery.attempts[0].reason.clone();
    assert_eq!(reason(world.delivery(&alert, Intent::Close).await), "suppressed: nothing_opened_here");
    assert_eq!(reason(world.delivery(&alert, Intent::Open).await), "suppressed: alert_already_closed");
}

#[tokio::test]
async fn an_opening_that_failed_is_not_sent_after_the_alert_was_closed() {
    let server = LocalServer::start([answer(500, "")]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    let Err(HandlerError::NotYet { retry_in, .. }) = world.notify(&alert, WAY, Intent::Open).await else { panic!() };
    world.close_alert(&alert).await;
    world.clock.advance(retry_in);
    world.notify(&alert, WAY, Intent::Open).await.unwrap();
    assert_eq!(server.received().len(), 1);
    assert_eq!(world.delivery(&alert, Intent::Open).await.state, DeliveryState::Suppressed);
}

#[tokio::test]
async fn an_update_that_the_opening_showed_already_is_a_no_op() {
    let server = LocalServer::start([answer(200, "")]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::Low).await;
    let raised = world.change_alert(&alert, |alert| alert.severity = Severity::High).await;
    world.notify(&alert, WAY, Intent::Open).await.unwrap();
    assert_eq!(server.received()[0].json()["data"]["alert"]["severity"], "high", "the current state is shown");
    world.notify(&raised, WAY, Intent::Update).await.unwrap();
    assert_eq!(server.received().len(), 1);
    assert_eq!(world.delivery(&alert, Intent::Update).await.attempts[0].reason, "suppressed: already_shown");

    let again = world.change_alert(&raised, |alert| alert.severity = Severity::Critical).await;
    world.notify(&again, WAY, Intent::Update).await.unwrap();
    assert_eq!(server.received()[1].json()["type"], "alert.updated");
}
