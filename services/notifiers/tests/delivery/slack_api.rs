//! `chat.postMessage` and `chat.update`.

use crate::local_server::{LocalServer, answer};
use crate::world::{Way, World};
use mantissa_contracts::messages::{AttemptOutcome, DeliveryState, Intent, Severity};
use mantissa_runtime::handler::HandlerError;
use std::time::Duration;

const WAY: Way = Way::SlackApi;

#[tokio::test]
async fn a_closing_changes_the_message_that_was_posted() {
    let server = LocalServer::start([answer(200, WAY.taken())]).await;
    let world = World::start(WAY, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    world.notify(&alert, WAY, Intent::Open).await.unwrap();
    let closed = world.close_alert(&alert).await;
    world.clock.advance(Duration::from_secs(2));
    world.notify(&closed, WAY, Intent::Close).await.unwrap();

    let received = server.received();
    assert_eq!(received[0].path(), "/hook/chat.postMessage");
    assert_eq!(received[0].json()["channel"], "alerts");
    assert_eq!(received[0].header("authorization"), Some("Bearer xoxb-token"));
    assert_eq!(received[1].path(), "/hook/chat.update");
    assert_eq!(received[1].json()["channel"], "C1");
    assert_eq!(received[1].json()["ts"], "1700000000.000100");
    assert!(received[1].json()["text"].as_str().unwrap().contains("Closed: "));
    assert_eq!(world.delivery(&alert, Intent::Close).await.state, DeliveryState::Posted);
}

#[tokio::test]
async fn a_message_that_cannot_be_changed_is_posted_anew() {
    for code in ["message_not_found", "edit_window_closed", "cant_update_message"] {
        let refused = format!(r#"{{"ok":false,"error":"{code}"}}"#);
        let server = LocalServer::start([
            answer(200, WAY.taken()),
            answer(200, &refused),
            answer(200, r#"{"ok":true,"channel":"C1","ts":"2.2"}"#),
        ])
        .await;
        let world = World::start(WAY, &server).await;
        let alert = world.open_alert("a", Severity::High).await;
        world.notify(&alert, WAY, Intent::Open).await.unwrap();
        let closed = world.close_alert(&alert).await;
        world.clock.advance(Duration::from_secs(2));
        world.notify(&closed, WAY, Intent::Close).await.unwrap();
        assert_eq!(server.received()[2].path(), "/hook/chat.postMessage");
        assert_eq!(world.delivery(&alert, Intent::Close).await.provider_ids["ts"], "2.2");
    }
}

#[tokio::test]
async fn http_200_with_ok_false_is_no_success() {
    for (code, outcome) in [
        ("channel_not_found", AttemptOutcome::Permanent),
        ("invalid_auth", AttemptOutcome::Auth),
        ("ratelimited", AttemptOutcome::Throttled),
        ("is_archived", AttemptOutcome::Gone),
        ("internal_error", AttemptOutcome::Transient),
    ] {
        let server = LocalServer::start([answer(200, &format!(r#"{{"ok":false,"error":"{code}"}}"#))]).await;
        let world = World::start(WAY, &server).await;
        let alert = world.open_alert("a", Severity::High).await;
        let handled = world.notify(&alert, WAY, Intent::Open).await;
        assert!(matches!(handled, Err(HandlerError::Permanent { .. } | HandlerError::NotYet { .. })));
        let delivery = world.delivery(&alert, Intent::Open).await;
        assert_eq!(delivery.attempts[0].outcome, outcome, "{code}");
        assert!(delivery.attempts[0].reason.contains(code));
    }
}
