use super::message::{build, check};
use crate::render::{Notification, Rung};
use crate::test_send::sample_alert;
use mantissa_contracts::messages::{AlertContext, AlertSnapshot, Intent, KeyPart, Severity};
use serde_json::{Value, json};
use url::Url;

fn alert() -> AlertSnapshot {
    AlertSnapshot { severity: Severity::Critical, ..sample_alert("2026-01-01T00:00:00Z".parse().unwrap()) }
}

fn built(alert: &AlertSnapshot, intent: Intent, rung: Rung) -> Value {
    let notification = Notification { alert, context: None, intent, base_url: None };
    Value::Object(build(&notification, rung).unwrap())
}

#[test]
fn severity_is_a_glyph_and_a_word_and_closings_say_so() {
    let opened = built(&alert(), Intent::Open, Rung::Full);
    assert_eq!(opened["blocks"][0]["text"]["text"], "🔴 CRITICAL · Test: this destination receives alerts");
    let closed = built(&alert(), Intent::Close, Rung::Full);
    assert!(closed["text"].as_str().unwrap().starts_with("🔴 CRITICAL · Closed: Test"));
}

#[test]
fn the_message_tells_what_a_person_needs_first() {
    let text = built(&alert(), Intent::Open, Rung::WithoutOptional).to_string();
    for part in [
        &format!("Alert\\n{}", alert().alert_id),
        "First event\\n2026-01-01T00:00:00.000Z",
        "Last event\\n",
        "Matches\\n1",
        "Events\\n1",
        "test\\nyes",
        "Runbook: Nothing is to be done",
        "Log source\\nmantissa",
    ] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
    assert!(!text.contains("http"), "no base URL, no link: {text}");
}

#[test]
fn the_steps_of_a_runbook_stay_lines() {
    let mut alert = alert();
    alert.rule.runbook = Some("1. Ask <them>.\r\n\n2. See https://wiki.example.com/x".to_owned());
    let message = built(&alert, Intent::Open, Rung::Full);
    let text = message["blocks"].as_array().unwrap().last().unwrap()["text"]["text"].clone();
    assert_eq!(text, "Runbook: 1. Ask &lt;them&gt;.\n2. See https://wiki.example.com/x");
}

#[test]
fn the_link_is_there_only_with_a_base_url() {
    let (alert, base) = (alert(), Url::parse("https://siem.example.com/").unwrap());
    let shown = Notification { alert: &alert, context: None, intent: Intent::Open, base_url: Some(&base) };
    let message = Value::Object(build(&shown, Rung::Full).unwrap());
    let link = &message["blocks"].as_array().unwrap().last().unwrap()["elements"][0]["elements"][0];
    assert_eq!(link["url"], format!("https://siem.example.com/alerts/{}", alert.alert_id));
}

#[test]
fn hostile_text_stays_text() {
    let mut hostile = alert();
    let attack = "<!channel> <https://evil.example.com/a|click> & \u{202e}gnp.exe\u{200b}\r\nhttp://evil.example.com";
    hostile.title = attack.to_owned();
    hostile.rule.log_source = attack.to_owned();
    hostile.alert_key = vec![KeyPart { field: attack.to_owned(), value: Some(attack.to_owned()) }];
    hostile.evidence[0].raw = attack.to_owned();
    for rung in [Rung::Full, Rung::Truncated, Rung::OneLine] {
        let text = built(&hostile, Intent::Open, rung).to_string();
        for forbidden in ["<!", "<http", "http://evil", "evil.example", "\u{202e}", "\u{200b}", "\\r", "mrkdwn"] {
            assert!(!text.contains(forbidden), "`{forbidden}` at {rung:?}: {text}");
        }
        assert!(text.contains("&lt;!channel&gt;"), "{text}");
    }
}

#[test]
fn an_alert_of_any_size_fits_at_some_rung() {
    let mut huge = alert();
    let text = "&<>".repeat(100_000);
    huge.title = text.clone();
    huge.rule.title = text.clone();
    huge.rule.runbook = Some(text.clone());
    huge.alert_key = (0..100).map(|n| KeyPart { field: format!("{n}{text}"), value: Some(text.clone()) }).collect();
    huge.evidence[0].raw = text.clone();
    let entity = |n: usize| {
        let facts = json!({ "fact": text });
        serde_json::from_value(json!({ "kind": "host", "value": format!("{n}{text}"), "facts": facts })).unwrap()
    };
    let context = AlertContext { entities: (0..100).map(entity).collect(), related: Vec::new(), n_related_24h: 9 };
    let shown = Notification { alert: &huge, context: Some(&context), intent: Intent::Open, base_url: None };
    assert!(build(&shown, Rung::Full).is_err(), "this is meant not to fit whole");
    for rung in [Rung::WithoutOptional, Rung::Truncated, Rung::OneLine] {
        let message = build(&shown, rung).unwrap();
        assert!(message["text"].as_str().unwrap().chars().count() < 500);
    }
    let escaped = Value::Object(build(&shown, Rung::WithoutOptional).unwrap()).to_string();
    let cut_escape = ["&a…", "&am…", "&amp…", "&l…", "&lt…", "&g…", "&gt…", "&…"];
    assert!(cut_escape.iter().all(|cut| !escaped.contains(cut)), "an escape was cut");
}

#[test]
fn the_check_holds_slacks_limits() {
    let text = |n: usize| json!({ "type": "plain_text", "text": "x".repeat(n) });
    let header = |n| json!({ "type": "header", "text": text(n) });
    let section = |n| json!({ "type": "section", "text": text(n) });
    let fields = |n: usize, chars| json!({ "type": "section", "fields": vec![text(chars); n] });
    assert!(check(&[header(150), section(3000), fields(10, 600)]).is_ok());
    assert!(check(&[header(151)]).is_err());
    assert!(check(&[section(3001)]).is_err());
    assert!(check(&[fields(11, 1)]).is_err());
    assert!(check(&[fields(1, 2001)]).is_err());
    assert!(check(&vec![section(1); 51]).is_err());
    assert!(check(&vec![section(2501); 4]).is_err());
}

#[test]
fn empty_texts_are_never_sent() {
    let mut empty = alert();
    empty.title = "\u{200b}".to_owned();
    empty.alert_key = vec![KeyPart { field: String::new(), value: Some(String::new()) }];
    empty.evidence[0].raw = String::new();
    let text = built(&empty, Intent::Open, Rung::Full).to_string();
    assert!(!text.contains("\"text\":\"\""), "{text}");
}
