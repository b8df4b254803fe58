use super::message::build;
use super::{EmailEndpoint, SETTINGS};
use crate::destinations::Settings;
use crate::render::{Notification, Rung};
use crate::test_send::sample_alert;
use mantissa_contracts::messages::{AlertSnapshot, Intent, KeyPart, Severity};
use mantissa_ports::memory::MemorySecretStore;
use std::collections::BTreeMap;
use url::Url;

fn alert() -> AlertSnapshot {
    AlertSnapshot { severity: Severity::High, ..sample_alert("2026-01-01T00:00:00Z".parse().unwrap()) }
}

fn shown(alert: &AlertSnapshot) -> Notification<'_> {
    Notification { alert, context: None, intent: Intent::Open, base_url: None }
}

fn load(to: &str) -> Result<Vec<String>, String> {
    let values = BTreeMap::from([(SETTINGS[0].to_owned(), to.to_owned())]);
    let settings = Settings { values: &values, secrets: &MemorySecretStore::new() };
    EmailEndpoint::load(&settings).map(|endpoint| endpoint.to).map_err(|error| error.to_string())
}

#[test]
fn addresses_stand_between_commas_and_a_bad_one_is_named() {
    assert_eq!(load("soc@example.com").unwrap(), ["soc@example.com"]);
    assert_eq!(load(" a@b.c , On call <on-call@example.com>").unwrap(), ["a@b.c", "On call <on-call@example.com>"]);
    for bad in ["", "soc", "a@b.c,", "a@b.c\r\nBcc: x@y.z"] {
        let error = load(bad).unwrap_err();
        assert!(error.starts_with("setting `to` has `") && !error.contains('\n'), "{bad:?}: {error}");
    }
    let many = vec!["a@b.c"; 51].join(",");
    assert_eq!(load(&many).unwrap_err(), "setting `to` has 51 addresses, the limit is 50: make it a list's");
}

#[test]
fn text_and_html_tell_the_same() {
    let (alert, base) = (alert(), Url::parse("https://siem.example.com/").unwrap());
    let message = build(&Notification { base_url: Some(&base), ..shown(&alert) }, Rung::Full).unwrap();
    assert_eq!(message.subject, "[HIGH] Test: this destination receives alerts");
    for part in [
        "HIGH",
        "Test: this destination receives alerts",
        "Log source",
        "mantissa",
        "2026-01-01T00:00:00.000Z",
        "yes",
        "Nothing is to be done: a person asked for this test.",
        &alert.alert_id.to_string(),
    ] {
        assert!(message.text.contains(part), "`{part}` is not in {}", message.text);
        assert!(message.html.contains(part), "`{part}` is not in {}", message.html);
    }
    let link = format!("https://siem.example.com/alerts/{}", alert.alert_id);
    assert!(message.text.contains(&link) && message.html.contains(&alert.alert_id.to_string()));
    assert!(message.html.contains("{&quot;test&quot;:true}"), "{}", message.html);
    assert!(message.text.contains("{\"test\":true}"), "{}", message.text);
}

#[test]
fn what_an_attacker_wrote_is_neither_markup_nor_a_link_nor_a_header() {
    let mut alert = alert();
    alert.title = "<img src=x onerror=alert(1)>\r\nBcc: x@y.z http://evil.example/a".to_owned();
    alert.alert_key =
        vec![KeyPart { field: "</td><script>".to_owned(), value: Some("\u{202e}{{ 7 * 7 }}".to_owned()) }];
    alert.evidence[0].raw = "</pre><a href='https://evil.example'>click</a>".to_owned();
    let message = build(&shown(&alert), Rung::Full).unwrap();
    assert_eq!(message.subject, "[HIGH] <img src=x onerror=alert(1)> Bcc: x@y.z hxxp://evil[.]example/a");
    for markup in ["<img", "<script", "<a href='https", "49", "\u{202e}", "https://evil", "http://evil"] {
        assert!(!message.html.contains(markup), "`{markup}` is in {}", message.html);
    }
    assert!(message.html.contains("&lt;img src=x") && message.html.contains("{{ 7 * 7 }}"), "{}", message.html);
}

#[test]
fn what_follows_an_opening_answers_to_its_subject_and_says_what_changed() {
    let alert = alert();
    let told = |intent| build(&Notification { intent, ..shown(&alert) }, Rung::Full).unwrap();
    let updated = told(Intent::Update);
    assert_eq!(updated.subject, format!("Re: {}", told(Intent::Open).subject));
    let closed = told(Intent::Close);
    assert_eq!(closed.subject, format!("Re: {}", told(Intent::Open).subject));
    assert!(closed.text.starts_with("HIGH · Closed: Test") && closed.html.contains("Closed: Test"));
}

#[test]
fn a_mail_of_any_alert_fits() {
    let mut alert = alert();
    alert.title = "&".repeat(100_000);
    alert.alert_key = vec![KeyPart { field: "<".repeat(10_000), value: Some("\"".repeat(100_000)) }; 30];
    alert.rule.runbook = Some("step &\n".repeat(10_000));
    alert.evidence[0].raw = "<".repeat(1_000_000);
    let fits = |rung| build(&shown(&alert), rung).is_ok();
    assert!(!fits(Rung::Full), "the alert is not large enough for this test");
    assert!(fits(Rung::Truncated) && fits(Rung::OneLine));
    let message = build(&shown(&alert), Rung::OneLine).unwrap();
    assert!(message.subject.chars().count() <= 200 && message.text.lines().count() <= 4, "{}", message.text);
}
