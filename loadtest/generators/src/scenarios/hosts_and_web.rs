//! Attacks on hosts, on the web site and on the customer portal.

use super::rule_files as rule;
use super::{Scenario, Scene};
use crate::company::{APP_HOSTS, BASTION, PRODUCTION, WEB_HOSTS};
use crate::line::{Flow, Request};

pub(super) const SSH_BRUTE_FORCE: Scenario = Scenario {
    name: "ssh_brute_force_then_login",
    summary: "203.0.113.50 guesses passwords on bastion-1 until the one of ops is right, then makes an account that \
              may become root.",
    time_of_day: (4, 33),
    rules: &[
        rule::SSH_BRUTE_FORCE,
        rule::SSH_PASSWORD_LOGIN_FROM_INTERNET,
        rule::LOCAL_ACCOUNT_CREATED,
        rule::ADMIN_PORT_ACCEPTED_FROM_INTERNET,
    ],
    play: play_ssh_brute_force,
};

fn play_ssh_brute_force(scene: &mut Scene) {
    let from = "203.0.113.50";
    let users = ["root", "admin", "ubuntu", "ops", "postgres", "deploy"];
    for attempt in 0..60_i64 {
        let port = 40_000 + scene.random.below(20_000);
        let user = *scene.random.pick(&users);
        let message = match user {
            "root" | "ops" | "deploy" => format!("Failed password for {user} from {from} port {port} ssh2"),
            _ => format!("Failed password for invalid user {user} from {from} port {port} ssh2"),
        };
        scene.syslog(7 * attempt, BASTION, "sshd", &message);
    }
    scene.syslog(430, BASTION, "sshd", &format!("Accepted password for ops from {from} port 51022 ssh2"));
    let opened = "pam_unix(sshd:session): session opened for user ops(uid=1002) by (uid=0)";
    scene.syslog(430, BASTION, "sshd", opened);
    let new_user = "new user: name=helper, UID=1009, GID=1009, home=/home/helper, shell=/bin/bash, from=/dev/pts/1";
    scene.syslog(540, BASTION, "useradd", new_user);
    scene.syslog(552, BASTION, "usermod", "add 'helper' to group 'sudo'");
    let flow = Flow {
        interface: PRODUCTION.interfaces[3],
        from,
        to: "10.20.0.22",
        from_port: 51_022,
        to_port: 22,
        protocol: 6,
        packets: 388,
        bytes: 71_020,
        accepted: true,
    };
    scene.flow(430, &PRODUCTION, &flow);
}

pub(super) const WEB_PATH_TRAVERSAL: Scenario = Scenario {
    name: "web_path_traversal",
    summary: "203.0.113.90 scans the web site, climbs out of its root and finds an environment file.",
    time_of_day: (13, 8),
    rules: &[
        rule::WEB_ERROR_BURST,
        rule::WEB_SCANNER_USER_AGENT,
        rule::WEB_PATH_TRAVERSAL,
        rule::WEB_SQL_INJECTION,
        rule::WEB_SENSITIVE_FILE_PROBE,
    ],
    play: play_web_path_traversal,
};

fn play_web_path_traversal(scene: &mut Scene) {
    let words = ["admin", "backup", "config", "console", "db", "debug", "dump", "manage", "old", "private", "test"];
    for number in 0..110_i64 {
        let target = format!("/{}/{}", scene.random.pick(&words), scene.random.hex(4));
        scene.web(number, WEB_HOSTS[0], &get(&target, 404, 153));
    }
    scene.web(121, WEB_HOSTS[0], &get("/static/../../../../etc/passwd", 400, 157));
    scene.web(124, WEB_HOSTS[0], &get("/download?file=..%2f..%2f..%2fetc%2fpasswd", 200, 2_143));
    scene.web(
        140,
        WEB_HOSTS[0],
        &get("/track?consignment=1%27%20UNION%20SELECT%20email,password%20FROM%20users--", 500, 577),
    );
    scene.web(155, WEB_HOSTS[0], &get("/.env", 200, 811));
}

fn get(target: &str, status: u64, bytes: u64) -> Request<'_> {
    Request {
        from: "203.0.113.90",
        method: "GET",
        target,
        status,
        bytes,
        agent: "Mozilla/5.0 (compatible; Nuclei - Open-source project (github.com/projectdiscovery/nuclei))",
    }
}

pub(super) const PASSWORD_SPRAY: Scenario = Scenario {
    name: "password_spray",
    summary: "198.51.100.33 tries one password on 24 customers of the portal, gets in as one and is made an admin.",
    time_of_day: (15, 21),
    rules: &[rule::APP_PASSWORD_SPRAY, rule::APP_ADMIN_ROLE_GRANTED],
    play: play_password_spray,
};

fn play_password_spray(scene: &mut Scene) {
    let from = "198.51.100.33";
    for number in 0..24_i64 {
        let user = format!("customer{}@example.com", 100 + number);
        scene.portal(9 * number, APP_HOSTS[0], "login_failed", &user, from, ",\"reason\":\"bad_password\"");
    }
    let user = "customer117@example.com";
    scene.portal(230, APP_HOSTS[0], "login_succeeded", user, from, "");
    let fields = ",\"changed_by\":\"customer117@example.com\",\"old_role\":\"viewer\",\"new_role\":\"admin\"";
    scene.portal(300, APP_HOSTS[0], "role_changed", user, from, fields);
}
