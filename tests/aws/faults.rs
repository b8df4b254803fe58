//! What goes wrong on AWS: messages come twice, writes are throttled, answers are lost, functions are killed, queries fail.

use crate::athena_endpoint::Fault;
use crate::cloud::{Cloud, wait_for};
use crate::fault_proxy::FaultProxy;
use crate::walk::configuration;
use mantissa_contracts::Envelope;
use mantissa_contracts::messages::ObjectReceived;
use mantissa_ports::{Clock as _, Outgoing, Queue as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, STOP_LOGGING, file_of, record};
use mantissa_tests::receiver::{Answer, Receiver};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const N_USERS: usize = 20;
const N_OBJECTS: usize = 5;

/// Functions that are killed in the middle of a batch, after something was written, and how often. What a killed function
/// held is seen again a minute later, and one of these waits for the other; those that read files and results have a quarter
/// of an hour. A notifier that is killed while it sends may have sent: what comes of that is shown on one machine.
const VICTIMS: [&str; 4] = ["dedup", "enrichment", "query-worker", "scheduler"];
const KILLS: u32 = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn duplicates_throttles_lost_answers_and_kills_lose_no_alert_and_double_none() {
    let receiver = Receiver::start(Answer::ACCEPT);
    let rules = [CREATE_USER, STOP_LOGGING].map(|rule| (format!("{}.yml", rule.action), rule.yaml()));
    let Some(mut cloud) = Cloud::start().await else { return };
    let proxy = FaultProxy::start(&cloud.emulator, 1, &VICTIMS, KILLS).await;
    cloud.deploy(&configuration(&receiver), &rules, &proxy.environment());
    cloud.put_signing_key(Receiver::secret()).await;
    let reason = "a fault of the test";
    for fault in [Fault::Throttle, Fault::Fail { retryable: true, reason }, Fault::Cancel] {
        cloud.athena.endpoint.next_start(fault);
    }

    // Each user does both, and each object comes twice, under two names.
    let now = SystemClock.now();
    for object in 0..N_OBJECTS {
        let users = (0..N_USERS).filter(|user| user % N_OBJECTS == object);
        let records: Vec<String> = users
            .flat_map(|user| {
                [CREATE_USER, STOP_LOGGING]
                    .map(|rule| record(&format!("{}-{user}", rule.action), rule.action, &format!("user-{user}"), now))
            })
            .collect();
        for copy in ["a", "b"] {
            cloud.put_raw_object(&format!("{object}-{copy}.json"), file_of(&records)).await;
        }
    }

    let alerts_of = |receiver: &Receiver| -> BTreeSet<String> {
        receiver.accepted().into_iter().map(|notification| notification.alert_id).collect()
    };
    wait_for("every kill", &cloud, || async { proxy.kills_left().is_empty().then_some(()) }).await;
    wait_for("every alert", &cloud, || async { (alerts_of(&receiver).len() >= 2 * N_USERS).then_some(()) }).await;
    // Time for what should not come.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let faults = proxy.faults();
    println!("faults {faults:?}");
    assert!(faults.len() == 4 && cloud.athena.endpoint.has_no_fault_left(), "{faults:?}");
    assert_eq!(receiver.refused(), Vec::<String>::new());
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for notification in receiver.accepted() {
        *times.entry(notification.webhook_id).or_default() += 1;
    }
    let alerts = alerts_of(&receiver);
    assert_eq!((alerts.len(), times.len()), (2 * N_USERS, 2 * N_USERS), "{times:?}");
    // A delivery whose record could not be written after it was sent is sent again, and says so.
    let mut unmarked: BTreeSet<String> =
        times.iter().filter(|(_, times)| **times > 1).map(|(delivery, _)| delivery.clone()).collect();
    println!("{} deliveries came twice", unmarked.len());
    for alert in alerts {
        for delivery in cloud.deliveries(&alert).await.into_iter().filter(|delivery| delivery.possible_duplicate) {
            unmarked.remove(&delivery.delivery_id.to_string());
        }
    }
    assert!(unmarked.is_empty(), "doubled and not marked so: {unmarked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_message_that_dies_is_in_the_dlq_with_its_reason_and_replayed_once() {
    let receiver = Receiver::start(Answer::ACCEPT);
    let rules = [(format!("{}.yml", CREATE_USER.action), CREATE_USER.yaml())];
    let Some(mut cloud) = Cloud::start().await else { return };
    cloud.deploy(&configuration(&receiver), &rules, &[]);
    cloud.put_signing_key(Receiver::secret()).await;
    let now = SystemClock.now();
    let queue = cloud.queue("ingest-object_received");
    let location = format!("s3://{}/late.json", cloud.output("rawBucket"));
    let received = ObjectReceived {
        location: location.clone(),
        etag: "e".to_owned(),
        size_bytes: 1,
        received_at: now,
        source: "auto".to_owned(),
    };
    queue.send(&[Outgoing::new(&Envelope::new("ingest", now, None, received)).unwrap()]).await.unwrap();
    let dead =
        wait_for("the dead message", &cloud, || async { queue.dead(10, None).await.unwrap().into_iter().next() }).await;
    assert!(dead.reason.contains(&location), "{dead:?}");

    // Nothing but the replay tells of it.
    cloud.stop_telling_of_objects().await;
    let records = [record("e1", CREATE_USER.action, "mallory", now)];
    cloud.put_raw_object("late.json", file_of(&records)).await;
    assert!(queue.replay(dead.dead_id).await.unwrap());
    assert!(!queue.replay(dead.dead_id).await.unwrap());
    wait_for("the alert", &cloud, || async { (!receiver.accepted().is_empty()).then_some(()) }).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    // The platform's own alert tells of the dead message; the rule's alert came once.
    let accepted = receiver.accepted();
    let of_the_rule =
        accepted.iter().filter(|told| told.body["data"]["alert"]["rule"]["rule_id"] == CREATE_USER.rule_id);
    assert_eq!(of_the_rule.count(), 1, "{accepted:?}");
    assert!(queue.dead(10, None).await.unwrap().is_empty());
}
