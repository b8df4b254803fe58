//! One alert is one trace, from the request of the query to the notification, as a collector receives it.

use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, file_of, record};
use mantissa_tests::installation::{Installation, wait_for};
use mantissa_tests::receiver::{Answer, Receiver};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use prost::Message as _;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const KEY_HEADER: &str = "x-collector-key";
const KEY: &str = "k3y=of-the-collector";

#[derive(Default)]
struct Seen {
    spans: Vec<Span>,
    refused: Vec<String>,
}

/// The traces' half of an OpenTelemetry collector: takes what is sent with the key.
fn start_collector() -> (SocketAddr, Arc<Mutex<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let shared = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shared = shared.clone();
            std::thread::spawn(move || while take_export(&stream, &shared) {});
        }
    });
    (address, seen)
}

/// `false` when the sender has hung up.
fn take_export(mut stream: &TcpStream, seen: &Mutex<Seen>) -> bool {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    if reader.read_line(&mut request).unwrap_or(0) == 0 {
        return false;
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return false;
        }
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let n_bytes = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; n_bytes];
    if reader.read_exact(&mut body).is_err() {
        return false;
    }
    let mut seen = seen.lock().unwrap();
    let is_right = request.starts_with("POST /v1/traces ") && headers.get(KEY_HEADER).is_some_and(|key| key == KEY);
    match ExportTraceServiceRequest::decode(body.as_slice()) {
        Ok(export) if is_right => {
            let scopes = export.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
            seen.spans.extend(scopes.flat_map(|scope| scope.spans));
        }
        decoded => seen.refused.push(format!("{request} {headers:?} {:?}", decoded.map(|_| ()))),
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n").is_ok()
}

#[test]
fn alert_is_one_trace_from_the_request_of_the_query_to_the_notification() {
    let (collector, seen) = start_collector();
    let receiver = Receiver::start(Answer::ACCEPT);
    let installation = Installation::new(&[CREATE_USER], &[("soc", receiver.url())]);
    let telemetry =
        format!("[telemetry]\notlp_endpoint = 'http://{collector}'\notlp_headers_secret = 'collector_headers'\n");
    installation.configure_also(&telemetry);
    let unset = installation.run(&["config", "check"]);
    assert!(unset.stdout.contains("mantissa secrets set collector_headers"), "{unset:?}");
    let set = installation.run_with_input(&["secrets", "set", "collector_headers"], &format!("{KEY_HEADER}={KEY}"));
    assert_eq!(set.code, Some(0), "{set:?}");

    let server = installation.start();
    installation.drop_in("a.json", file_of(&[record("e-1", CREATE_USER.action, "maya", SystemClock.now())]));
    wait_for("the alert to arrive", || receiver.accepted().pop());
    let log_path = installation.path("up.log");
    server.stop();

    let seen = seen.lock().unwrap();
    assert_eq!(seen.refused, Vec::<String>::new());
    let last = seen.spans.iter().find(|span| span.name == "process notifiers-webhook").expect("a notifier's span");
    let of_alert: Vec<&Span> = seen.spans.iter().filter(|span| span.trace_id == last.trace_id).collect();
    let mut way = Vec::new();
    let mut at = Some(last);
    while let Some(span) = at {
        way.push(span.name.as_str());
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano, "{span:?}");
        assert_eq!(span.status.as_ref().map(|status| status.code), Some(StatusCode::Ok as i32), "{span:?}");
        at = of_alert.iter().copied().find(|other| other.span_id == span.parent_span_id);
        assert!(at.is_some() || span.parent_span_id.is_empty(), "the parent of {span:?} was not exported");
    }
    way.reverse();
    assert_eq!(
        way,
        [
            "request query",
            "process query-worker-query_requested",
            "process result-poller-query_started",
            "process dedup-rule_matched",
            "process enrichment-alert_opened",
            "process notifiers-webhook",
        ]
    );
    let ids: std::collections::BTreeSet<&[u8]> = of_alert.iter().map(|span| span.span_id.as_slice()).collect();
    assert_eq!(ids.len(), of_alert.len(), "two steps have one span id");
    assert!(!fs::read_to_string(log_path).unwrap().contains(KEY), "the collector's key is in the log");
}

#[test]
fn collector_that_is_away_costs_one_line_in_the_log_and_no_alert() {
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let receiver = Receiver::start(Answer::ACCEPT);
    let installation = Installation::new(&[CREATE_USER], &[("soc", receiver.url())]);
    installation.configure_also(&format!("[telemetry]\notlp_endpoint = 'http://{away}'\n"));
    let server = installation.start();
    installation.drop_in("a.json", file_of(&[record("e-1", CREATE_USER.action, "maya", SystemClock.now())]));
    wait_for("the alert to arrive", || receiver.accepted().pop());
    let log_path = installation.path("up.log");
    server.stop();
    let log = fs::read_to_string(log_path).unwrap();
    assert_eq!(log.matches("trace export fails").count(), 1, "{log}");
}

#[test]
fn address_that_cannot_be_a_collector_is_said_by_config_check() {
    for address in ["ftp://127.0.0.1", "127.0.0.1:4318", "http://name:secret-word@127.0.0.1:4318"] {
        let installation = Installation::new(&[], &[]);
        installation.write("mantissa.toml", format!("[telemetry]\notlp_endpoint = '{address}'\n"));
        let checked = installation.run(&["config", "check"]);
        let said = format!("{}{}", checked.stdout, checked.stderr);
        assert_ne!(checked.code, Some(0), "{address}: {said}");
        assert!(said.contains("telemetry.otlp_endpoint"), "{address}: {said}");
        assert!(!said.contains("secret-word"), "{said}");
    }
}
