//! The attacks, each a short play with the rules that must find it.

mod hosts_and_web;
mod identity;
mod network_and_data;
mod rule_files;

use crate::api_call::ApiCall;
use crate::company::Account;
use crate::finding::{Finding, finding_line};
use crate::line::{Flow, Line, Request, access_line, flow_line, portal_line, syslog_line};
use crate::seeded_random::SeededRandom;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// A rule under `rules/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleFile {
    /// Below `rules/`: `cloudtrail/trail_stopped_or_deleted.yml`.
    pub path: &'static str,
    pub id: &'static str,
}

/// An attack in the generated logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attack {
    pub name: &'static str,
    /// What happens, for a person who reads the demo.
    pub summary: &'static str,
    pub starts_at: DateTime<Utc>,
    /// Each of these must match.
    pub rules: &'static [RuleFile],
}

/// The attacks of a demo day, in the order in which they begin.
pub fn attacks(date: NaiveDate) -> Vec<Attack> {
    let mut attacks: Vec<Attack> =
        SCENARIOS.iter().map(|scenario| scenario.attack(starts_at(date, scenario))).collect();
    attacks.sort_by_key(|attack| attack.starts_at);
    attacks
}

/// The lines of all attacks of a day.
pub(crate) fn day_lines(seed: u64, date: NaiveDate) -> Vec<Line> {
    SCENARIOS.iter().flat_map(|scenario| scenario.lines(seed, starts_at(date, scenario))).collect()
}

/// The attack that a live tail begins at `start`, and its lines.
pub(crate) fn play_live(seed: u64, start: DateTime<Utc>) -> (Attack, Vec<Line>) {
    let moment = u64::try_from(start.timestamp()).unwrap_or(0);
    let scenario = SeededRandom::new(&[seed, moment, 0x6c69_7665]).pick(&SCENARIOS).clone();
    (scenario.attack(start), scenario.lines(seed, start))
}

fn starts_at(date: NaiveDate, scenario: &Scenario) -> DateTime<Utc> {
    let (hour, minute) = scenario.time_of_day;
    date.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(hour) + TimeDelta::minutes(minute)
}

#[derive(Clone)]
struct Scenario {
    name: &'static str,
    summary: &'static str,
    /// Hour and minute, UTC, on a demo day.
    time_of_day: (i64, i64),
    rules: &'static [RuleFile],
    play: fn(&mut Scene),
}

impl Scenario {
    fn attack(&self, starts_at: DateTime<Utc>) -> Attack {
        Attack { name: self.name, summary: self.summary, starts_at, rules: self.rules }
    }

    fn lines(&self, seed: u64, start: DateTime<Utc>) -> Vec<Line> {
        let moment = u64::try_from(start.timestamp()).unwrap_or(0);
        let name = self.name.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(131).wrapping_add(u64::from(byte)));
        let mut scene = Scene { start, random: SeededRandom::new(&[seed, moment, name]), lines: Vec::new() };
        (self.play)(&mut scene);
        scene.lines
    }
}

static SCENARIOS: [Scenario; 14] = [
    network_and_data::PORT_SCAN,
    identity::CONSOLE_LOGIN,
    identity::ACCESS_KEY,
    network_and_data::TRAIL_STOPPED,
    network_and_data::BUCKET_MADE_PUBLIC,
    hosts_and_web::SSH_BRUTE_FORCE,
    network_and_data::LARGE_EGRESS,
    network_and_data::CRYPTO_MINING,
    hosts_and_web::WEB_PATH_TRAVERSAL,
    hosts_and_web::PASSWORD_SPRAY,
    network_and_data::SNAPSHOT_PUBLIC,
    identity::ROOT_USED,
    identity::INSTANCE_CREDENTIALS,
    network_and_data::LATERAL_MOVEMENT,
];

/// Where a play writes its lines; times are seconds from its start.
struct Scene {
    start: DateTime<Utc>,
    random: SeededRandom,
    lines: Vec<Line>,
}

impl Scene {
    fn at(&self, seconds: i64) -> DateTime<Utc> {
        self.start + TimeDelta::seconds(seconds)
    }

    fn call(&mut self, seconds: i64, call: &ApiCall<'_>) {
        let line = call.line(self.at(seconds), &mut self.random);
        self.lines.push(line);
    }

    fn flow(&mut self, seconds: i64, account: &Account, flow: &Flow<'_>) {
        self.lines.push(flow_line(account, self.at(seconds), 50, flow));
    }

    fn syslog(&mut self, seconds: i64, host: &'static str, program: &str, message: &str) {
        let pid = 4_000 + self.random.below(20_000);
        self.lines.push(syslog_line(host, self.at(seconds), program, pid, message));
    }

    fn web(&mut self, seconds: i64, host: &'static str, request: &Request<'_>) {
        self.lines.push(access_line(host, self.at(seconds), request));
    }

    fn portal(&mut self, seconds: i64, host: &'static str, event: &str, user: &str, from: &str, fields: &str) {
        self.lines.push(portal_line(host, self.at(seconds), event, user, from, fields));
    }

    fn finding(&mut self, seconds: i64, account: &Account, finding: Finding<'_>) {
        let line = finding_line(account, self.at(seconds), &mut self.random, finding);
        self.lines.push(line);
    }
}
