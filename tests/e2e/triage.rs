//! A person looks at an alert, takes it and closes it; the destination hears of the end.

use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, arn, file_of, record};
use mantissa_tests::installation::{Installation, wait_for};
use mantissa_tests::receiver::{Answer, Receiver};

#[test]
fn alert_is_shown_acknowledged_and_closed_and_the_destination_hears_of_it() {
    let receiver = Receiver::start(Answer::ACCEPT);
    let installation = Installation::new(&[CREATE_USER], &[("soc", receiver.url())]);
    let server = installation.start();
    let call = record("e-1", CREATE_USER.action, "maya", SystemClock.now());
    installation.drop_in("a.json", file_of(&[call]));
    let opened = wait_for("the alert to arrive", || receiver.accepted().pop());
    assert_eq!(opened.body_type, "alert.opened");
    let alert_id = opened.alert_id.as_str();

    let shown = installation.run(&["alerts", "show", &alert_id[..8]]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    for expected in [
        format!("{} called CreateUser", arn("maya")),
        "severity      high".to_owned(),
        "matches       1, 1 events".to_owned(),
        format!("entity        {}", arn("maya")),
        format!("key           userIdentity.arn = {}", arn("maya")),
        "event e-1 at ".to_owned(),
        "\"eventName\":\"CreateUser\"".to_owned(),
        "1. Ask the caller.".to_owned(),
    ] {
        assert!(shown.stdout.contains(&expected), "no `{expected}` in:\n{}", shown.stdout);
    }

    assert_eq!(installation.json(&["alerts", "ack", alert_id])["status"], "acknowledged");
    let again = installation.run(&["alerts", "ack", alert_id]);
    assert_eq!(again.code, Some(0));
    assert!(again.stderr.contains("acknowledged already"), "{again:?}");
    let closed = installation.json(&["alerts", "close", alert_id, "--verdict", "false-positive"]);
    assert_eq!((&closed["status"], &closed["verdict"]), (&"closed".into(), &"false_positive".into()));

    let received = wait_for("the end to arrive", || Some(receiver.accepted()).filter(|received| received.len() > 1));
    assert_eq!(received.len(), 2, "{received:?}");
    let last = &received[1];
    assert_eq!((last.body_type.as_str(), last.alert_id.as_str()), ("alert.closed", alert_id));
    assert_eq!(last.body["data"]["alert"]["verdict"], "false_positive");
    assert_ne!(last.webhook_id, received[0].webhook_id);
    assert_eq!(receiver.refused(), Vec::<String>::new());
    let open = installation.json(&["alerts", "list", "--status", "open"]);
    assert_eq!(open, serde_json::json!([]));
    server.stop();
}

#[test]
fn alert_that_is_not_there_has_its_own_exit_code() {
    let installation = Installation::new(&[], &[]);
    let missing = "00000000-0000-5000-8000-000000000000";
    for arguments in [["alerts", "show", missing], ["alerts", "ack", missing]] {
        let ended = installation.run(&arguments);
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.stderr.contains(missing), "{ended:?}");
    }
}
