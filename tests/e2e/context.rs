//! What enrichment knows of an alert's entities: the user's own notes, and the other alerts of the day.

use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, STOP_LOGGING, arn, file_of, record};
use mantissa_tests::installation::{Installation, wait_for};
use mantissa_tests::receiver::{Answer, Receiver};

fn alert_of(installation: &Installation, receiver: &Receiver, event_id: &str, action: &str, n_before: usize) -> String {
    let call = record(event_id, action, "maya", SystemClock.now());
    installation.drop_in(&format!("{event_id}.json"), file_of(&[call]));
    let received =
        wait_for("the alert to arrive", || Some(receiver.accepted()).filter(|received| received.len() > n_before));
    received[n_before].alert_id.clone()
}

#[test]
fn alert_carries_the_notes_of_its_entities_and_the_other_alerts_on_them() {
    for (name, content) in [
        ("assets.csv", format!("entity,owner,note\n{},Platform,leaves in March\n", arn("maya"))),
        ("assets.json", format!(r#"[{{"entity":"{}","owner":"Platform","note":"leaves in March"}}]"#, arn("maya"))),
    ] {
        let receiver = Receiver::start(Answer::ACCEPT);
        let installation = Installation::new(&[CREATE_USER, STOP_LOGGING], &[("soc", receiver.url())]);
        installation.write(name, content);
        installation.configure_also(&format!("[enrichment]\nassets = '{name}'\n"));
        let server = installation.start();
        let first = alert_of(&installation, &receiver, "e-1", CREATE_USER.action, 0);
        let second = alert_of(&installation, &receiver, "e-2", STOP_LOGGING.action, 1);
        let shown = |alert: &str| installation.run(&["alerts", "show", alert]).stdout;
        let (first, second) = (shown(&first), shown(&second));
        for text in [&first, &second] {
            assert!(text.contains("owner Platform") && text.contains("note leaves in March"), "{text}");
        }
        assert!(first.contains("0 other alerts on these entities in 24 h"), "{first}");
        assert!(second.contains("1 other alerts on these entities in 24 h"), "{second}");
        server.stop();
    }
}

#[test]
fn asset_table_that_cannot_be_read_names_file_and_line() {
    let installation = Installation::new(&[CREATE_USER], &[]);
    installation.write("assets.csv", "entity,owner\n,nobody\n");
    installation.configure_also("[enrichment]\nassets = 'assets.csv'\n");
    let checked = installation.run(&["config", "check"]);
    assert_ne!(checked.code, Some(0));
    assert!(format!("{}{}", checked.stdout, checked.stderr).contains("assets.csv"), "{checked:?}");
}
