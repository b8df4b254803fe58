//! The one table of queues and topics: who publishes, who consumes, filters, visibility, DLQ.
//!
//! The one-machine runtime, the AWS deployment and the documents in this folder are all made from it.

use serde::Serialize;

/// A durable queue, read by one service. Its DLQ is `<name>-dlq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct QueueSpec {
    /// `<service>-<message>`.
    pub name: &'static str,
    /// The service that reads it.
    pub consumer: &'static str,
    /// What arrives on it.
    pub messages: &'static [&'static str],
    /// How long a received message stays hidden from other workers. On AWS at least six times as long as the function that
    /// is handed it may run.
    pub visibility_timeout_s: u32,
    /// Receives after which a message goes to the DLQ.
    pub max_receive_count: u32,
    /// Messages a worker takes at once.
    pub batch_size: u32,
}

impl QueueSpec {
    pub fn dlq_name(&self) -> String {
        dlq_name(self.name)
    }
}

pub fn dlq_name(queue: &str) -> String {
    format!("{queue}-dlq")
}

/// A topic: every subscription whose filter a message passes gets its own copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TopicSpec {
    pub name: &'static str,
    /// Whether others may be let subscribe to it. What a topic that is not for them carries may change with any release.
    pub outside_subscribers: bool,
    pub subscriptions: &'static [SubscriptionSpec],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SubscriptionSpec {
    pub queue: &'static str,
    /// `None` lets everything through.
    pub filter: Option<AttributeFilter>,
}

/// A message passes when its attribute has one of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AttributeFilter {
    pub attribute: &'static str,
    pub any_of: &'static [&'static str],
}

/// Where a message is published, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PublicationSpec {
    pub message: &'static str,
    pub publishers: &'static [&'static str],
    pub target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Queue(&'static str),
    Topic(&'static str),
}

/// The attributes a message may carry. SNS with raw delivery drops a message at eleven.
pub const ATTRIBUTES: &[&str] = &["type", "severity", "rule_id", "destination_type", "log_source", "environment"];

/// A message stays below this, so that every transport takes it.
pub const MAX_MESSAGE_BYTES: usize = 200 * 1024;

/// A standard queue keeps a message this long.
pub const QUEUE_RETENTION_DAYS: u32 = 4;
/// Messages of every version published in this time must stay readable.
pub const DLQ_RETENTION_DAYS: u32 = 14;

const fn queue(name: &'static str, consumer: &'static str, messages: &'static [&'static str]) -> QueueSpec {
    QueueSpec { name, consumer, messages, visibility_timeout_s: 60, max_receive_count: 5, batch_size: 10 }
}

pub const QUEUES: &[QueueSpec] = &[
    QueueSpec {
        // A large object takes minutes to parse.
        visibility_timeout_s: 900,
        ..queue("ingest-object_received", "ingest", &["object_received"])
    },
    queue("query-worker-query_requested", "query-worker", &["query_requested"]),
    QueueSpec {
        // Asking again whether a query has ended counts as a receive.
        max_receive_count: 1000,
        ..queue("result-poller-query_started", "result-poller", &["query_started"])
    },
    // What one receive returns may become one commit, and a commit holds no more (see `stores::MAX_COMMIT_MATCHES`).
    QueueSpec { batch_size: 70, ..queue("dedup-rule_matched", "dedup", &["rule_matched"]) },
    queue("scheduler-rule_failed", "scheduler", &["rule_failed"]),
    queue("scheduler-query_completed", "scheduler", &["query_completed"]),
    QueueSpec { batch_size: 50, ..queue("enrichment-alert_opened", "enrichment", &["alert_opened"]) },
    QueueSpec { batch_size: 50, ..queue("enrichment-alert_updated", "enrichment", &["alert_updated"]) },
    QueueSpec { batch_size: 50, ..queue("enrichment-alert_closed", "enrichment", &["alert_closed"]) },
    notifier("notifiers-slack"),
    notifier("notifiers-webhook"),
    notifier("notifiers-email"),
];

const fn notifier(name: &'static str) -> QueueSpec {
    QueueSpec {
        // Waiting for Retry-After counts as a receive; the notifier's own budget decides when to give up.
        max_receive_count: 1000,
        batch_size: 50,
        ..queue(name, "notifiers", &["notification_requested"])
    }
}

/// Where S3 tells of new raw objects.
pub const OBJECT_CREATED: &str = "ingest-object_created";
/// Where EventBridge tells that a query of Athena has ended.
pub const QUERY_ENDED: &str = "result-poller-query_ended";

/// What becomes of alerts and their deliveries, on its way to the event bus.
pub const LIFECYCLE: &str = "event-bus-lifecycle";

/// Queues that are on AWS only: services of AWS write to the first two, in their own words. On one machine there are none.
pub const AWS_QUEUES: &[QueueSpec] = &[
    queue(OBJECT_CREATED, "ingest", &["aws.s3.object_created"]),
    queue(QUERY_ENDED, "result-poller", &["aws.athena.query_ended"]),
    QueueSpec {
        // A bus that takes nothing is waited for. A message that died of it would raise an alert, which is told to the bus.
        max_receive_count: 1000,
        ..queue(
            LIFECYCLE,
            "event-bus",
            &["alert_opened", "alert_updated", "alert_closed", "alert_enriched", "delivery_recorded"],
        )
    },
];

/// Queues of [`AWS_QUEUES`] that hear all that is published to a topic.
pub const AWS_SUBSCRIPTIONS: &[AwsSubscription] =
    &[AwsSubscription { topic: "alerts", queue: LIFECYCLE }, AwsSubscription { topic: "deliveries", queue: LIFECYCLE }];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AwsSubscription {
    pub topic: &'static str,
    pub queue: &'static str,
}

pub const TOPICS: &[TopicSpec] = &[
    TopicSpec {
        name: "alerts",
        outside_subscribers: true,
        subscriptions: &[
            filtered("enrichment-alert_opened", "type", &["mantissa.alert_opened.v1"]),
            filtered("enrichment-alert_updated", "type", &["mantissa.alert_updated.v1"]),
            filtered("enrichment-alert_closed", "type", &["mantissa.alert_closed.v1"]),
        ],
    },
    TopicSpec {
        name: "notifications",
        outside_subscribers: false,
        subscriptions: &[
            filtered("notifiers-slack", "destination_type", &["slack"]),
            filtered("notifiers-webhook", "destination_type", &["webhook"]),
            filtered("notifiers-email", "destination_type", &["email"]),
        ],
    },
    TopicSpec { name: "deliveries", outside_subscribers: true, subscriptions: &[] },
];

pub const PUBLICATIONS: &[PublicationSpec] = &[
    to_queue("object_received", &["standalone", "ingest"], "ingest-object_received"),
    to_queue("query_requested", &["scheduler"], "query-worker-query_requested"),
    to_queue("query_started", &["query-worker"], "result-poller-query_started"),
    // The platform's own alerts enter here too, whoever noticed.
    to_queue(
        "rule_matched",
        &["result-poller", "scheduler", "dead-letter-watch", "ingest", "notifiers", "enrichment"],
        "dedup-rule_matched",
    ),
    to_queue("rule_failed", &["query-worker", "result-poller"], "scheduler-rule_failed"),
    to_queue("query_completed", &["result-poller"], "scheduler-query_completed"),
    to_topic("alert_opened", &["dedup"], "alerts"),
    to_topic("alert_updated", &["dedup", "api"], "alerts"),
    to_topic("alert_closed", &["api"], "alerts"),
    to_topic("alert_enriched", &["enrichment"], "alerts"),
    to_topic("notification_requested", &["enrichment"], "notifications"),
    to_topic("delivery_recorded", &["notifiers"], "deliveries"),
];

const fn filtered(queue: &'static str, attribute: &'static str, any_of: &'static [&'static str]) -> SubscriptionSpec {
    SubscriptionSpec { queue, filter: Some(AttributeFilter { attribute, any_of }) }
}

const fn to_queue(message: &'static str, publishers: &'static [&'static str], queue: &'static str) -> PublicationSpec {
    PublicationSpec { message, publishers, target: Target::Queue(queue) }
}

const fn to_topic(message: &'static str, publishers: &'static [&'static str], topic: &'static str) -> PublicationSpec {
    PublicationSpec { message, publishers, target: Target::Topic(topic) }
}

pub fn find_queue(name: &str) -> Option<&'static QueueSpec> {
    QUEUES.iter().chain(AWS_QUEUES).find(|queue| queue.name == name)
}

pub fn find_topic(name: &str) -> Option<&'static TopicSpec> {
    TOPICS.iter().find(|topic| topic.name == name)
}

/// Where a message of this name is published.
pub fn target_of(message: &str) -> Option<Target> {
    PUBLICATIONS.iter().find(|publication| publication.message == message).map(|publication| publication.target)
}

/// The queues that get a copy of a message published to a topic with these attributes.
pub fn subscribed_queues<'a>(
    topic: &'a TopicSpec,
    attribute: impl Fn(&str) -> Option<&'a str> + 'a,
) -> impl Iterator<Item = &'static str> + 'a {
    topic
        .subscriptions
        .iter()
        .filter(move |subscription| {
            subscription
                .filter
                .is_none_or(|filter| attribute(filter.attribute).is_some_and(|value| filter.any_of.contains(&value)))
        })
        .map(|subscription| subscription.queue)
}

/// The whole table, for `topology.json`.
#[derive(Debug, Serialize)]
pub struct Topology {
    pub queues: &'static [QueueSpec],
    pub aws_queues: &'static [QueueSpec],
    pub aws_subscriptions: &'static [AwsSubscription],
    pub topics: &'static [TopicSpec],
    pub publications: &'static [PublicationSpec],
    pub attributes: &'static [&'static str],
    pub max_message_bytes: usize,
    pub queue_retention_days: u32,
    pub dlq_retention_days: u32,
}

pub const TOPOLOGY: Topology = Topology {
    queues: QUEUES,
    aws_queues: AWS_QUEUES,
    aws_subscriptions: AWS_SUBSCRIPTIONS,
    topics: TOPICS,
    publications: PUBLICATIONS,
    attributes: ATTRIBUTES,
    max_message_bytes: MAX_MESSAGE_BYTES,
    queue_retention_days: QUEUE_RETENTION_DAYS,
    dlq_retention_days: DLQ_RETENTION_DAYS,
};
