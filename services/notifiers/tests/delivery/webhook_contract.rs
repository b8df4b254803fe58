//! What a receiver of webhooks relies on, checked as a receiver would.

use crate::local_server::{LocalServer, Received, answer};
use crate::world::{KEY, Way, World};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mantissa_contracts::messages::{AttemptOutcome, DestinationType, Intent, Severity};
use mantissa_notifiers::test_send;
use mantissa_ports::Clock;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// HMAC-SHA256 as RFC 2104 writes it, apart from the code under test.
fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

fn expected_signature(key: &str, received: &Received) -> String {
    let key = STANDARD.decode(key.trim_start_matches("whsec_")).unwrap();
    let mut signed =
        format!("{}.{}.", received.header("webhook-id").unwrap(), received.header("webhook-timestamp").unwrap())
            .into_bytes();
    signed.extend_from_slice(&received.body);
    format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &signed)))
}

#[tokio::test]
async fn the_exact_bytes_are_signed_with_the_delivery_id_and_the_time_of_the_try() {
    let server = LocalServer::start([answer(500, ""), answer(204, "")]).await;
    let world = World::start(Way::Webhook, &server).await;
    let alert = world.open_alert("a", Severity::High).await;
    let _ = world.notify(&alert, Way::Webhook, Intent::Open).await;
    world.clock.advance(Duration::from_secs(60));
    world.notify(&alert, Way::Webhook, Intent::Open).await.unwrap();

    let delivery = world.delivery(&alert, Intent::Open).await;
    let received = server.received();
    assert_eq!(received.len(), 2);
    for request in &received {
        assert_eq!(request.header("webhook-id"), Some(delivery.delivery_id.to_string().as_str()));
        assert_eq!(request.header("webhook-signature"), Some(expected_signature(KEY, request).as_str()));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.json()["type"], "alert.opened");
        assert_eq!(request.json()["data"]["alert"]["alert_id"], alert.alert_id.to_string());
    }
    let second: i64 = received[1].header("webhook-timestamp").unwrap().parse().unwrap();
    assert_eq!(second, world.clock.now().timestamp());
    assert_eq!(second - 60, received[0].header("webhook-timestamp").unwrap().parse::<i64>().unwrap());
}

#[tokio::test]
async fn two_keys_sign_during_rotation_and_headers_are_added() {
    let server = LocalServer::start([answer(200, "")]).await;
    let world = World::start(Way::Webhook, &server).await;
    let previous = format!("whsec_{}", STANDARD.encode([7u8; 32]));
    world.put_secret("previous", &previous).await;
    world.put_secret("bearer", "Bearer abc").await;
    let settings = [
        ("url_secret", "ops-url"),
        ("signing_secret", "ops-key"),
        ("signing_secret_previous", "previous"),
        ("header.X-Team", "ops"),
        ("header_secret.Authorization", "bearer"),
    ];
    world.put_destination(DestinationType::Webhook, &settings).await;
    let alert = world.open_alert("a", Severity::High).await;
    world.notify(&alert, Way::Webhook, Intent::Open).await.unwrap();

    let request = &server.received()[0];
    let both = format!("{} {}", expected_signature(KEY, request), expected_signature(&previous, request));
    assert_eq!(request.header("webhook-signature"), Some(both.as_str()));
    assert_eq!(request.header("x-team"), Some("ops"));
    assert_eq!(request.header("authorization"), Some("Bearer abc"));
}

#[tokio::test]
async fn a_test_sends_a_sample_and_leaves_no_record() {
    for way in Way::ALL {
        let server = LocalServer::start([answer(200, way.taken()), answer(410, "")]).await;
        let world = World::start(way, &server).await;
        let destination = crate::world::ops();
        assert_eq!(test_send(&world.deps, &destination).await.unwrap().outcome, AttemptOutcome::Succeeded);
        let gone = test_send(&world.deps, &destination).await.unwrap();
        assert_eq!((gone.outcome, gone.http_status), (AttemptOutcome::Gone, Some(410)));
        assert!(String::from_utf8_lossy(&server.received()[0].body).contains("Test: this destination"));
        assert!(world.bus.published().is_empty());
        assert!(world.deps.deliveries.counts().await.unwrap().is_empty());
        assert!(world.deps.destinations.get(&destination).await.unwrap().unwrap().enabled);
    }
}
