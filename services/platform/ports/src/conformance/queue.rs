//! The contract of the Queue port: sending, receiving, acknowledging, visibility, durability.

use super::Fixture;
use super::fixture::skip_durability;
use super::samples::{MINUTE, NO_WAIT, drain, message, messages, query_queue, queue_spec, take, take_one};
use crate::{QueueDepth, Receipt};
use std::collections::HashSet;
use std::time::{Duration, Instant};

#[macro_export]
macro_rules! queue_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { queue, [$($how)*],
            sent_message_is_received_with_body_and_attributes
            delayed_message_is_not_received_before_its_delay
            second_handle_receives_what_the_first_sent
            queues_do_not_mix
            receive_returns_at_most_max
            receive_returns_at_once_when_there_are_messages
            receive_waits_for_a_message_that_arrives_meanwhile
            receive_of_an_empty_queue_returns_after_the_wait
            received_message_is_hidden_from_other_receivers
            racing_receivers_never_share_a_message
            unacknowledged_message_is_received_again_with_a_higher_count
            acknowledged_message_never_comes_back
            one_stale_receipt_does_not_keep_the_others
            receipt_replaced_by_a_later_receive_acknowledges_nothing
            unknown_receipt_does_nothing
            changed_visibility_counts_from_now
            zero_visibility_shows_the_message_at_once
            stale_receipt_does_not_change_visibility
            depth_counts_each_message_once
            messages_receipts_and_counts_survive_a_restart
        }
        $crate::conformance_tests! { queue_dlq, [$($how)*],
            message_that_used_up_its_receives_goes_to_the_dlq
            message_acknowledged_at_its_last_receive_does_not_die
            dead_letter_moves_the_message_at_once_with_its_reason
            stale_receipt_dead_letters_nothing
            dead_message_is_unchanged
            dead_messages_are_paged_oldest_first
            a_page_goes_on_after_a_message_that_was_replayed
            replayed_message_is_visible_at_once_and_counts_anew
            message_is_replayed_once
            discarded_message_is_gone
            replaying_or_discarding_what_is_not_there_is_false
            old_receipt_does_not_reach_a_replayed_message
            dead_messages_survive_a_restart
        }
    };
}

pub async fn sent_message_is_received_with_body_and_attributes(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let mut sent = message("query_requested", "hello");
    sent.body = "{\"text\":\"grüße \\u0001 \u{1F600}\"}".to_owned();
    sent.attributes.insert("severity".to_owned(), "high".to_owned());
    queue.send(std::slice::from_ref(&sent)).await.unwrap();
    let received = take_one(&queue).await;
    assert_eq!(received.body, sent.body);
    assert_eq!(received.attributes, sent.attributes);
    assert_eq!(received.receive_count, 1);
    assert!(received.sent_at <= fixture.now(), "sent at {}, now {}", received.sent_at, fixture.now());
}

pub async fn delayed_message_is_not_received_before_its_delay(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let delay = Duration::from_secs(3);
    queue.send(&[message("query_requested", "later").delayed(delay)]).await.unwrap();
    assert!(take(&queue, 10).await.is_empty());
    fixture.advance(delay - Duration::from_secs(1)).await;
    assert!(take(&queue, 10).await.is_empty());
    fixture.advance(Duration::from_secs(1)).await;
    assert_eq!(take(&queue, 10).await.len(), 1);
}

pub async fn second_handle_receives_what_the_first_sent(fixture: &dyn Fixture) {
    fixture.queue(query_queue()).send(&messages(1)).await.unwrap();
    assert_eq!(drain(&fixture.queue(query_queue())).await.len(), 1);
}

pub async fn queues_do_not_mix(fixture: &dyn Fixture) {
    let other = fixture.queue(queue_spec("scheduler-rule_failed"));
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    assert!(take(&other, 10).await.is_empty());
    // A receipt of one queue means nothing to another.
    let received = take_one(&queue).await;
    other.ack(std::slice::from_ref(&received.receipt)).await.unwrap();
    fixture.advance(MINUTE).await;
    assert_eq!(take(&queue, 10).await.len(), 1);
}

pub async fn receive_returns_at_most_max(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(5)).await.unwrap();
    let first = take(&queue, 3).await.len();
    assert!((1..=3).contains(&first), "received {first}");
    let mut n_received = first;
    while n_received < 5 {
        n_received += take(&queue, 3).await.len();
    }
    assert!(take(&queue, 3).await.is_empty());
}

pub async fn receive_returns_at_once_when_there_are_messages(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    let started = Instant::now();
    assert_eq!(queue.receive(10, MINUTE, Duration::from_secs(20)).await.unwrap().len(), 1);
    assert!(started.elapsed() < Duration::from_secs(10), "waited {:?}", started.elapsed());
}

pub async fn receive_waits_for_a_message_that_arrives_meanwhile(fixture: &dyn Fixture) {
    let (queue, sender) = (fixture.queue(query_queue()), fixture.queue(query_queue()));
    let waiting = tokio::spawn(async move { queue.receive(10, MINUTE, Duration::from_secs(20)).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(100)).await;
    sender.send(&messages(1)).await.unwrap();
    let started = Instant::now();
    assert_eq!(waiting.await.unwrap().len(), 1);
    assert!(started.elapsed() < Duration::from_secs(10), "waited {:?}", started.elapsed());
}

pub async fn receive_of_an_empty_queue_returns_after_the_wait(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    let started = Instant::now();
    let wait = Duration::from_secs(1);
    assert!(queue.receive(10, MINUTE, wait).await.unwrap().is_empty());
    assert!(started.elapsed() >= wait, "waited only {:?}", started.elapsed());
}

pub async fn received_message_is_hidden_from_other_receivers(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    take_one(&queue).await;
    assert!(take(&fixture.queue(query_queue()), 10).await.is_empty());
}

pub async fn racing_receivers_never_share_a_message(fixture: &dyn Fixture) {
    const N_MESSAGES: usize = 60;
    fixture.queue(query_queue()).send(&messages(N_MESSAGES)).await.unwrap();
    let receivers = (0..8).map(|_| {
        let queue = fixture.queue(query_queue());
        tokio::spawn(async move {
            let mut bodies = Vec::new();
            loop {
                let received = take(&queue, 3).await;
                if received.is_empty() {
                    return bodies;
                }
                bodies.extend(received.into_iter().map(|message| message.body));
            }
        })
    });
    let mut bodies = Vec::new();
    for received in futures::future::join_all(receivers).await {
        bodies.extend(received.unwrap());
    }
    assert_eq!(bodies.len(), N_MESSAGES);
    assert_eq!(bodies.iter().collect::<HashSet<_>>().len(), N_MESSAGES);
}

pub async fn unacknowledged_message_is_received_again_with_a_higher_count(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    let first = take_one(&queue).await;
    fixture.advance(MINUTE).await;
    let second = take_one(&queue).await;
    assert_eq!((first.receive_count, second.receive_count), (1, 2));
    assert_eq!((&first.body, first.sent_at), (&second.body, second.sent_at));
    assert_ne!(first.receipt, second.receipt);
}

pub async fn acknowledged_message_never_comes_back(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    let received = take_one(&queue).await;
    queue.ack(&[received.receipt]).await.unwrap();
    fixture.advance(MINUTE * 2).await;
    assert!(take(&queue, 10).await.is_empty());
    assert_eq!(queue.depth().await.unwrap(), QueueDepth::default());
}

pub async fn one_stale_receipt_does_not_keep_the_others(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(2)).await.unwrap();
    let stale = take_one(&queue).await;
    fixture.advance(MINUTE).await;
    let mut fresh = take(&queue, 1).await;
    fresh.extend(take(&queue, 1).await);
    assert_eq!(fresh.len(), 2);
    let other = fresh.iter().find(|message| message.body != stale.body).expect("the message not received before");
    queue.ack(&[stale.receipt, Receipt("nonsense".to_owned()), other.receipt.clone()]).await.unwrap();
    fixture.advance(MINUTE).await;
    assert_eq!(drain(&queue).await, [stale.body]);
}

pub async fn receipt_replaced_by_a_later_receive_acknowledges_nothing(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    let stale = take_one(&queue).await;
    fixture.advance(MINUTE).await;
    take_one(&queue).await;
    queue.ack(&[stale.receipt]).await.unwrap();
    fixture.advance(MINUTE).await;
    assert_eq!(take(&queue, 10).await.len(), 1);
}

pub async fn unknown_receipt_does_nothing(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    for text in ["", "-", "1", "x-y", "999999-1", "-1--1", "99999999999999999999-1"] {
        let receipt = Receipt(text.to_owned());
        queue.ack(std::slice::from_ref(&receipt)).await.unwrap();
        queue.change_visibility(&receipt, MINUTE).await.unwrap();
        queue.dead_letter(&receipt, "nonsense").await.unwrap();
    }
    assert_eq!(take(&queue, 10).await.len(), 1);
}

pub async fn changed_visibility_counts_from_now(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    let received = queue.receive(1, Duration::from_secs(2), NO_WAIT).await.unwrap().remove(0);
    fixture.advance(Duration::from_secs(1)).await;
    queue.change_visibility(&received.receipt, Duration::from_secs(4)).await.unwrap();
    fixture.advance(Duration::from_secs(3)).await;
    assert!(take(&queue, 10).await.is_empty());
    fixture.advance(Duration::from_secs(1)).await;
    assert_eq!(take_one(&queue).await.receive_count, 2);
}

pub async fn zero_visibility_shows_the_message_at_once(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    let received = take_one(&queue).await;
    queue.change_visibility(&received.receipt, Duration::ZERO).await.unwrap();
    assert_eq!(take_one(&queue).await.receive_count, 2);
}

pub async fn stale_receipt_does_not_change_visibility(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(1)).await.unwrap();
    let stale = take_one(&queue).await;
    fixture.advance(MINUTE).await;
    take_one(&queue).await;
    queue.change_visibility(&stale.receipt, Duration::ZERO).await.unwrap();
    assert!(take(&queue, 10).await.is_empty());
}

pub async fn depth_counts_each_message_once(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    assert_eq!(queue.depth().await.unwrap(), QueueDepth::default());
    queue.send(&messages(3)).await.unwrap();
    let received = take_one(&queue).await;
    queue.dead_letter(&received.receipt, "bad").await.unwrap();
    take_one(&queue).await;
    queue.send(&[message("query_requested", "later").delayed(MINUTE)]).await.unwrap();
    let depth = QueueDepth { n_visible: 1, n_in_flight: 1, n_delayed: 1, n_dead: 1 };
    assert_eq!(queue.depth().await.unwrap(), depth);
    fixture.advance(MINUTE).await;
    assert_eq!(queue.depth().await.unwrap(), QueueDepth { n_visible: 3, n_dead: 1, ..QueueDepth::default() });
}

pub async fn messages_receipts_and_counts_survive_a_restart(fixture: &dyn Fixture) {
    let queue = fixture.queue(query_queue());
    queue.send(&messages(3)).await.unwrap();
    let (gone, kept) = (take_one(&queue).await, take_one(&queue).await);
    queue.ack(&[gone.receipt]).await.unwrap();
    let Some(reopened) = fixture.reopen().await else { return skip_durability() };
    let queue = reopened.queue(query_queue());
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.n_visible, depth.n_in_flight), (1, 1));
    queue.change_visibility(&kept.receipt, Duration::ZERO).await.unwrap();
    let mut counts: Vec<_> = take(&queue, 10).await.into_iter().map(|message| message.receive_count).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
}
