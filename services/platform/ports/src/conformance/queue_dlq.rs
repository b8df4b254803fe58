//! The contract of the Queue port: its DLQ and replay.

use super::Fixture;
use super::fixture::skip_durability;
use super::samples::{MINUTE, drain, message, messages, query_queue, take, take_one};
use crate::Queue;
use mantissa_contracts::ids::derive;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Sends a message and moves it to the DLQ.
async fn bury(queue: &Arc<dyn Queue>, text: &str) -> Uuid {
    queue.send(&[message("query_requested", text)]).await.unwrap();
    let received = take_one(queue).await;
    queue.dead_letter(&received.receipt, &format!("reason of {text}")).await.unwrap();
    let dead = queue.dead(100, None).await.unwrap();
    dead.iter().find(|dead| dead.body == received.body).expect("the message should be dead").dead_id
}

pub async fn message_that_used_up_its_receives_goes_to_the_dlq(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    for count in 1..=query_queue().max_receive_count {
        assert_eq!(take_one(&queue).await.receive_count, count);
        assert_eq!(queue.depth().await.unwrap().n_dead, 0);
        fixture.advance(MINUTE).await;
    }
    assert!(take(&queue, 10).await.is_empty());
    let dead = queue.dead(10, None).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].receive_count, query_queue().max_receive_count);
    assert!(!dead[0].reason.is_empty());
}

pub async fn message_acknowledged_at_its_last_receive_does_not_die(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    for _ in 1..query_queue().max_receive_count {
        take_one(&queue).await;
        fixture.advance(MINUTE).await;
    }
    let last = take_one(&queue).await;
    queue.ack(&[last.receipt]).await.unwrap();
    fixture.advance(MINUTE).await;
    assert!(take(&queue, 10).await.is_empty());
    assert!(queue.dead(10, None).await.unwrap().is_empty());
}

pub async fn dead_letter_moves_the_message_at_once_with_its_reason(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let dead_id = bury(&queue, "a").await;
    fixture.advance(MINUTE).await;
    assert!(take(&queue, 10).await.is_empty());
    let dead = queue.dead_message(dead_id).await.unwrap().expect("the message should be dead");
    assert_eq!((dead.reason.as_str(), dead.receive_count), ("reason of a", 1));
}

pub async fn stale_receipt_dead_letters_nothing(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    let stale = take_one(&queue).await;
    fixture.advance(MINUTE).await;
    take_one(&queue).await;
    queue.dead_letter(&stale.receipt, "stale").await.unwrap();
    assert!(queue.dead(10, None).await.unwrap().is_empty());
    fixture.advance(MINUTE).await;
    assert_eq!(take(&queue, 10).await.len(), 1);
}

pub async fn dead_message_is_unchanged(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let mut sent = message("query_requested", "x");
    sent.body = "not json at all \u{0007}".to_owned();
    sent.attributes.insert("rule_id".to_owned(), "ü".to_owned());
    queue.send(std::slice::from_ref(&sent)).await.unwrap();
    let received = take_one(&queue).await;
    queue.dead_letter(&received.receipt, "not json").await.unwrap();
    let dead = queue.dead(10, None).await.unwrap().remove(0);
    assert_eq!((dead.body, dead.attributes, dead.queue.as_str()), (sent.body, sent.attributes, queue.name()));
    assert_eq!(dead.sent_at, received.sent_at);
}

pub async fn dead_messages_are_paged_oldest_first(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let mut expected = Vec::new();
    for text in ["a", "b", "c", "d", "e"] {
        expected.push(bury(&queue, text).await);
        fixture.advance(Duration::from_secs(1)).await;
    }
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = queue.dead(2, after).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.dead_id);
        listed.extend(page.iter().map(|dead| dead.dead_id));
    }
    assert_eq!(listed, expected);
}

pub async fn a_page_goes_on_after_a_message_that_was_replayed(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let first = bury(&queue, "a").await;
    let second = bury(&queue, "b").await;
    assert!(queue.replay(first).await.unwrap());
    let page = queue.dead(10, Some(first)).await.unwrap();
    assert_eq!(page.iter().map(|dead| dead.dead_id).collect::<Vec<_>>(), [second]);
}

pub async fn replayed_message_is_visible_at_once_and_counts_anew(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let dead_id = bury(&queue, "a").await;
    let dead = queue.dead_message(dead_id).await.unwrap().expect("the message should be dead");
    assert!(queue.replay(dead_id).await.unwrap());
    assert!(queue.dead_message(dead_id).await.unwrap().is_none());
    let received = take_one(&queue).await;
    assert_eq!((received.receive_count, received.body), (1, dead.body));
    assert_eq!(received.attributes, dead.attributes);
}

pub async fn message_is_replayed_once(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let dead_id = bury(&queue, "a").await;
    let replays = (0..8).map(|_| {
        let queue = fixture.queue(query_queue());
        tokio::spawn(async move { queue.replay(dead_id).await.unwrap() })
    });
    let replayed = futures::future::join_all(replays).await;
    assert_eq!(replayed.into_iter().filter(|result| *result.as_ref().unwrap()).count(), 1);
    assert_eq!(drain(&queue).await.len(), 1);
}

pub async fn discarded_message_is_gone(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let dead_id = bury(&queue, "a").await;
    assert!(queue.discard(dead_id).await.unwrap());
    assert!(!queue.replay(dead_id).await.unwrap());
    assert!(queue.dead(10, None).await.unwrap().is_empty());
    assert!(take(&queue, 10).await.is_empty());
}

pub async fn replaying_or_discarding_what_is_not_there_is_false(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let nobody = derive("sample", &["nobody"]);
    assert!(!queue.replay(nobody).await.unwrap());
    assert!(!queue.discard(nobody).await.unwrap());
    assert!(queue.dead_message(nobody).await.unwrap().is_none());
}

pub async fn old_receipt_does_not_reach_a_replayed_message(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    let old = take_one(&queue).await;
    queue.dead_letter(&old.receipt, "bad").await.unwrap();
    let dead_id = queue.dead(1, None).await.unwrap().remove(0).dead_id;
    queue.replay(dead_id).await.unwrap();
    assert_eq!(take_one(&queue).await.receive_count, old.receive_count);
    queue.ack(&[old.receipt]).await.unwrap();
    fixture.advance(MINUTE).await;
    assert_eq!(take(&queue, 10).await.len(), 1);
}

pub async fn dead_messages_survive_a_restart(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let dead_id = bury(&queue, "a").await;
    let Some(reopened) = fixture.reopen().await else { return skip_durability() };
    let queue = reopened.queue(query_queue());
    assert!(queue.dead_message(dead_id).await.unwrap().is_some());
    assert!(queue.replay(dead_id).await.unwrap());
    assert_eq!(take(&queue, 10).await.len(), 1);
}
