//! Messages that died: found, explained, put back.

use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, file_of, record};
use mantissa_tests::installation::{Installation, wait_for};
use mantissa_tests::receiver::{Answer, Receiver};
use rusqlite::{Connection, params};
use serde_json::Value;

/// Puts a message into a queue behind the services' back.
fn send(installation: &Installation, queue: &str, body: &str) {
    let conn = Connection::open(installation.path("data/mantissa.db")).unwrap();
    conn.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let insert = "INSERT INTO messages (queue, body, attributes, receive_count, sent_at, visible_at)
                  VALUES (?1, ?2, '{}', 0, 0, 0)";
    conn.execute(insert, params![queue, body]).unwrap();
}

/// The one group of dead messages, once there is one.
fn wait_for_the_dead(installation: &Installation) -> Value {
    wait_for("a message to die", || {
        let groups = installation.json(&["dlq", "list"]);
        assert!(groups.as_array().unwrap().len() < 2, "{groups}");
        groups.as_array().unwrap().first().cloned()
    })
}

#[test]
fn undecodable_message_is_listed_shown_and_not_replayed() {
    let installation = Installation::new(&[CREATE_USER], &[]);
    let server = installation.start();
    send(&installation, "dedup-rule_matched", r#"{"specversion":"1.0","half":"#);
    let group = wait_for_the_dead(&installation);
    assert_eq!((&group["queue"], &group["count"]), (&"dedup-rule_matched".into(), &1.into()));
    assert!(group["reason"].as_str().unwrap().starts_with("not_json"), "{group}");
    let dead_id = group["dead_ids"][0].as_str().unwrap();
    let shown = installation.json(&["dlq", "show", dead_id]);
    assert_eq!(shown["body"], r#"{"specversion":"1.0","half":"#);
    for replay in [vec!["dlq", "replay", dead_id, "--dry-run"], vec!["dlq", "replay", "--queue", "dedup-rule_matched"]]
    {
        let ended = installation.run(&replay);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stdout.contains("skipped: message body is not JSON"), "{ended:?}");
    }
    assert_eq!(wait_for_the_dead(&installation)["count"], 1);
    server.stop();
}

#[test]
fn message_of_an_unknown_version_is_kept_and_not_replayed() {
    let installation = Installation::new(&[CREATE_USER], &[]);
    let server = installation.start();
    let body = r#"{"specversion":"1.0","id":"00000000-0000-5000-8000-000000000000","source":"mantissa/dedup",
                   "type":"mantissa.rule_matched.v99","time":"2026-03-02T09:00:00Z","subject":"s","dataschema":"d","data":{}}"#;
    send(&installation, "dedup-rule_matched", body);
    let group = wait_for_the_dead(&installation);
    assert!(group["reason"].as_str().unwrap().starts_with("unknown_version"), "{group}");
    let ended = installation.run(&["dlq", "replay", group["dead_ids"][0].as_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("skipped: message type `mantissa.rule_matched.v99`"), "{ended:?}");
    assert_eq!(wait_for_the_dead(&installation)["dead_ids"], group["dead_ids"]);
    server.stop();
}

#[test]
fn notification_to_a_repaired_destination_is_replayed_once() {
    let receiver = Receiver::start(Answer::status(400));
    let installation = Installation::new(&[CREATE_USER], &[("soc", receiver.url())]);
    let server = installation.start();
    let call = record("e-1", CREATE_USER.action, "maya", SystemClock.now());
    installation.drop_in("a.json", file_of(&[call]));
    let dead_id = wait_for("the notification to die", || {
        let groups = installation.json(&["dlq", "list", "--queue", "notifiers-webhook"]);
        Some(groups[0]["dead_ids"][0].as_str()?.to_owned())
    });
    let alert_id = receiver.received()[0].alert_id.clone();
    let delivery = installation.deliveries(&alert_id).remove(0);
    assert_eq!(delivery["state"], "dead", "{delivery}");
    let delivery_id = delivery["delivery_id"].as_str().unwrap();
    let shown = installation.json(&["dlq", "show", &dead_id]);
    assert_eq!(shown["body"]["data"]["alert_id"], alert_id.as_str());
    assert!(shown["reason"].as_str().unwrap().contains("400"), "{shown}");

    let n_tries = receiver.received().len();
    let dry = installation.json(&["dlq", "replay", &dead_id, "--dry-run"]);
    assert_eq!(dry[0]["outcome"], format!("would be replayed, and delivery {delivery_id} tried anew"));
    assert_eq!(installation.deliveries(&alert_id)[0], delivery);
    assert_eq!(receiver.received().len(), n_tries);

    receiver.answer_with(Answer::ACCEPT);
    let replayed = installation.json(&["dlq", "replay", &dead_id]);
    assert_eq!(replayed[0]["outcome"], format!("replayed, and delivery {delivery_id} is tried anew"));
    let delivered = wait_for("the delivery", || {
        Some(installation.deliveries(&alert_id).remove(0)).filter(|delivery| delivery["state"] == "delivered")
    });
    assert_eq!(delivered["attempts"].as_array().unwrap().len(), n_tries + 1);
    assert_eq!(delivered["possible_duplicate"], false);
    let of_the_alert = receiver.accepted().into_iter().filter(|notification| notification.alert_id == alert_id).count();
    assert_eq!(of_the_alert, 1);
    let gone = installation.run(&["dlq", "replay", &dead_id]);
    assert_eq!(gone.code, Some(4), "{gone:?}");
    server.stop();
}
