//! Attacks on data, on networks, and on the means of seeing them.

use super::rule_files as rule;
use super::{Scenario, Scene};
use crate::api_call::{ApiCall, CLI, Identity};
use crate::company::{Account, DEVELOPMENT, PRODUCTION};
use crate::finding::Finding;
use crate::line::Flow;
use serde_json::json;

const THEO: Identity<'static> = Identity::User { name: "theo.lindqvist", mfa: Some(false) };
const MANIFESTS: Identity<'static> = Identity::User { name: "svc-manifests", mfa: None };
const INTRUDER: &str = "203.0.113.24";

pub(super) const PORT_SCAN: Scenario = Scenario {
    name: "port_scan",
    summary: "203.0.113.66 tries 120 ports of the web server 10.20.1.10.",
    time_of_day: (1, 17),
    rules: &[rule::PORT_SCAN],
    play: play_port_scan,
};

fn play_port_scan(scene: &mut Scene) {
    for number in 0..120_i64 {
        let port = 20 + scene.random.below(9_000);
        let flow = tcp(&PRODUCTION, 0, ["203.0.113.66", "10.20.1.10"], port, [1, 44], false);
        scene.flow(number, &PRODUCTION, &flow);
    }
}

pub(super) const TRAIL_STOPPED: Scenario = Scenario {
    name: "trail_stopped",
    summary: "svc-manifests, now an administrator, stops the trail and deletes the flow logs of production.",
    time_of_day: (3, 20),
    rules: &[rule::TRAIL_STOPPED_OR_DELETED, rule::CRITICAL_API_CALL, rule::FLOW_LOGS_DELETED],
    play: play_trail_stopped,
};

fn play_trail_stopped(scene: &mut Scene) {
    let call = |service, name| ApiCall::new(&PRODUCTION, MANIFESTS, service, name).from(INTRUDER, CLI);
    scene.call(0, &call("cloudtrail", "DescribeTrails"));
    scene.call(25, &call("cloudtrail", "StopLogging").request(r#"{"name":"larkspur-main"}"#));
    let request = r#"{"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":"fl-01c07217476488e53"}}}"#;
    scene.call(70, &call("ec2", "DeleteFlowLogs").request(request));
}

pub(super) const BUCKET_MADE_PUBLIC: Scenario = Scenario {
    name: "bucket_made_public",
    summary: "svc-manifests switches off the public access block of larkspur-manifests and lets everyone read it.",
    time_of_day: (4, 5),
    rules: &[rule::RESOURCE_POLICY_MADE_PUBLIC, rule::CRITICAL_API_CALL],
    play: play_bucket_made_public,
};

fn play_bucket_made_public(scene: &mut Scene) {
    let call = |name| ApiCall::new(&PRODUCTION, MANIFESTS, "s3", name).from(INTRUDER, CLI);
    scene.call(
        0,
        &call("PutBucketPublicAccessBlock").request(
            r#"{"bucketName":"larkspur-manifests","publicAccessBlock":"","PublicAccessBlockConfiguration":{"xmlns":"http://s3.amazonaws.com/doc/2006-03-01/","BlockPublicAcls":false,"IgnorePublicAcls":false,"BlockPublicPolicy":false,"RestrictPublicBuckets":false}}"#,
        ),
    );
    scene.call(
        40,
        &call("PutBucketPolicy").request(
            r#"{"bucketName":"larkspur-manifests","policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[{"Sid":"share","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::larkspur-manifests/*"}]}}"#,
        ),
    );
}

pub(super) const LARGE_EGRESS: Scenario = Scenario {
    name: "large_egress",
    summary: "The database host 10.20.3.15 sends 6 GiB to 198.51.100.80 within 25 minutes.",
    time_of_day: (5, 2),
    rules: &[rule::LARGE_EGRESS],
    play: play_large_egress,
};

fn play_large_egress(scene: &mut Scene) {
    for number in 0..25_i64 {
        let bytes = 257_698_037 + scene.random.below(1_000_000);
        let flow = tcp(&PRODUCTION, 1, ["10.20.3.15", "198.51.100.80"], 443, [bytes / 1_430, bytes], true);
        scene.flow(60 * number, &PRODUCTION, &flow);
    }
}

pub(super) const CRYPTO_MINING: Scenario = Scenario {
    name: "crypto_mining",
    summary: "theo.lindqvist asks for accelerated instances in development; one mines and GuardDuty sees it.",
    time_of_day: (11, 30),
    rules: &[
        rule::ACCELERATED_INSTANCES_LAUNCHED,
        rule::MINING_POOL_CONNECTION,
        rule::CRYPTO_MINING,
        rule::HIGH_SEVERITY_FINDING,
        rule::ANY_ACTIVE_FINDING,
    ],
    play: play_crypto_mining,
};

fn play_crypto_mining(scene: &mut Scene) {
    let run = ApiCall::new(&DEVELOPMENT, THEO, "ec2", "RunInstances").from(INTRUDER, CLI);
    let request = r#"{"instancesSet":{"items":[{"imageId":"ami-0a1b2c3d4e5f60718","minCount":1,"maxCount":8}]},"instanceType":"g5.12xlarge","monitoring":{"enabled":false},"ebsOptimized":false}"#;
    let instance = "i-0f00ba4c1d2e3f499";
    let response = format!("{{\"instancesSet\":{{\"items\":[{{\"instanceId\":\"{instance}\"}}]}}}}");
    scene.call(0, &run.request(request).response(&response));
    for minute in 4..16_i64 {
        let flow = tcp(&DEVELOPMENT, 2, ["10.30.2.31", "198.51.100.99"], 3333, [420, 61_000], true);
        scene.flow(60 * minute, &DEVELOPMENT, &flow);
    }
    scene.finding(
        960,
        &DEVELOPMENT,
        Finding {
            kind: "CryptoCurrency:EC2/BitcoinTool.B!DNS",
            severity: 8,
            title: "An EC2 instance asks for a domain of cryptocurrency mining.",
            resource: json!({"resourceType": "Instance", "instanceDetails": {
            "instanceId": instance, "instanceType": "g5.12xlarge",
            "networkInterfaces": [{"privateIpAddress": "10.30.2.31", "networkInterfaceId": "eni-0323a45b67c89d0e3"}]}}),
            action: json!({"actionType": "DNS_REQUEST", "dnsRequestAction": {
            "domain": "pool.mine.example", "protocol": "UDP", "blocked": false}}),
        },
    );
}

pub(super) const SNAPSHOT_PUBLIC: Scenario = Scenario {
    name: "snapshot_shared_and_made_public",
    summary: "A disk snapshot is shared with a foreign account, a database snapshot with everybody, and SSH of the \
              host is opened to the internet.",
    time_of_day: (17, 44),
    rules: &[
        rule::SNAPSHOT_OR_IMAGE_SHARED,
        rule::SNAPSHOT_OR_IMAGE_MADE_PUBLIC,
        rule::ADMIN_PORT_OPEN_TO_INTERNET,
        rule::SECURITY_GROUP_OPEN_TO_INTERNET,
    ],
    play: play_snapshot_public,
};

fn play_snapshot_public(scene: &mut Scene) {
    let call = |service, name| ApiCall::new(&PRODUCTION, MANIFESTS, service, name).from(INTRUDER, CLI);
    scene.call(
        0,
        &call("ec2", "ModifySnapshotAttribute").request(
            r#"{"snapshotId":"snap-0a1b2c3d4e5f60718","attributeType":"CREATE_VOLUME_PERMISSION","createVolumePermission":{"add":{"items":[{"userId":"999988887777"}]}}}"#,
        ),
    );
    scene.call(
        90,
        &call("rds", "ModifyDBSnapshotAttribute")
            .request(r#"{"dBSnapshotIdentifier":"orders-nightly","attributeName":"restore","valuesToAdd":["all"]}"#),
    );
    scene.call(
        150,
        &call("ec2", "AuthorizeSecurityGroupIngress").request(
            r#"{"groupId":"sg-0a1b2c3d4e5f60718","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#,
        ),
    );
}

pub(super) const LATERAL_MOVEMENT: Scenario = Scenario {
    name: "lateral_movement",
    summary: "The web server 10.20.1.10 is refused on SMB by 20 hosts and reaches SSH of 14 others.",
    time_of_day: (22, 50),
    rules: &[rule::HOST_SWEEP, rule::LATERAL_MOVEMENT_FAN_OUT],
    play: play_lateral_movement,
};

fn play_lateral_movement(scene: &mut Scene) {
    for number in 0..20_u8 {
        let to = format!("10.20.3.{}", 30 + number);
        let flow = tcp(&PRODUCTION, 0, ["10.20.1.10", &to], 445, [1, 44], false);
        scene.flow(6 * i64::from(number), &PRODUCTION, &flow);
    }
    for number in 0..14_u8 {
        let to = format!("10.20.2.{}", 40 + number);
        let flow = tcp(&PRODUCTION, 0, ["10.20.1.10", &to], 22, [64, 9_800], true);
        scene.flow(150 + 20 * i64::from(number), &PRODUCTION, &flow);
    }
}

fn tcp<'a>(
    account: &Account,
    interface: usize,
    [from, to]: [&'a str; 2],
    to_port: u64,
    [packets, bytes]: [u64; 2],
    accepted: bool,
) -> Flow<'a> {
    let interface = account.interfaces[interface % account.interfaces.len()];
    Flow { interface, from, to, from_port: 51_514, to_port, protocol: 6, packets, bytes, accepted }
}
