//! The services are killed at random moments while logs keep coming, and in the end nothing is lost, doubled or unjudged.

use crate::killed_state::{Hits, n_undone, planned_span};
use chrono::{DateTime, SecondsFormat, Utc};
use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{ActionRule, CREATE_USER, DELETE_BUCKET, STOP_LOGGING, arn, file_of, record};
use mantissa_tests::installation::Installation;
use mantissa_tests::receiver::{Answer, Receiver};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant};

const RULES: [ActionRule; 3] = [CREATE_USER, STOP_LOGGING, DELETE_BUCKET];
const N_KILLS: u32 = 200;
/// Milliseconds that a process lives: half of them die while they start and take up what the one before held, half after
/// the watched folder was listed twice, a second apart, and new logs are on their way.
const LIVES_MS: [Range<u64>; 2] = [20..550, 1_150..2_000];
/// A window whose query was lost with its process is asked for again after a wait that doubles each time.
const LONGEST_DRAIN: Duration = Duration::from_secs(420);

type AlertKey = (String, String);

/// Writes logs, and knows what must come of them.
struct Injector {
    random: StdRng,
    /// Distinct event ids per rule and caller.
    expected: BTreeMap<AlertKey, BTreeSet<String>>,
    records: Vec<String>,
    files: Vec<String>,
    n_duplicates: u32,
}

impl Injector {
    fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            expected: BTreeMap::new(),
            records: Vec::new(),
            files: Vec::new(),
            n_duplicates: 0,
        }
    }

    fn random_life_ms(&mut self) -> u64 {
        let range = LIVES_MS[self.random.random_range(0..LIVES_MS.len())].clone();
        self.random.random_range(range)
    }

    fn inject(&mut self, installation: &Installation) {
        let name = format!("{:04}.json", self.files.len());
        let content = match self.files.last() {
            // The same object under another name.
            Some(earlier) if self.random.random_ratio(1, 8) => {
                self.n_duplicates += 1;
                earlier.clone()
            }
            _ => self.new_file(),
        };
        installation.drop_in(&name, &content);
        self.files.push(content);
    }

    fn new_file(&mut self) -> String {
        let now = SystemClock.now();
        let mut records: Vec<String> = (0..5).map(|_| self.record("DescribeInstances", "nobody", now)).collect();
        for _ in 0..self.random.random_range(2..8) {
            let rule = &RULES[self.random.random_range(0..RULES.len())];
            // Some callers come again and again, others once.
            let user = match self.random.random_ratio(3, 4) {
                true => format!("often-{}", self.random.random_range(0..12)),
                false => format!("once-{}", self.records.len()),
            };
            let record = self.record(rule.action, &user, now);
            self.records.push(record.clone());
            records.push(record);
        }
        // A record that was delivered before, and one that is in this file twice.
        if self.random.random_ratio(1, 3) {
            self.n_duplicates += 2;
            records.push(self.records[self.random.random_range(0..self.records.len())].clone());
            records.push(records[5].clone());
        }
        file_of(&records)
    }

    fn record(&mut self, action: &str, user: &str, at: DateTime<Utc>) -> String {
        let event_id = format!("{:032x}", self.random.random::<u128>());
        if let Some(rule) = RULES.iter().find(|rule| rule.action == action) {
            self.expected.entry((rule.rule_id.to_owned(), arn(user))).or_default().insert(event_id.clone());
        }
        record(&event_id, action, user, at)
    }
}

#[test]
fn two_hundred_kills_lose_nothing_and_double_nothing() {
    #[expect(clippy::disallowed_methods, reason = "a failure is repeated by giving its seed and number of kills")]
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let seed = number("MANTISSA_KILL_SEED", 20_261_123);
    let n_kills = u32::try_from(number("MANTISSA_KILLS", u64::from(N_KILLS))).unwrap();
    println!("{n_kills} kills, seed {seed}");
    let begun = Instant::now();
    let receiver = Receiver::start(Answer::Accept { after: Duration::from_millis(120) });
    let installation = Installation::new(&RULES, &[("soc", receiver.url())]);
    let mut injector = Injector::new(seed);
    let hits = kill_again_and_again(&installation, &mut injector, n_kills);
    println!("{}", hits.table());
    let killed_for = begun.elapsed();

    let server = installation.start();
    let drained_in = drain(&installation, &injector);
    check_alerts(&installation, &injector);
    let n_doubled = check_deliveries(&installation, &receiver);
    check_ledger(&installation);
    assert_eq!(installation.json(&["dlq", "list"]), Value::Array(Vec::new()), "messages died");
    server.stop();
    println!(
        "{} kills in {} s, {} of them in the middle of work; drained in {} s; {} files, {} duplicates in them, {} alerts of {} \
         distinct events, each delivered; {n_doubled} deliveries were sent twice and are marked so",
        hits.n_kills,
        killed_for.as_secs(),
        hits.count_of_work(),
        drained_in.as_secs(),
        injector.files.len(),
        injector.n_duplicates,
        injector.expected.len(),
        injector.expected.values().map(BTreeSet::len).sum::<usize>(),
    );
    if n_kills >= N_KILLS {
        assert!(hits.count_of_work() > n_kills / 10, "hardly any kill hit work:\n{}", hits.table());
        assert!(hits.n_stages() >= 6, "the kills hit few stages:\n{}", hits.table());
    }
}

fn kill_again_and_again(installation: &Installation, injector: &mut Injector, n_kills: u32) -> Hits {
    let mut hits = Hits::default();
    // Judging begins when the rules come into force; what was ingested before is not of this test.
    installation.start().kill();
    for _ in 0..n_kills {
        let started_at_ms = SystemClock.now().timestamp_millis();
        let server = installation.spawn();
        let life = Duration::from_millis(injector.random_life_ms());
        let inject_after = life.mul_f64(injector.random.random_range(0.0..1.0));
        std::thread::sleep(inject_after);
        if injector.random.random_ratio(3, 4) {
            injector.inject(installation);
        }
        std::thread::sleep(life.saturating_sub(inject_after));
        let was_serving = server.log().contains("serving on http://");
        let log = installation.path("up.log");
        let status = server.kill();
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(status.code().is_none(), "`mantissa up` ended by itself, {status}:\n{text}");
        assert!(!text.contains("panicked"), "{text}");
        hits.look(&installation.path("data"), started_at_ms, was_serving);
    }
    hits
}

/// Waits until every expected match is in an alert and nothing is left to do.
fn drain(installation: &Installation, injector: &Injector) -> Duration {
    let since = Instant::now();
    let n_expected: usize = injector.expected.values().map(BTreeSet::len).sum();
    loop {
        let alerts = alerts_of_the_rules(installation);
        let n_matches: u64 = alerts.iter().map(|alert| alert["n_matches"].as_u64().unwrap()).sum();
        let n_undone = n_undone(&installation.path("data"));
        if n_matches >= n_expected as u64 && n_undone == 0 {
            return since.elapsed();
        }
        assert!(
            since.elapsed() < LONGEST_DRAIN,
            "after {} s {n_matches} of {n_expected} matches are in alerts and {n_undone} messages, windows or commits are undone",
            since.elapsed().as_secs()
        );
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Without those of the platform itself.
fn alerts_of_the_rules(installation: &Installation) -> Vec<Value> {
    let mut alerts = installation.alerts();
    alerts.retain(|alert| RULES.iter().any(|rule| alert["rule"]["rule_id"] == rule.rule_id));
    alerts
}

fn check_alerts(installation: &Installation, injector: &Injector) {
    let mut found: BTreeMap<AlertKey, u64> = BTreeMap::new();
    for alert in alerts_of_the_rules(installation) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let key = (text(&alert["rule"]["rule_id"]), text(&alert["alert_key"][0]["value"]));
        assert_eq!(alert["status"], "open", "{alert}");
        assert_eq!(alert["n_matches"], alert["n_events"], "{alert}");
        let n_matches = alert["n_matches"].as_u64().unwrap();
        assert_eq!(found.insert(key.clone(), n_matches), None, "two open alerts of {key:?}");
    }
    let expected: BTreeMap<AlertKey, u64> =
        injector.expected.iter().map(|(key, events)| (key.clone(), events.len() as u64)).collect();
    let differing: Vec<_> = expected.iter().filter(|(key, n)| found.get(*key) != Some(*n)).collect();
    assert!(differing.is_empty(), "expected {differing:?}, found {found:?}");
    assert_eq!(found, expected, "alerts that nobody expected");
}

/// Every alert arrived; what arrived more than once is marked. Returns how many did.
fn check_deliveries(installation: &Installation, receiver: &Receiver) -> usize {
    assert_eq!(receiver.refused(), Vec::<String>::new());
    let mut n_accepted: BTreeMap<String, u32> = BTreeMap::new();
    for notification in receiver.accepted() {
        *n_accepted.entry(notification.webhook_id).or_default() += 1;
    }
    let mut n_doubled = 0;
    for alert in installation.alerts() {
        let alert_id = alert["alert_id"].as_str().unwrap();
        let deliveries = installation.deliveries(alert_id);
        let opened = deliveries.iter().filter(|delivery| delivery["key"]["intent"] == "open").count();
        assert_eq!(opened, 1, "{alert_id}: {deliveries:?}");
        for delivery in deliveries {
            assert_eq!(delivery["state"], "delivered", "{delivery}");
            let n_times = n_accepted.remove(delivery["delivery_id"].as_str().unwrap()).unwrap_or(0);
            assert!(n_times > 0, "never arrived: {delivery}");
            assert!(n_times == 1 || delivery["possible_duplicate"] == true, "arrived {n_times} times: {delivery}");
            n_doubled += usize::from(n_times > 1);
        }
    }
    assert!(n_accepted.is_empty(), "arrived and has no record: {n_accepted:?}");
    n_doubled
}

fn check_ledger(installation: &Installation) {
    for rule in &RULES {
        let (from, to) = planned_span(&installation.path("data"), rule.rule_id);
        assert!(from < to);
        let shown = |ms| DateTime::from_timestamp_millis(ms).unwrap().to_rfc3339_opts(SecondsFormat::Millis, true);
        let coverage = installation.json(&["rules", "prove", rule.rule_id, "--from", &shown(from), "--to", &shown(to)]);
        assert_eq!(coverage["gaps"], Value::Array(Vec::new()), "{}", rule.action);
        assert_eq!(coverage["overlaps"], Value::Array(Vec::new()), "{}", rule.action);
        let windows = coverage["windows"].as_array().unwrap();
        assert!(windows.len() > 5, "{}: only {} windows", rule.action, windows.len());
    }
}
