//! Alerts as mails, with a mailer that is told what to say.

use crate::world::World;
use chrono::TimeDelta;
use mantissa_contracts::messages::{
    AlertSnapshot, AttemptOutcome, DeliveryRecorded, DeliveryState, DestinationType, Intent, Severity,
};
use mantissa_notifiers::{NotificationHandler, NotifierDeps};
use mantissa_ports::{Clock as _, MailError, MailErrorKind, TakenMail};
use mantissa_runtime::handler::{Handled, Handler as _};

const TO: &str = "soc@example.com, On call <on-call@example.com>";

async fn start() -> World {
    let world = World::new();
    world.put_destination(DestinationType::Email, &[("to", TO)]).await;
    world
}

async fn notify(world: &World, alert: &AlertSnapshot, intent: Intent) -> Handled {
    world.handler.handle(&world.request_of(alert, DestinationType::Email, intent)).await
}

#[tokio::test]
async fn opening_and_closing_are_mails_of_one_thread_to_everyone() {
    let world = start().await;
    let alert = world.open_alert("a", Severity::High).await;
    let not_for = vec!["On call <on-call@example.com>".to_owned()];
    let taken = TakenMail { provider_id: Some("0100-abc".to_owned()), not_for, ..TakenMail::default() };
    world.mailer.next(Ok(taken));
    notify(&world, &alert, Intent::Open).await.unwrap();
    let closed = world.close_alert(&alert).await;
    notify(&world, &closed, Intent::Close).await.unwrap();

    let [opening, closing] = &world.mailer.sent()[..] else { panic!("{:?}", world.mailer.sent()) };
    for mail in [opening, closing] {
        assert_eq!(mail.to, ["soc@example.com", "On call <on-call@example.com>"]);
        assert_eq!(mail.from, "Mantissa Log <alerts@example.com>");
        assert_eq!(mail.thread, format!("<{}@example.com>", alert.alert_id));
        assert!(mail.text.contains("Ask the account's owner.") && mail.html.contains("123456789012"), "{mail:?}");
    }
    assert_eq!(
        (opening.subject.as_str(), closing.subject.as_str()),
        ("[HIGH] Root login (a)", "Re: [HIGH] Root login (a)")
    );
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert_eq!(opening.message_id, format!("<{}@example.com>", delivery.delivery_id));
    assert_ne!(opening.message_id, closing.message_id);
    assert_eq!(delivery.state, DeliveryState::Accepted);
    assert_eq!(delivery.provider_ids["message_id"], "0100-abc");
    let reason = &delivery.attempts[0].reason;
    let said = "the mail was taken, but not for 1 of 2 addresses: On call <on-call@example.com>";
    assert!(reason.ends_with(said), "{reason}");
    assert_eq!(world.system_alerts().len(), 1, "somebody does not hear of alerts");
}

/// An opening that was taken for one of two, and may be taken for the other later.
async fn opened_for_some() -> (World, AlertSnapshot) {
    let world = start().await;
    let alert = world.open_alert("a", Severity::High).await;
    let not_yet_for = vec!["soc@example.com".to_owned()];
    world.mailer.next(Ok(TakenMail { not_yet_for, ..TakenMail::default() }));
    // It is tried again later.
    let _ = notify(&world, &alert, Intent::Open).await;
    (world, alert)
}

#[tokio::test]
async fn mail_that_is_taken_for_some_is_sent_again_to_the_others_only() {
    let (world, alert) = opened_for_some().await;
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert_eq!(delivery.state, DeliveryState::Failed);
    let reason = &delivery.attempts[0].reason;
    assert!(reason.contains("not yet for 1 of 2 addresses: soc@example.com"), "{reason}");
    assert_eq!(delivery.provider_ids["shown_revision"], alert.revision.to_string());
    world.clock.set(world.clock.now() + TimeDelta::minutes(15));
    notify(&world, &alert, Intent::Open).await.unwrap();
    let sent: Vec<_> = world.mailer.sent().into_iter().map(|mail| mail.to).collect();
    assert_eq!(sent, [vec!["soc@example.com", "On call <on-call@example.com>"], vec!["soc@example.com"]]);
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert!(delivery.state == DeliveryState::Accepted && !delivery.possible_duplicate, "{delivery:?}");
    assert!(world.system_alerts().is_empty());
}

#[tokio::test]
async fn alert_that_some_were_told_of_is_closed_for_everyone() {
    let (world, alert) = opened_for_some().await;
    let closed = world.close_alert(&alert).await;
    notify(&world, &closed, Intent::Close).await.unwrap();
    let sent = world.mailer.sent();
    assert!(sent.len() == 2 && sent[1].to.len() == 2 && sent[1].text.contains("Closed: "), "{sent:?}");
}

/// The first try comes to that, and every later one is taken.
async fn after(kind: MailErrorKind) -> (World, AlertSnapshot, DeliveryRecorded) {
    let world = start().await;
    let alert = world.open_alert("a", Severity::High).await;
    world.mailer.next(Err(MailError::new(kind, "the relay said so")));
    // What it comes to is in what was recorded.
    let _ = notify(&world, &alert, Intent::Open).await;
    let recorded = world.recorded().remove(0);
    (world, alert, recorded)
}

#[tokio::test]
async fn mail_that_nobody_got_is_sent_again_under_the_same_id() {
    for (kind, outcome) in [
        (MailErrorKind::Transient, AttemptOutcome::Transient),
        (MailErrorKind::Throttled, AttemptOutcome::Throttled),
        (MailErrorKind::Denied, AttemptOutcome::Auth),
    ] {
        let (world, alert, recorded) = after(kind).await;
        assert_eq!((recorded.outcome, recorded.state), (outcome, DeliveryState::Failed));
        assert!(world.mailer.sent().len() == 1 && world.system_alerts().is_empty());
        world.clock.set(world.clock.now() + TimeDelta::minutes(15));
        notify(&world, &alert, Intent::Open).await.unwrap();
        let delivery = world.delivery(&alert, Intent::Open).await;
        assert!(delivery.state == DeliveryState::Accepted && !delivery.possible_duplicate, "{delivery:?}");
        let sent = world.mailer.sent();
        assert!(sent.len() == 2 && sent[0] == sent[1], "{sent:?}");
    }
}

#[tokio::test]
async fn mail_that_was_on_its_way_is_sent_again_and_marked() {
    let (world, alert, recorded) = after(MailErrorKind::NoAnswer).await;
    assert_eq!((recorded.outcome, recorded.state), (AttemptOutcome::Unknown, DeliveryState::Unknown));
    world.clock.set(world.clock.now() + TimeDelta::minutes(15));
    notify(&world, &alert, Intent::Open).await.unwrap();
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert!(delivery.state == DeliveryState::Accepted && delivery.possible_duplicate, "{delivery:?}");
}

#[tokio::test]
async fn mail_that_is_refused_is_dead_at_once_and_raises_an_alert() {
    let (world, _, recorded) = after(MailErrorKind::Refused).await;
    assert_eq!((recorded.outcome, recorded.state), (AttemptOutcome::Permanent, DeliveryState::Dead));
    assert_eq!(world.system_alerts().len(), 1);
}

#[tokio::test]
async fn without_a_mailer_the_delivery_says_what_is_missing() {
    let world = start().await;
    let alert = world.open_alert("a", Severity::High).await;
    let handler = NotificationHandler::new(NotifierDeps { mail: None, ..world.deps.clone() });
    // It is dead, and why is recorded.
    let _ = handler.handle(&world.request_of(&alert, DestinationType::Email, Intent::Open)).await;
    let delivery = world.delivery(&alert, Intent::Open).await;
    assert_eq!(delivery.state, DeliveryState::Dead);
    let reason = &delivery.attempts[0].reason;
    assert!(reason.contains("nothing sends mails here: the configuration has no [mail]"), "{reason}");
}
