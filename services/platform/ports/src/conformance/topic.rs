//! The contract of the Topic port.

use super::Fixture;
use super::fixture::skip_durability;
use super::samples::{drain, message, queue_spec};
use crate::Outgoing;
use mantissa_contracts::topology::{AttributeFilter, SubscriptionSpec, TopicSpec};

#[macro_export]
macro_rules! topic_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { topic, [$($how)*],
            every_subscribed_queue_gets_its_own_copy
            filter_passes_one_of_its_values
            message_without_the_attribute_does_not_pass
            topic_without_subscriptions_accepts_messages
            published_message_survives_a_restart
        }
    };
}

const ALL: &str = "scheduler-query_completed";
const HIGH: &str = "scheduler-rule_failed";
const SLACK: &str = "query-worker-query_requested";

/// A topic with a subscription without a filter and two with one.
pub static FILTERED: TopicSpec = TopicSpec {
    name: "conformance-filtered",
    outside_subscribers: false,
    subscriptions: &[
        SubscriptionSpec { queue: ALL, filter: None },
        SubscriptionSpec {
            queue: HIGH,
            filter: Some(AttributeFilter { attribute: "severity", any_of: &["high", "critical"] }),
        },
        SubscriptionSpec {
            queue: SLACK,
            filter: Some(AttributeFilter { attribute: "destination_type", any_of: &["slack"] }),
        },
    ],
};

pub static UNSUBSCRIBED: TopicSpec =
    TopicSpec { name: "conformance-unsubscribed", outside_subscribers: false, subscriptions: &[] };

fn with(attributes: &[(&str, &str)]) -> Outgoing {
    let mut message = message("alert_opened", "a");
    message.attributes.extend(attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    message
}

/// How many copies reached the three queues.
async fn copies(fixture: &dyn Fixture, message: &Outgoing) -> (usize, usize, usize) {
    fixture.topic(&FILTERED).publish(std::slice::from_ref(message)).await.unwrap();
    let mut counts = [0; 3];
    for (count, name) in counts.iter_mut().zip([ALL, HIGH, SLACK]) {
        let bodies = drain(&fixture.queue(queue_spec(name))).await;
        assert!(bodies.iter().all(|body| *body == message.body));
        *count = bodies.len();
    }
    (counts[0], counts[1], counts[2])
}

pub async fn every_subscribed_queue_gets_its_own_copy(fixture: &dyn Fixture) {
    let message = with(&[("severity", "high"), ("destination_type", "slack")]);
    // Draining one queue acknowledges there and takes nothing from the others.
    assert_eq!(copies(fixture, &message).await, (1, 1, 1));
}

pub async fn filter_passes_one_of_its_values(fixture: &dyn Fixture) {
    assert_eq!(copies(fixture, &with(&[("severity", "critical")])).await, (1, 1, 0));
    assert_eq!(copies(fixture, &with(&[("severity", "low")])).await, (1, 0, 0));
    assert_eq!(copies(fixture, &with(&[("severity", "High")])).await, (1, 0, 0));
}

pub async fn message_without_the_attribute_does_not_pass(fixture: &dyn Fixture) {
    assert_eq!(copies(fixture, &with(&[])).await, (1, 0, 0));
}

pub async fn topic_without_subscriptions_accepts_messages(fixture: &dyn Fixture) {
    fixture.topic(&UNSUBSCRIBED).publish(&[with(&[])]).await.unwrap();
}

pub async fn published_message_survives_a_restart(fixture: &dyn Fixture) {
    fixture.topic(&FILTERED).publish(&[with(&[])]).await.unwrap();
    let Some(reopened) = fixture.reopen().await else { return skip_durability() };
    assert_eq!(drain(&reopened.queue(queue_spec(ALL))).await.len(), 1);
}
