//! Alerts as mails: through a relay that encrypts and asks who we are, and what a wrong configuration is told.

use mantissa_ports::{Clock as _, SystemClock};
use mantissa_tests::cloudtrail::{CREATE_USER, file_of, record};
use mantissa_tests::installation::{Installation, Server, wait_for};
use mantissa_tests::smtp_server::{Encryption, SmtpBehaviour, SmtpServer};
use serde_json::Value;

const PASSWORD: &str = "a password of the relay";
const DESTINATION: &str = "[[destinations]]\nid = 'soc'\ntype = 'email'\nto = 'soc@example.com'\n";

fn mail_from(smtp: &str) -> String {
    format!("[mail]\nfrom = 'Mantissa Log <alerts@example.com>'\n{smtp}{DESTINATION}")
}

/// An alert on its way through a relay that encrypts and asks for a password.
fn deliver_through(relay: &SmtpServer, password: Option<&str>) -> (Installation, Server, String) {
    let installation = Installation::new(&[CREATE_USER], &[]);
    installation.write("relay-ca.pem", &relay.certificate);
    installation.configure_also(&mail_from(&format!(
        "[mail.smtp]\nhost = '{}'\nport = {}\ncertificates = 'relay-ca.pem'\nusername = 'mantissa'\n\
         password_secret = 'smtp_password'\n",
        SmtpServer::HOST,
        relay.port
    )));
    if let Some(password) = password {
        let ended = installation.run_with_input(&["secrets", "set", "smtp_password"], password);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    let server = installation.start();
    installation.drop_in("a.json", file_of(&[record("e-1", CREATE_USER.action, "maya", SystemClock.now())]));
    let alert = wait_for("an alert", || installation.alerts().into_iter().next());
    (installation, server, alert["alert_id"].as_str().unwrap().to_owned())
}

fn wait_for_state(installation: &Installation, alert_id: &str, state: &str) -> Value {
    wait_for(&format!("a delivery that is {state}"), || {
        installation.deliveries(alert_id).into_iter().next().filter(|delivery| delivery["state"] == state)
    })
}

fn start_relay() -> SmtpServer {
    let login = Some(("mantissa", PASSWORD));
    SmtpServer::start(SmtpBehaviour { login, ..SmtpBehaviour::usual(Encryption::Starttls) })
}

#[test]
fn alert_is_mailed_once_through_a_relay_that_asks_for_a_password() {
    let relay = start_relay();
    let (installation, server, alert_id) = deliver_through(&relay, Some(PASSWORD));
    let delivery = wait_for_state(&installation, &alert_id, "accepted");
    assert!(!server.log().contains(PASSWORD));
    drop(server);
    let mut folders = vec![installation.path("data")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = std::fs::read(&path).unwrap();
                let holds = content.windows(PASSWORD.len()).any(|bytes| bytes == PASSWORD.as_bytes());
                assert!(!holds, "the relay's password is in {}", path.display());
            }
        }
    }

    let [mail] = &relay.taken()[..] else { panic!("{:?}", relay.taken()) };
    assert!(mail.encrypted && mail.signed_in);
    assert_eq!((mail.from.as_str(), &mail.to[..]), ("alerts@example.com", &["soc@example.com".to_owned()][..]));
    let read = mail.read();
    assert_eq!(read.subject, "[HIGH] arn:aws:iam::111122223333:user/maya called CreateUser");
    assert!(read.text.contains(&alert_id) && read.html.contains(&alert_id), "{read:?}");
    assert!(!delivery.to_string().contains(PASSWORD));
}

#[test]
fn delivery_says_what_the_relay_wants_to_know() {
    let relay = start_relay();
    let (installation, _server, alert_id) = deliver_through(&relay, None);
    let delivery = wait_for_state(&installation, &alert_id, "failed").to_string();
    assert!(delivery.contains("secret `smtp_password` of the relay's password is not stored"), "{delivery}");
    let (installation, _server, alert_id) = deliver_through(&relay, Some("another"));
    let delivery = wait_for_state(&installation, &alert_id, "failed").to_string();
    assert!(delivery.contains("sign in: the relay answered 535") && !delivery.contains("another"), "{delivery}");
    assert!(relay.taken().is_empty());
}

#[test]
fn configuration_that_cannot_send_mails_is_told_what_it_lacks() {
    let installation = Installation::new(&[CREATE_USER], &[]);
    installation.configure_also(&mail_from(""));
    let checked = installation.run(&["config", "check"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.stdout.contains("[mail] has no [mail.smtp]"), "{checked:?}");

    let installation = Installation::new(&[CREATE_USER], &[]);
    installation.configure_also(&mail_from("[mail.smtp]\nhost = 'localhost'\ncertificates = 'nowhere.pem'\n"));
    let checked = installation.run(&["config", "check"]);
    assert!(checked.stdout.contains("mail.smtp: certificates nowhere.pem"), "{checked:?}");

    let installation = Installation::new(&[CREATE_USER], &[]);
    let smtp = "[mail.smtp]\nhost = 'localhost'\nusername = 'mantissa'\npassword_secret = 'smtp_password'\n";
    installation.configure_also(&mail_from(smtp));
    let checked = installation.run(&["config", "check"]);
    assert!(checked.stdout.contains("store it with `mantissa secrets set smtp_password`"), "{checked:?}");
    installation.run_with_input(&["secrets", "set", "smtp_password"], PASSWORD);
    let checked = installation.run(&["config", "check"]);
    assert!(!checked.stdout.contains("mail.smtp") && !format!("{checked:?}").contains(PASSWORD), "{checked:?}");

    for (setting, problem) in [
        ("from = 'alerts'", "mail.from: `alerts` is not an address"),
        ("from = 'SOC (EU) <a@b.c>'", "mail.from: `SOC (EU) <a@b.c>` is not an address"),
        ("from = 'a@b.c'\n[mail.smtp]\nhost = 'localhost'\nanswer_timeout_s = 0", "answer_timeout_s is 0"),
    ] {
        let installation = Installation::new(&[CREATE_USER], &[]);
        installation.configure_also(&format!("[mail]\n{setting}\n"));
        let checked = installation.run(&["config", "check"]);
        assert!(checked.code == Some(2) && checked.stderr.contains(problem), "{checked:?}");
    }

    let installation = Installation::new(&[CREATE_USER], &[]);
    installation.configure_also(DESTINATION);
    let checked = installation.run(&["config", "check"]);
    assert!(checked.stderr.contains("`soc` is of type `email`, and there is no [mail]"), "{checked:?}");
}
