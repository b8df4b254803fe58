//! One record of one log, before it is put into an object.

use crate::company::Account;
use chrono::{DateTime, Utc};

/// The log a record belongs to. Records of one stream and one delivery share an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stream {
    CloudTrail(Account),
    VpcFlow(Account),
    GuardDuty(Account),
    Syslog(&'static str),
    AccessLog(&'static str),
    Portal(&'static str),
}

#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) at: DateTime<Utc>,
    pub(crate) stream: Stream,
    pub(crate) text: String,
}

/// A flow in the default format (version 2) of VPC flow logs.
#[derive(Debug, Clone)]
pub(crate) struct Flow<'a> {
    pub(crate) interface: &'a str,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) from_port: u64,
    pub(crate) to_port: u64,
    pub(crate) protocol: u64,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) accepted: bool,
}

/// Header of a flow log file of version 2.
pub(crate) const FLOW_HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets \
bytes start end action log-status";

pub(crate) fn flow_line(account: &Account, at: DateTime<Utc>, seconds: i64, flow: &Flow<'_>) -> Line {
    let Flow { interface, from, to, from_port, to_port, protocol, packets, bytes, accepted } = flow;
    let (start, action) = (at.timestamp(), if *accepted { "ACCEPT" } else { "REJECT" });
    let text = format!(
        "2 {} {interface} {from} {to} {from_port} {to_port} {protocol} {packets} {bytes} {start} {} {action} OK",
        account.id,
        start + seconds
    );
    Line { at, stream: Stream::VpcFlow(*account), text }
}

/// A line of RFC 3164 syslog, which has no year.
pub(crate) fn syslog_line(host: &'static str, at: DateTime<Utc>, program: &str, pid: u64, message: &str) -> Line {
    let text = format!("{} {host} {program}[{pid}]: {message}", at.format("%b %e %H:%M:%S"));
    Line { at, stream: Stream::Syslog(host), text }
}

pub(crate) struct Request<'a> {
    pub(crate) from: &'a str,
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) status: u64,
    pub(crate) bytes: u64,
    pub(crate) agent: &'a str,
}

/// A line in the combined format of nginx and Apache.
pub(crate) fn access_line(host: &'static str, at: DateTime<Utc>, request: &Request<'_>) -> Line {
    let Request { from, method, target, status, bytes, agent } = request;
    let time = at.format("%d/%b/%Y:%H:%M:%S +0000");
    let text = format!("{from} - - [{time}] \"{method} {target} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\"");
    Line { at, stream: Stream::AccessLog(host), text }
}

/// A JSON line of the customer portal; `fields` are further members, each with a leading comma.
pub(crate) fn portal_line(
    host: &'static str,
    at: DateTime<Utc>,
    event: &str,
    user: &str,
    from: &str,
    fields: &str,
) -> Line {
    let level = if event.ends_with("failed") { "warn" } else { "info" };
    let time = at.format("%Y-%m-%dT%H:%M:%S%.3fZ");
    let text = format!(
        "{{\"timestamp\":\"{time}\",\"level\":\"{level}\",\"service\":\"portal\",\"host\":\"{host}\",\
         \"event\":\"{event}\",\"user\":\"{user}\",\"remote_addr\":\"{from}\",\
         \"message\":\"{event} for {user}\"{fields}}}"
    );
    Line { at, stream: Stream::Portal(host), text }
}
