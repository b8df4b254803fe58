//! A data directory that is not as it should be: in use, or with a row that something else wrote over.

use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, arn, file_of, record};
use mantissa_tests::installation::{Installation, wait_for};
use mantissa_tests::receiver::{Answer, Receiver};
use rusqlite::Connection;

#[test]
fn second_process_on_a_data_directory_is_refused_and_told_who_holds_it() {
    let installation = Installation::new(&[CREATE_USER], &[]);
    let server = installation.start();
    let refused = installation.run(&["up"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains(&format!("process {}", server.pid())), "{refused:?}");
    assert!(refused.stderr.contains("`data`"), "{refused:?}");
    server.kill();
    installation.start().stop();
}

#[test]
fn corrupted_queue_row_goes_to_the_dlq_and_the_rest_goes_on() {
    let receiver = Receiver::start(Answer::ACCEPT);
    let installation = Installation::new(&[CREATE_USER], &[("soc", receiver.url())]);
    installation.start().stop();
    let conn = Connection::open(installation.path("data/mantissa.db")).unwrap();
    conn.execute_batch(
        "INSERT INTO messages (queue, body, attributes, receive_count, sent_at, visible_at)
         VALUES ('enrichment-alert_opened', CAST(x'7b22fffe' AS TEXT), '{}', 0, 0, 0),
                ('dedup-rule_matched', '{}', '{\"type\":', 0, 0, 0)",
    )
    .unwrap();
    conn.close().unwrap();
    let server = installation.start();
    let groups = wait_for("both rows to be in the DLQ", || {
        Some(installation.json(&["dlq", "list"])).filter(|groups| groups.as_array().unwrap().len() == 2)
    });
    let reasons: Vec<_> = (0..2).map(|number| groups[number]["reason"].as_str().unwrap()).collect();
    assert!(reasons[0].starts_with("corrupted row: attributes cannot be read"), "{reasons:?}");
    assert!(reasons[1].starts_with("corrupted row: body is not UTF-8"), "{reasons:?}");
    let shown = installation.json(&["dlq", "show", groups[1]["dead_ids"][0].as_str().unwrap()]);
    assert_eq!(shown["queue"], "enrichment-alert_opened");

    installation.drop_in("a.json", file_of(&[record("e-1", CREATE_USER.action, "maya", SystemClock.now())]));
    wait_for("an alert in spite of it", || {
        receiver.accepted().into_iter().find(|notification| notification.body.to_string().contains(&arn("maya")))
    });
    server.stop();
}

#[test]
fn database_that_is_none_is_named_and_left_alone() {
    let installation = Installation::new(&[CREATE_USER], &[]);
    std::fs::create_dir(installation.path("data")).unwrap();
    let garbage =
        b"this is not a database, and long enough to be seen as a header of one, which has 100 bytes at the least.....";
    installation.write("data/mantissa.db", garbage);
    let ended = installation.run(&["up"]);
    assert_eq!(ended.code, Some(10), "{ended:?}");
    assert!(ended.stderr.contains("mantissa.db"), "{ended:?}");
    assert_eq!(std::fs::read(installation.path("data/mantissa.db")).unwrap(), garbage);
}
