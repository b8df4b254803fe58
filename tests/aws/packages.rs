//! The packages of `make lambda` under load: what they do, and the memory it takes.

use crate::cloud::{Cloud, named_packages, wait_for};
use crate::function_processes::MemoryWatch;
use crate::walk::{configuration, mail_configuration};
use chrono::TimeDelta;
use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, STOP_LOGGING, action_of, file_of, record};
use mantissa_tests::receiver::{Answer, Receiver};
use mantissa_tests::workspace_root;
use std::collections::BTreeSet;

/// Each of some ten megabytes, which is long for a file of CloudTrail.
const N_OBJECTS: usize = 8;
const RECORDS_OF_AN_OBJECT: usize = 16_000;
/// In each object, by two rules.
const ALERTS_OF_AN_OBJECT: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packages_keep_to_their_memory_under_load() {
    if named_packages().is_none() {
        eprintln!("skipped: MANTISSA_PACKAGES does not name packages (`make lambda-load` makes and names them)");
        return;
    }
    let receiver = Receiver::start(Answer::ACCEPT);
    let rules = [CREATE_USER, STOP_LOGGING].map(|rule| (format!("{}.yml", rule.action), rule.yaml()));
    let mut cloud = Cloud::start().await.unwrap();
    let watch = MemoryWatch::start(&cloud.emulator);
    cloud.deploy(&(configuration(&receiver) + &mail_configuration("")), &rules, &[]);
    cloud.put_signing_key(Receiver::secret()).await;

    let now = SystemClock.now() - TimeDelta::hours(2);
    for object in 0..N_OBJECTS {
        let records: Vec<String> = (0..RECORDS_OF_AN_OBJECT)
            .map(|number| {
                let action = action_of(number, ALERTS_OF_AN_OBJECT);
                record(&format!("{object}-{number}"), action, &format!("user-{object}-{number}"), now)
            })
            .collect();
        cloud.put_raw_object(&format!("{object}.json"), file_of(&records)).await;
    }
    let n_alerts = N_OBJECTS * ALERTS_OF_AN_OBJECT;
    wait_for("every alert", &cloud, || async {
        let accepted = receiver.accepted();
        let alerts: BTreeSet<&str> = accepted.iter().map(|notification| notification.alert_id.as_str()).collect();
        (alerts.len() >= n_alerts && cloud.mails().await.len() >= n_alerts).then_some(())
    })
    .await;

    let budgets = std::fs::read_to_string(workspace_root().join("services/hosts/aws/budgets.toml")).unwrap();
    let budgets: toml::Table = budgets.parse().unwrap();
    let budget = budgets["load_memory_mb"].as_float().unwrap();
    println!("{:<20} {:>8}", "function", "peak MB");
    let mut beyond = Vec::new();
    let peaks = watch.peaks_kb();
    for (function, peak) in &peaks {
        let peak = *peak as f64 * 1024.0 / 1e6;
        println!("{function:<20} {peak:>8.1}");
        if peak > budget {
            beyond.push(format!("{function} took {peak:.1} MB, the budget is {budget}"));
        }
    }
    let stages = [
        "ingest",
        "scheduler",
        "query-worker",
        "result-poller",
        "dedup",
        "enrichment",
        "notifiers-webhook",
        "notifiers-email",
        "event-bus",
    ];
    for stage in stages {
        assert!(peaks.contains_key(stage), "{stage} was not seen to run: {peaks:?}");
    }
    assert_eq!(beyond, Vec::<String>::new());
}
