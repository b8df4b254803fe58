//! What the server tells: probes, metrics, the status page and the JSON behind it.

use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, file_of, record};
use mantissa_tests::installation::{Installation, wait_for};
use mantissa_tests::receiver::{Answer, Receiver};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Status line and headers, and the body.
fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text}"));
    (head.to_ascii_lowercase(), body.to_owned())
}

fn json(address: &str, path: &str) -> Value {
    let (head, body) = get(address, path);
    assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
    serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {body}"))
}

#[test]
fn probes_metrics_page_and_json_tell_what_happened() {
    let receiver = Receiver::start(Answer::ACCEPT);
    let installation = Installation::new(&[CREATE_USER], &[("soc", receiver.url())]);
    let server = installation.start();
    let address = server.address();
    for (path, expected) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let (head, body) = get(&address, path);
        assert!(head.starts_with("http/1.1 200") && body.contains(expected), "{path}: {head}\n{body}");
    }
    let user = "<b>maya</b>";
    installation.drop_in("a.json", file_of(&[record("e-1", CREATE_USER.action, user, SystemClock.now())]));
    let alert_id = wait_for("the alert to arrive", || receiver.accepted().pop()).alert_id;
    wait_for("the delivery to be recorded", || {
        (json(&address, "/api/v1/status")["deliveries"]["delivered"] == 1).then_some(())
    });

    let (head, metrics) = get(&address, "/metrics");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    for expected in [
        "# TYPE mantissa_messages_handled_total counter",
        "mantissa_messages_handled_total{queue=\"dedup-rule_matched\",result=\"ok\"} 1",
        "mantissa_deliveries{state=\"delivered\"} 1",
        "mantissa_rules_enabled 1",
        "mantissa_windows_unjudged{state=\"failed\"} 0",
    ] {
        assert!(metrics.contains(expected), "no `{expected}` in:\n{metrics}");
    }
    let (head, page) = get(&address, "/");
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    assert!(page.contains("called CreateUser") && page.contains("1 rules enabled"), "{page}");
    assert!(!page.contains(user), "what came from a log is not escaped:\n{page}");

    let listed = json(&address, "/api/v1/alerts");
    assert!(listed.to_string().contains(&alert_id), "{listed}");
    let shown = json(&address, &format!("/api/v1/alerts/{alert_id}"));
    assert!(shown.to_string().contains("e-1"), "{shown}");
    let deliveries = json(&address, &format!("/api/v1/alerts/{alert_id}/deliveries"));
    assert_eq!(deliveries.as_array().map(Vec::len), Some(1), "{deliveries}");
    let (head, _) = get(&address, "/api/v1/alerts/00000000-0000-5000-8000-000000000000");
    assert!(head.starts_with("http/1.1 404"), "{head}");
    let (_, metrics) = get(&address, "/metrics");
    for expected in [
        "mantissa_api_requests_total{route=\"/api/v1/alerts\",status=\"200\"} 1",
        "mantissa_api_requests_total{route=\"/api/v1/alerts/{alert_id}\",status=\"200\"} 1",
        "mantissa_api_requests_total{route=\"/api/v1/alerts/{alert_id}\",status=\"404\"} 1",
    ] {
        assert!(metrics.contains(expected), "no `{expected}` in:\n{metrics}");
    }
    assert!(!metrics.contains("healthz") && !metrics.contains("0000-5000"), "{metrics}");
    let log = server.log();
    assert!(log.contains("GET /api/v1/alerts/{alert_id}: 404"), "{log}");
    server.stop();
}
