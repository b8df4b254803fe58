//! What the adapters need and emulators ask for. On AWS a queue needs more: retention, a policy that lets its topics send.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, LocalSecondaryIndex, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_sdk_sqs::types::QueueAttributeName;
use mantissa_aws::dynamodb::schema::{self, IndexSpec, TableSpec};
use mantissa_aws::sqs::QueueUrls;
use mantissa_contracts::topology::{QueueSpec, TopicSpec};
use std::collections::BTreeSet;

/// A queue with its DLQ.
pub(crate) async fn make_queue(config: &SdkConfig, prefix: &str, spec: &QueueSpec) -> QueueUrls {
    let client = aws_sdk_sqs::Client::new(config);
    let name = format!("{prefix}{}", spec.name);
    let made = client.create_queue().queue_name(format!("{name}-dlq")).send().await.unwrap();
    let dlq = made.queue_url.unwrap();
    let arn = queue_arn(&client, &dlq).await;
    let redrive = serde_json::json!({"deadLetterTargetArn": arn, "maxReceiveCount": spec.max_receive_count});
    let made = client
        .create_queue()
        .queue_name(&name)
        .attributes(QueueAttributeName::RedrivePolicy, redrive.to_string())
        .attributes(QueueAttributeName::VisibilityTimeout, spec.visibility_timeout_s.to_string())
        .send()
        .await
        .unwrap();
    QueueUrls { queue: made.queue_url.unwrap(), dlq }
}

async fn queue_arn(client: &aws_sdk_sqs::Client, url: &str) -> String {
    let attributes = client
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await
        .unwrap();
    attributes.attributes.unwrap()[&QueueAttributeName::QueueArn].clone()
}

/// A topic with its subscriptions; `url_of` knows the queues. Returns the topic's ARN.
pub(crate) async fn make_topic(
    config: &SdkConfig,
    prefix: &str,
    spec: &TopicSpec,
    url_of: impl Fn(&str) -> String,
) -> String {
    let (sns, sqs) = (aws_sdk_sns::Client::new(config), aws_sdk_sqs::Client::new(config));
    let arn = sns.create_topic().name(format!("{prefix}{}", spec.name)).send().await.unwrap().topic_arn.unwrap();
    for subscription in spec.subscriptions {
        let endpoint = queue_arn(&sqs, &url_of(subscription.queue)).await;
        let mut subscribe =
            sns.subscribe().topic_arn(&arn).protocol("sqs").endpoint(endpoint).attributes("RawMessageDelivery", "true");
        if let Some(filter) = &subscription.filter {
            let policy = serde_json::json!({filter.attribute: filter.any_of});
            subscribe = subscribe.attributes("FilterPolicy", policy.to_string());
        }
        subscribe.send().await.unwrap();
    }
    arn
}

pub(crate) async fn make_table(config: &SdkConfig, prefix: &str, spec: &TableSpec) {
    let client = aws_sdk_dynamodb::Client::new(config);
    let mut attributes = BTreeSet::from([(schema::PK, schema::KeyType::Text as u8), (schema::SK, 0)]);
    let mut request = client
        .create_table()
        .table_name(format!("{prefix}{}", spec.name))
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(keys(schema::PK, schema::SK)));
    for index in spec.indexes {
        attributes.insert((index.partition_key, schema::KeyType::Text as u8));
        attributes.insert((index.sort_key, index.sort_key_type as u8));
        request = add_index(request, index);
    }
    for (name, key_type) in attributes {
        let scalar = match key_type {
            number if number == schema::KeyType::Number as u8 => ScalarAttributeType::N,
            _ => ScalarAttributeType::S,
        };
        let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(scalar).build().unwrap();
        request = request.attribute_definitions(definition);
    }
    request.send().await.unwrap();
}

type CreateTable = aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;

fn add_index(request: CreateTable, index: &IndexSpec) -> CreateTable {
    let everything = Projection::builder().projection_type(ProjectionType::All).build();
    let keys = keys(index.partition_key, index.sort_key);
    match index.local {
        true => {
            let built = LocalSecondaryIndex::builder().index_name(index.name).projection(everything);
            request.local_secondary_indexes(built.set_key_schema(Some(keys)).build().unwrap())
        }
        false => {
            let built = GlobalSecondaryIndex::builder().index_name(index.name).projection(everything);
            request.global_secondary_indexes(built.set_key_schema(Some(keys)).build().unwrap())
        }
    }
}

fn keys(partition: &str, sort: &str) -> Vec<KeySchemaElement> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .map(|(name, key_type)| KeySchemaElement::builder().attribute_name(name).key_type(key_type).build().unwrap())
        .to_vec()
}
