//! Everyday flows: services among themselves, customers, calls to the outside, and strangers who knock.

use super::Cell;
use crate::company::{ACCOUNTS, Account};
use crate::finding::{Finding, finding_line};
use crate::line::{Flow, flow_line};
use serde_json::json;

/// Ports between services inside: (tier that serves, port).
const SERVICES: [(u8, u64); 5] = [(2, 8080), (3, 5432), (3, 6379), (2, 9090), (4, 443)];
const PORTS_STRANGERS_TRY: [u64; 10] = [22, 23, 80, 445, 1433, 3389, 5900, 6379, 8080, 8443];

pub(super) fn add(cell: &mut Cell<'_>) {
    for _ in 0..cell.how_many(700) / 2 {
        let account = *cell.random.pick_weighted(&ACCOUNTS, |account| account.share);
        match cell.random.below(10) {
            0..6 => inside(cell, &account),
            6 | 7 => customer(cell, &account),
            8 => outside(cell, &account),
            _ => stranger(cell, &account),
        }
    }
    // About six times a day GuardDuty reports one of the strangers.
    if cell.random.chance(4) {
        probe_finding(cell);
    }
}

fn probe_finding(cell: &mut Cell<'_>) {
    let account = *cell.random.pick_weighted(&ACCOUNTS, |account| account.share);
    let from = format!("198.19.{}.{}", cell.random.between(16, 250), cell.random.between(1, 255));
    let host = format!("i-0f00ba4c1d2e3f4{:02}", cell.random.between(1, 9));
    let finding = Finding {
        kind: "Recon:EC2/PortProbeUnprotectedPort",
        severity: 2,
        title: "An unprotected port of an EC2 instance is being probed.",
        resource: json!({"resourceType": "Instance", "instanceDetails": {"instanceId": host, "instanceType": "m7g.large"}}),
        action: json!({"actionType": "PORT_PROBE", "portProbeAction": {"blocked": false, "portProbeDetails": [
            {"localPortDetails": {"port": 443, "portName": "HTTPS"}, "remoteIpDetails": {"ipAddressV4": from}}]}}),
    };
    let at = cell.moment();
    let line = finding_line(&account, at, cell.random, finding);
    cell.lines.push(line);
}

/// A connection inside, and its answer.
fn inside(cell: &mut Cell<'_>, account: &Account) {
    let &(tier, port) = cell.random.pick(&SERVICES);
    let from = format!("10.{}.2.{}", account.network, cell.random.between(10, 40));
    let to = format!("10.{}.{tier}.{}", account.network, cell.random.between(10, 24));
    let packets = cell.random.between(4, 90);
    both_ways(cell, account, [&from, &to], port, [packets, packets * 3], [240, 900]);
}

fn customer(cell: &mut Cell<'_>, account: &Account) {
    let from = cell.outside_address();
    let to = format!("10.{}.1.{}", account.network, cell.random.between(10, 12));
    let packets = cell.random.between(8, 60);
    both_ways(cell, account, [&from, &to], 443, [packets, packets], [160, 1200]);
}

fn outside(cell: &mut Cell<'_>, account: &Account) {
    let from = format!("10.{}.2.{}", account.network, cell.random.between(10, 40));
    let to = format!("198.19.{}.{}", cell.random.below(16), cell.random.between(1, 255));
    let packets = cell.random.between(8, 40);
    both_ways(cell, account, [&from, &to], 443, [packets, packets], [700, 1100]);
}

fn both_ways(cell: &mut Cell<'_>, account: &Account, hosts: [&str; 2], port: u64, packets: [u64; 2], size: [u64; 2]) {
    let at = cell.moment();
    let seconds = i64::try_from(cell.random.between(8, 59)).unwrap_or(8);
    let interface = *cell.random.pick(&account.interfaces);
    let client_port = cell.random.between(32_768, 61_000);
    let [there, back] = packets;
    let flow = |from, to, from_port, to_port, packets, bytes| Flow {
        interface,
        from,
        to,
        from_port,
        to_port,
        protocol: 6,
        packets,
        bytes,
        accepted: true,
    };
    let request = flow(hosts[0], hosts[1], client_port, port, there, there * size[0]);
    let answer = flow(hosts[1], hosts[0], port, client_port, back, back * size[1]);
    cell.lines.push(flow_line(account, at, seconds, &request));
    cell.lines.push(flow_line(account, at, seconds, &answer));
}

fn stranger(cell: &mut Cell<'_>, account: &Account) {
    for _ in 0..2 {
        let from = format!("198.19.{}.{}", cell.random.between(16, 250), cell.random.between(1, 255));
        let to = format!("10.{}.1.{}", account.network, cell.random.between(10, 14));
        let flow = Flow {
            interface: cell.random.pick::<&str>(&account.interfaces),
            from: &from,
            to: &to,
            from_port: cell.random.between(32_768, 61_000),
            to_port: *cell.random.pick(&PORTS_STRANGERS_TRY),
            protocol: 6,
            packets: 1,
            bytes: 40,
            accepted: false,
        };
        let at = cell.moment();
        cell.lines.push(flow_line(account, at, 14, &flow));
    }
}
