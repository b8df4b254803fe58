//! Everyday lines of the hosts: logins over the VPN, cron, customers on the site and in the portal.

use super::Cell;
use crate::company::{APP_HOSTS, BASTION, PEOPLE, WEB_HOSTS};
use crate::line::{Request, access_line, portal_line, syslog_line};

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:148.0) Gecko/20100101 Firefox/148.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
    "LarkspurTrack/4.2 (Android 16)",
];
/// Weight, method, target, status.
const PAGES: [(u64, &str, &str, u64); 12] = [
    (18, "GET", "/", 200),
    (16, "GET", "/static/app.4f1c.css", 200),
    (16, "GET", "/static/app.77ab.js", 200),
    (14, "GET", "/track?consignment=LKS", 200),
    (9, "GET", "/rates?from=HAM&to=NYC&weight=1200", 200),
    (6, "GET", "/rates?from=RTM&to=SIN&weight=800", 304),
    (6, "POST", "/api/v1/bookings", 201),
    (5, "GET", "/api/v1/shipments?page=2", 200),
    (3, "POST", "/login", 302),
    (2, "POST", "/login", 401),
    (1, "GET", "/favicon.png", 404),
    (1, "GET", "/api/v1/quotes", 502),
];
const PORTAL_EVENTS: [(u64, &str); 5] = [
    (30, "shipment_viewed"),
    (20, "booking_created"),
    (15, "login_succeeded"),
    (2, "login_failed"),
    (8, "document_downloaded"),
];

pub(super) fn add(cell: &mut Cell<'_>) {
    for _ in 0..cell.how_many(190) {
        web_request(cell);
    }
    for _ in 0..cell.how_many(80) {
        portal_event(cell);
    }
    for _ in 0..cell.how_many(4) {
        ssh_session(cell);
    }
    let host = *cell.random.pick(&APP_HOSTS);
    let pid = cell.random.between(800, 32_000);
    let message = "(root) CMD (/usr/lib/larkspur/rotate-tracking)";
    let line = syslog_line(host, cell.minute, "CRON", pid, message);
    cell.lines.push(line);
}

fn web_request(cell: &mut Cell<'_>) {
    let at = cell.moment();
    let from = cell.outside_address();
    let &(_, method, target, status) = cell.random.pick_weighted(&PAGES, |page| page.0);
    let target = if target.ends_with("LKS") {
        format!("{target}{}", cell.random.between(100_000, 999_999))
    } else {
        target.to_owned()
    };
    let request = Request {
        from: &from,
        method,
        target: &target,
        status,
        bytes: if status == 304 { 0 } else { cell.random.between(200, 48_000) },
        agent: cell.random.pick::<&str>(&AGENTS),
    };
    let host = cell.random.pick(&WEB_HOSTS);
    cell.lines.push(access_line(host, at, &request));
}

fn portal_event(cell: &mut Cell<'_>) {
    let at = cell.moment();
    let from = cell.outside_address();
    let user = format!("customer{}@example.com", cell.random.below(4_000));
    let event = cell.random.pick_weighted(&PORTAL_EVENTS, |event| event.0).1;
    let fields = format!(",\"request_id\":\"{}\",\"duration_ms\":{}", cell.random.hex(12), cell.random.between(3, 900));
    let host = cell.random.pick(&APP_HOSTS);
    cell.lines.push(portal_line(host, at, event, &user, &from, &fields));
}

/// A person on the bastion, through the VPN, with a key.
fn ssh_session(cell: &mut Cell<'_>) {
    let at = cell.moment();
    let person = *cell.random.pick(&PEOPLE);
    let pid = cell.random.between(1_000, 32_000);
    let from = format!("10.8.0.{}", cell.random.between(2, 60));
    let port = cell.random.between(40_000, 61_000);
    if cell.random.chance(40) {
        let message = format!("Failed publickey for {person} from {from} port {port} ssh2: RSA SHA256:7pQ0examplekey");
        cell.lines.push(syslog_line(BASTION, at, "sshd", pid, &message));
    }
    for message in [
        format!("Accepted publickey for {person} from {from} port {port} ssh2: ED25519 SHA256:mFbeV8yCyVexamplekey"),
        format!("pam_unix(sshd:session): session opened for user {person}(uid=1001) by (uid=0)"),
        format!("Disconnected from user {person} {from} port {port}"),
    ] {
        cell.lines.push(syslog_line(BASTION, at, "sshd", pid, &message));
    }
}
