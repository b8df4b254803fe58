//! Receivers that refuse, throttle, fail, redirect or never stop talking: what becomes of the delivery, and why.

use chrono::{DateTime, TimeDelta, Utc};
use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, file_of, record};
use mantissa_tests::installation::{Installation, Server, wait_for};
use mantissa_tests::receiver::{Answer, Receiver};
use serde_json::Value;
use std::time::Duration;

struct World {
    receiver: Receiver,
    installation: Installation,
    server: Server,
    alert_id: String,
}

/// One alert on its way to a receiver that answers so.
fn deliver_to(answer: Answer) -> World {
    let receiver = Receiver::start(answer);
    let installation = Installation::new(&[CREATE_USER], &[("soc", receiver.url())]);
    let server = installation.start();
    installation.drop_in("a.json", file_of(&[record("e-1", CREATE_USER.action, "maya", SystemClock.now())]));
    let first = wait_for("a notification", || receiver.received().into_iter().next());
    World { receiver, installation, server, alert_id: first.alert_id }
}

impl World {
    fn wait_for_state(&self, state: &str) -> Value {
        wait_for(&format!("a delivery that is {state}"), || {
            let delivery = self.installation.deliveries(&self.alert_id).into_iter().next();
            delivery.filter(|delivery| delivery["state"] == state)
        })
    }
}

fn last_attempt(delivery: &Value) -> &Value {
    delivery["attempts"].as_array().unwrap().last().unwrap()
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn throttled_delivery_waits_as_told_also_over_a_restart() {
    let world = deliver_to(Answer::Status { status: 429, headers: vec![("retry-after", "20".to_owned())] });
    let delivery = world.wait_for_state("failed");
    let attempt = last_attempt(&delivery);
    assert_eq!((&attempt["outcome"], &attempt["http_status"]), (&"throttled".into(), &429.into()), "{delivery}");
    let waits = time(&delivery["next_attempt_at"]) - time(&attempt["at"]);
    assert!(waits >= TimeDelta::seconds(20) && waits < TimeDelta::seconds(23), "{waits}");
    world.receiver.answer_with(Answer::ACCEPT);
    world.server.kill();
    let server = world.installation.start();
    let delivered = wait_for("the delivery after its wait", || {
        let delivery = world.installation.deliveries(&world.alert_id).remove(0);
        Some(delivery).filter(|delivery| delivery["state"] == "delivered")
    });
    assert!(time(&last_attempt(&delivered)["at"]) >= time(&delivery["next_attempt_at"]), "{delivered}");
    assert_eq!(world.receiver.received().len(), 2);
    server.stop();
}

#[test]
fn failing_receiver_is_tried_again_until_it_works() {
    let world = deliver_to(Answer::status(500));
    let delivery = world.wait_for_state("failed");
    assert_eq!(last_attempt(&delivery)["outcome"], "transient", "{delivery}");
    assert!(last_attempt(&delivery)["reason"].as_str().unwrap().contains("500"), "{delivery}");
    wait_for("a second try", || (world.receiver.received().len() > 1).then_some(()));
    world.receiver.answer_with(Answer::ACCEPT);
    let delivered = world.wait_for_state("delivered");
    assert!(delivered["attempts"].as_array().unwrap().len() >= 3, "{delivered}");
    assert_eq!(delivered["possible_duplicate"], false);
    world.server.stop();
}

#[test]
fn answer_that_comes_too_late_is_unknown_and_sent_again_as_a_possible_duplicate() {
    let world = deliver_to(Answer::Accept { after: Duration::from_secs(60) });
    let delivery = world.wait_for_state("unknown");
    assert_eq!(last_attempt(&delivery)["outcome"], "unknown", "{delivery}");
    assert_eq!(delivery["possible_duplicate"], true, "{delivery}");
    world.receiver.answer_with(Answer::ACCEPT);
    let delivered = world.wait_for_state("delivered");
    assert_eq!(delivered["possible_duplicate"], true, "{delivered}");
    let received = world.receiver.received();
    assert!(received.iter().all(|notification| notification.webhook_id == received[0].webhook_id), "{received:?}");
    world.server.stop();
}

#[test]
fn redirect_is_not_followed_and_ends_the_delivery() {
    let elsewhere = Receiver::start(Answer::ACCEPT);
    let world = deliver_to(Answer::Status { status: 302, headers: vec![("location", elsewhere.url())] });
    let delivery = world.wait_for_state("dead");
    let attempt = last_attempt(&delivery);
    assert_eq!((&attempt["outcome"], &attempt["http_status"]), (&"permanent".into(), &302.into()), "{delivery}");
    assert!(elsewhere.received().is_empty() && elsewhere.refused().is_empty());
    let dead = world.installation.json(&["dlq", "list", "--queue", "notifiers-webhook"]);
    assert!(dead[0]["reason"].as_str().unwrap().contains("is dead"), "{dead}");
    let told = wait_for("an alert about the destination", || {
        let alerts = world.installation.alerts();
        alerts.into_iter().find(|alert| alert["title"].as_str().unwrap().contains("soc"))
    });
    assert_eq!(told["status"], "open", "{told}");
    world.server.stop();
}

#[test]
fn endless_answer_is_a_success_that_is_cut() {
    let world = deliver_to(Answer::Endless);
    let delivery = world.wait_for_state("delivered");
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1, "{delivery}");
    std::thread::sleep(Duration::from_secs(1));
    let sent = world.receiver.endless_bytes();
    assert!(sent < 64 << 20, "{} MB were taken", sent >> 20);
    world.server.stop();
}

#[test]
fn private_address_is_never_asked() {
    let receiver = Receiver::start(Answer::ACCEPT);
    let installation = Installation::new(&[CREATE_USER], &[("soc", receiver.url())]);
    installation.configure(&[("soc", "https://10.0.0.1/hook".to_owned())]);
    let server = installation.start();
    installation.drop_in("a.json", file_of(&[record("e-1", CREATE_USER.action, "maya", SystemClock.now())]));
    let delivery = wait_for("the delivery to end", || {
        let alert = installation.alerts().into_iter().find(|alert| alert["rule"]["rule_id"] == CREATE_USER.rule_id)?;
        let delivery = installation.deliveries(alert["alert_id"].as_str().unwrap()).into_iter().next()?;
        Some(delivery).filter(|delivery| delivery["state"] == "dead")
    });
    assert!(last_attempt(&delivery)["reason"].as_str().unwrap().contains("IP address"), "{delivery}");
    server.stop();
}
