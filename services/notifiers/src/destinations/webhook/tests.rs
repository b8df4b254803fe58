use super::WebhookEndpoint;
use super::message::write;
use super::sign::{SigningKey, sign_with_all};
use crate::destinations::Settings;
use crate::render::{Notification, Rung};
use crate::test_send::sample_alert;
use mantissa_contracts::messages::{AlertSnapshot, Intent, KeyPart};
use mantissa_ports::memory::MemorySecretStore;
use mantissa_ports::{Secret, SecretStore};
use serde_json::Value;
use std::collections::BTreeMap;

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn load(settings: &[(&str, &str)]) -> Result<WebhookEndpoint, String> {
    let secrets = MemorySecretStore::new();
    for (name, value) in [("hook", "https://example.com/h"), ("key", KEY), ("token", "Bearer t"), ("bad", "whsec_!")] {
        secrets.put(name, &Secret::new(value)).await.unwrap();
    }
    let values: BTreeMap<String, String> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    WebhookEndpoint::load(&Settings { values: &values, secrets: &secrets }).await.map_err(|e| e.to_string())
}

fn written(alert: &AlertSnapshot, intent: Intent, rung: Rung) -> Value {
    let notification = Notification { alert, context: None, intent, base_url: None };
    serde_json::from_slice(&write(&notification, rung).unwrap()).unwrap()
}

#[test]
fn the_signature_is_that_of_the_specification() {
    // The example of the Standard Webhooks specification.
    let keys = [SigningKey::parse(KEY).unwrap()];
    let signature = sign_with_all(&keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn keys_that_are_not_keys_are_refused() {
    for text in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64"] {
        assert!(SigningKey::parse(text).is_err(), "{text}");
    }
}

#[tokio::test]
async fn settings_are_checked_by_name() {
    assert!(load(&[("url_secret", "hook"), ("signing_secret", "key")]).await.is_ok());
    assert!(load(&[("url", "https://example.com"), ("signing_secret", "key")]).await.is_ok());
    for (settings, expected) in [
        (vec![("signing_secret", "key")], "setting `url_secret` is missing"),
        (vec![("url_secret", "hook")], "setting `signing_secret` is missing"),
        (vec![("url_secret", "none"), ("signing_secret", "key")], "secret `none` named by setting `url_secret` is not"),
        (vec![("url_secret", "token"), ("signing_secret", "key")], "`url_secret` does not hold a URL"),
        (vec![("url_secret", "hook"), ("signing_secret", "bad")], "`signing_secret` is not base64"),
        (vec![("url_secret", "hook"), ("url", "https://x.y"), ("signing_secret", "key")], "stands beside"),
        (vec![("url_secret", "hook"), ("signing_secret", "key"), ("header.Host", "x")], "`header.Host` names a header"),
        (vec![("url_secret", "hook"), ("signing_secret", "key"), ("header.A b", "x")], "does not name a header"),
        (vec![("url_secret", "hook"), ("signing_secret", "key"), ("header.X", "a\r\nb: c")], "holds characters"),
    ] {
        let error = load(&settings).await.err().unwrap_or_default();
        assert!(error.contains(expected), "{settings:?} gave `{error}`");
    }
}

#[tokio::test]
async fn headers_come_from_settings_and_secrets() {
    let endpoint = load(&[
        ("url_secret", "hook"),
        ("signing_secret", "key"),
        ("header.X-Team", "ops"),
        ("header_secret.Authorization", "token"),
    ])
    .await
    .unwrap();
    assert_eq!(endpoint.headers["x-team"], "ops");
    assert_eq!(endpoint.headers["authorization"], "Bearer t");
    assert!(endpoint.headers["authorization"].is_sensitive());
}

#[test]
fn the_body_is_the_versioned_contract() {
    let alert = sample_alert("2026-01-01T00:00:00Z".parse().unwrap());
    for (intent, expected) in
        [(Intent::Open, "alert.opened"), (Intent::Update, "alert.updated"), (Intent::Close, "alert.closed")]
    {
        let body = written(&alert, intent, Rung::Full);
        assert_eq!(body["type"], expected);
        assert_eq!(body["version"], 1);
        assert_eq!(body["timestamp"], "2026-01-01T00:00:00Z");
        assert_eq!(serde_json::from_value::<AlertSnapshot>(body["data"]["alert"].clone()).unwrap(), alert);
        assert!(body["data"]["context"].is_null() && body["data"].get("truncated").is_none());
    }
}

#[test]
fn every_rung_is_a_whole_alert_and_says_that_it_was_cut() {
    let mut alert = sample_alert("2026-01-01T00:00:00Z".parse().unwrap());
    alert.title = "t".repeat(300_000);
    alert.alert_key = (0..500).map(|n| KeyPart { field: n.to_string(), value: Some("v".repeat(1000)) }).collect();
    let shown = Notification { alert: &alert, context: None, intent: Intent::Open, base_url: None };
    assert!(write(&shown, Rung::Full).is_err(), "this is meant not to fit");
    for rung in [Rung::Truncated, Rung::OneLine] {
        let body = written(&alert, Intent::Open, rung);
        assert_eq!(body["data"]["truncated"], true);
        let cut: AlertSnapshot = serde_json::from_value(body["data"]["alert"].clone()).unwrap();
        assert_eq!(cut.alert_id, alert.alert_id);
        assert!(body.to_string().len() < 50_000);
    }
}
