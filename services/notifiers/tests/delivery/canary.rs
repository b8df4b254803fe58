//! Secrets are planted in everything that may be secret, every destination runs against every failing server, each of
//! which repeats them; then all that is stored, published, returned or logged is searched for them.

use crate::local_server::{Behaviour, LocalServer};
use crate::world::{Way, World, ops};
use mantissa_contracts::messages::{DestinationType, Intent, Severity};
use mantissa_notifiers::{explain, test_send};
use mantissa_ports::Clock;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// Base64 of 24 bytes by its length, so that it can be a signing key too.
const MARKER: &str = "canaryZq7canaryZq7canaryZq7canar";

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn behaviours() -> Vec<Behaviour> {
    let mut all = vec![
        Behaviour::CutMidBody,
        Behaviour::CutMidHead,
        Behaviour::NotTls,
        Behaviour::Slow(std::time::Duration::from_secs(60)),
    ];
    for status in [200, 302, 400, 401, 403, 404, 410, 429, 500, 503] {
        for body in [MARKER.to_owned(), format!(r#"{{"ok":false,"error":"{MARKER}"}}"#)] {
            let headers = vec![("location", format!("https://{MARKER}.example/")), ("retry-after", MARKER.to_owned())];
            all.push(Behaviour::Answer { status, headers, body });
        }
    }
    all
}

async fn plant(world: &World, way: Way, url: &str) {
    world.put_secret("url", url).await;
    world.put_secret("key", &format!("whsec_{MARKER}")).await;
    world.put_secret("token", MARKER).await;
    let settings: &[(&str, &str)] = match way {
        Way::Webhook => &[("url_secret", "url"), ("signing_secret", "key"), ("header_secret.authorization", "token")],
        Way::SlackWebhook => &[("url_secret", "url")],
        // The address of Slack's API is no secret, so here the marker is in the token only.
        Way::SlackApi => &[("token_secret", "token"), ("channel", "c"), ("api_url", url)],
    };
    world.put_destination(way.destination_type(), settings).await;
}

/// Everything of a delivery that outlives it.
async fn traces_of(world: &World, way: Way) -> String {
    let alert = world.open_alert("a", Severity::High).await;
    let mut traces = String::new();
    for _ in 0..3 {
        let handled = world.notify(&alert, way, Intent::Open).await;
        traces.push_str(&format!("{handled:?}\n"));
        world.clock.set(world.clock.now() + chrono::TimeDelta::minutes(15));
    }
    let delivery = world.delivery(&alert, Intent::Open).await;
    traces.push_str(&explain(&delivery).join("\n"));
    traces.push_str(&serde_json::to_string(&delivery).unwrap());
    for message in world.bus.published() {
        traces.push_str(&format!("{message:?}\n"));
    }
    traces.push_str(&format!("{:?}\n", test_send(&world.deps, &ops()).await));
    let destination = world.deps.destinations.get(&ops()).await.unwrap().unwrap();
    traces.push_str(&destination.disabled_reason.unwrap_or_default());
    traces
}

#[tokio::test]
async fn no_secret_is_in_a_record_a_message_an_error_or_a_log() {
    let logs = Captured::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(logs.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for way in Way::ALL {
        for behaviour in behaviours() {
            let scheme = if matches!(behaviour, Behaviour::NotTls) { "https" } else { "http" };
            let case = format!("{way:?} {behaviour:?}");
            let server = LocalServer::start([behaviour]).await;
            let world = World::new();
            let path = if way == Way::SlackApi { String::new() } else { format!("{MARKER}/?sig={MARKER}") };
            plant(&world, way, &format!("{scheme}://{}/{path}", server.address)).await;
            let traces = traces_of(&world, way).await;
            assert!(!traces.contains(MARKER), "{case}: {traces}");
        }
    }
    let logs = String::from_utf8(logs.0.lock().unwrap().clone()).unwrap();
    assert!(logs.contains("delivery to `ops` is"), "the log was captured");
    let leaks: Vec<&str> = logs.lines().filter(|line| line.contains(MARKER)).take(5).collect();
    assert!(leaks.is_empty(), "{leaks:?}");
}

#[tokio::test]
async fn no_secret_that_is_malformed_is_quoted() {
    for (settings, secret) in [
        (&[("url_secret", "s"), ("signing_secret", "k")][..], format!("not a url {MARKER}")),
        (&[("url_secret", "s"), ("signing_secret", "k")][..], format!("https://user:{MARKER}@example.com/")),
        (&[("url_secret", "s"), ("signing_secret", "k")][..], format!("http://example.com/{MARKER}")),
        (&[("url_secret", "s"), ("signing_secret", "k")][..], format!("https://10.0.0.1/{MARKER}")),
        (&[("url_secret", "s"), ("signing_secret", "k")][..], format!("https://localhost/{MARKER}")),
        (&[("url_secret", "k"), ("signing_secret", "s")][..], MARKER.to_owned()),
        (&[("url_secret", "k"), ("signing_secret", "k"), ("header_secret.x", "s")][..], format!("a\n{MARKER}")),
    ] {
        let world = World::new();
        world.put_secret("s", &secret).await;
        world.put_secret("k", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").await;
        world.put_destination(DestinationType::Webhook, settings).await;
        let traces = traces_of(&world, Way::Webhook).await;
        assert!(!traces.contains(MARKER), "{traces}");
        assert!(traces.contains("Permanent"), "{traces}");
    }
}
