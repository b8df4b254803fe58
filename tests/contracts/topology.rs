use mantissa_contracts::documents::message_schemas;
use mantissa_contracts::topology::{
    ATTRIBUTES, PUBLICATIONS, QUEUES, TOPICS, Target, find_queue, find_topic, target_of,
};
use std::collections::BTreeSet;

#[test]
fn every_message_has_a_place_to_go_and_every_place_exists() {
    for message in message_schemas() {
        assert!(target_of(message.name).is_some(), "`{}` is published nowhere", message.name);
    }
    for publication in PUBLICATIONS {
        match publication.target {
            Target::Queue(name) => {
                let queue = find_queue(name).unwrap_or_else(|| panic!("no queue `{name}`"));
                assert!(
                    queue.messages.contains(&publication.message),
                    "`{name}` does not expect `{}`",
                    publication.message
                );
            }
            Target::Topic(name) => assert!(find_topic(name).is_some(), "no topic `{name}`"),
        }
    }
}

#[test]
fn subscriptions_lead_to_queues_and_filter_on_known_attributes() {
    for subscription in TOPICS.iter().flat_map(|topic| topic.subscriptions) {
        assert!(find_queue(subscription.queue).is_some(), "no queue `{}`", subscription.queue);
        if let Some(filter) = subscription.filter {
            assert!(ATTRIBUTES.contains(&filter.attribute));
        }
    }
}

#[test]
fn names_are_unique_and_say_who_consumes() {
    let names: BTreeSet<&str> =
        QUEUES.iter().map(|queue| queue.name).chain(TOPICS.iter().map(|topic| topic.name)).collect();
    assert_eq!(names.len(), QUEUES.len() + TOPICS.len());
    for queue in QUEUES {
        assert!(queue.name.starts_with(queue.consumer), "queue `{}` is read by `{}`", queue.name, queue.consumer);
    }
}

#[test]
fn attributes_stay_below_what_raw_delivery_drops() {
    assert!(ATTRIBUTES.len() <= 10);
}
