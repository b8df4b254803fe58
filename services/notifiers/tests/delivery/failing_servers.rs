//! The shared table: what a server does, and what becomes of a delivery, the same for every destination.

use crate::local_server::{Behaviour, LocalServer, answer, answer_with};
use crate::world::{Way, World, ops};
use mantissa_contracts::messages::AttemptOutcome::{
    self, Auth, Gone, Permanent, Succeeded, Throttled, Transient, Unknown,
};
use mantissa_contracts::messages::{DeliveryState, Intent, Severity};
use mantissa_runtime::handler::HandlerError;
use std::time::Duration;
use tokio::net::TcpListener;

fn table(way: Way) -> Vec<(&'static str, Behaviour, AttemptOutcome)> {
    let status_decides = way == Way::Webhook;
    vec![
        ("200", answer(200, way.taken()), Succeeded),
        ("429 with seconds", answer_with(429, "retry-after", "30"), Throttled),
        ("429 with a date", answer_with(429, "retry-after", "Sun, 01 Mar 2026 12:00:30 GMT"), Throttled),
        ("503 with seconds", answer_with(503, "retry-after", "30"), Throttled),
        ("500", answer(500, ""), Transient),
        ("302 to a private address", answer_with(302, "location", "http://169.254.169.254/latest"), Permanent),
        ("307 to loopback", answer_with(307, "location", "/elsewhere"), Permanent),
        ("200 after 60 s", Behaviour::Slow(Duration::from_secs(60)), Unknown),
        ("10 GB", Behaviour::Endless, if status_decides { Succeeded } else { Permanent }),
        ("cut in the body", Behaviour::CutMidBody, if status_decides { Succeeded } else { Unknown }),
        ("cut in the head", Behaviour::CutMidHead, Unknown),
        ("400", answer(400, "bad"), Permanent),
        ("401", answer(401, ""), Auth),
        ("403", answer(403, ""), Auth),
        ("410", answer(410, ""), Gone),
    ]
}

#[tokio::test]
async fn every_destination_handles_every_failing_server_alike() {
    for way in Way::ALL {
        for (name, behaviour, outcome) in table(way) {
            let case = format!("{way:?}: {name}");
            let server = LocalServer::start([behaviour]).await;
            let world = World::start(way, &server).await;
            let alert = world.open_alert("a", Severity::High).await;

            let handled = world.notify(&alert, way, Intent::Open).await;

            assert_eq!(server.received().len(), 1, "{case}: requests");
            let delivery = world.delivery(&alert, Intent::Open).await;
            assert_eq!(delivery.attempts.len(), 1, "{case}");
            assert_eq!(delivery.attempts[0].outcome, outcome, "{case}: {}", delivery.attempts[0].reason);
            let recorded = world.recorded();
            assert_eq!(recorded.len(), 1, "{case}");
            assert_eq!((recorded[0].state, recorded[0].outcome), (delivery.state, outcome), "{case}");
            assert_eq!(delivery.possible_duplicate, outcome == Unknown, "{case}");
            match outcome {
                Succeeded => {
                    assert!(matches!(handled, Ok(ref outgoing) if outgoing.is_empty()), "{case}: {handled:?}");
                    assert!(matches!(delivery.state, DeliveryState::Posted | DeliveryState::Delivered), "{case}");
                }
                Permanent | Gone => {
                    assert!(matches!(handled, Err(HandlerError::Permanent { .. })), "{case}: {handled:?}");
                    assert_eq!(delivery.state, DeliveryState::Dead, "{case}");
                    assert_eq!(world.system_alerts().len(), 1, "{case}");
                }
                _ => {
                    let Err(HandlerError::NotYet { retry_in, .. }) = handled else { panic!("{case}: {handled:?}") };
                    let wait = delivery.next_attempt_at.unwrap() - delivery.created_at;
                    assert_eq!(wait.to_std().unwrap(), retry_in, "{case}");
                    if outcome == Throttled {
                        assert_eq!(retry_in, Duration::from_secs(30), "{case}");
                    }
                    assert!(world.system_alerts().is_empty(), "{case}");
                }
            }
            let destination = world.deps.destinations.get(&ops()).await.unwrap().unwrap();
            assert_eq!(destination.enabled, outcome != Gone, "{case}");
        }
    }
}

#[tokio::test]
async fn an_endless_answer_is_read_to_its_bound_only() {
    let server = LocalServer::start([Behaviour::Endless]).await;
    let world = World::start(Way::Webhook, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    world.notify(&alert, Way::Webhook, Intent::Open).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let sent = server.sent_bytes();
    // What was not read fills the socket buffers of both ends and no more.
    assert!(sent < 32 * 1024 * 1024, "{sent} bytes were taken");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.sent_bytes(), sent, "the connection was dropped");
}

#[tokio::test]
async fn no_server_and_no_tls_are_transient() {
    for way in Way::ALL {
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let not_tls = LocalServer::start([Behaviour::NotTls]).await;
        for url in [format!("http://{nobody}/"), format!("https://{}/", not_tls.address)] {
            let world = World::new();
            world.add_destination(way, &url).await;
            let alert = world.open_alert("a", Severity::High).await;
            let handled = world.notify(&alert, way, Intent::Open).await;
            assert!(matches!(handled, Err(HandlerError::NotYet { .. })), "{handled:?}");
            let delivery = world.delivery(&alert, Intent::Open).await;
            assert_eq!(delivery.attempts[0].outcome, Transient, "{}", delivery.attempts[0].reason);
            assert!(!delivery.possible_duplicate, "nothing was sent");
        }
    }
}

#[tokio::test]
async fn addresses_that_are_not_public_are_never_asked() {
    for way in Way::ALL {
        for url in [
            "https://10.0.0.1/",
            "https://0xa9fea9fe/",
            "https://[fd00:ec2::254]/",
            "https://localhost/",
            "http://example.com/",
            "https://user:pw@example.com/",
            "ftp://127.0.0.1/",
        ] {
            let world = World::new();
            world.add_destination(way, url).await;
            let alert = world.open_alert("a", Severity::High).await;
            let handled = world.notify(&alert, way, Intent::Open).await;
            assert!(matches!(handled, Err(HandlerError::Permanent { .. })), "{way:?} {url}: {handled:?}");
            let delivery = world.delivery(&alert, Intent::Open).await;
            assert_eq!(delivery.attempts[0].outcome, Permanent, "{url}: {}", delivery.attempts[0].reason);
        }
    }
}
