//! One table: items read one by one and by key ranges, and written together.

use super::item::{Item, Key, text};
use super::schema::{PK, SK};
use crate::error::{code_of, port_error};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Select};
use mantissa_ports::PortError;
use std::collections::HashMap;
use std::time::Duration;

/// Items of one batch read.
const MAX_BATCH: usize = 100;
/// How often what a batch read left out is asked for.
const MAX_READS: u32 = 30;
const READ: &str = "read items of table";

#[derive(Clone)]
pub(super) struct Table {
    pub(super) client: Client,
    /// As the schema calls it.
    pub(super) name: &'static str,
    /// As this deployment calls it.
    pub(super) id: String,
}

/// Items of one partition, or of one of an index.
#[derive(Clone)]
pub(super) struct Range {
    pub(super) index: Option<&'static str>,
    pub(super) partition_key: &'static str,
    pub(super) sort_key: &'static str,
    pub(super) partition: String,
    /// A condition on the sort key `#sk`, with its values.
    pub(super) condition: Option<(&'static str, Vec<(&'static str, AttributeValue)>)>,
    pub(super) forward: bool,
}

impl Range {
    pub(super) fn partition(partition: impl Into<String>) -> Self {
        Self {
            index: None,
            partition_key: PK,
            sort_key: SK,
            partition: partition.into(),
            condition: None,
            forward: true,
        }
    }

    /// A condition such as `#sk >= :from`.
    pub(super) fn when(mut self, condition: &'static str, values: Vec<(&'static str, AttributeValue)>) -> Self {
        self.condition = Some((condition, values));
        self
    }

    pub(super) fn index(mut self, index: &'static str, partition_key: &'static str, sort_key: &'static str) -> Self {
        (self.index, self.partition_key, self.sort_key) = (Some(index), partition_key, sort_key);
        self
    }
}

impl Table {
    /// What is there now, whatever server is asked.
    pub(super) async fn get(&self, key: &Key) -> Result<Option<Item>, PortError> {
        let get = self.client.get_item().table_name(&self.id).set_key(Some(key.attributes())).consistent_read(true);
        Ok(get.send().await.map_err(|error| port_error("read item of table", self.name, error))?.item)
    }

    /// The items that are there, in no promised order.
    pub(super) async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, PortError> {
        let mut items = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MAX_BATCH) {
            let mut wanted: Vec<Item> = keys.iter().map(Key::attributes).collect();
            for attempt in 0.. {
                if wanted.is_empty() {
                    break;
                }
                if attempt > 0 {
                    tokio::time::sleep(pause(attempt)).await;
                }
                if attempt >= MAX_READS {
                    return Err(PortError::transient(READ, self.name, "the table is too busy to answer"));
                }
                let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
                let request = request.map_err(|error| PortError::permanent(READ, self.name, error))?;
                let answer = self
                    .client
                    .batch_get_item()
                    .request_items(&self.id, request)
                    .send()
                    .await
                    .map_err(|error| port_error(READ, self.name, error))?;
                items.extend(answer.responses.unwrap_or_default().remove(&self.id).unwrap_or_default());
                // What did not fit into one answer is asked for again.
                wanted = answer
                    .unprocessed_keys
                    .unwrap_or_default()
                    .remove(&self.id)
                    .map(|rest| rest.keys)
                    .unwrap_or_default();
            }
        }
        Ok(items)
    }

    /// Up to `limit` items of the range, in order.
    pub(super) async fn query(&self, range: &Range, limit: usize) -> Result<Vec<Item>, PortError> {
        let mut items: Vec<Item> = Vec::new();
        let mut start: Option<Item> = None;
        while items.len() < limit {
            let page = self
                .query_of(range)
                .set_limit(i32::try_from(limit - items.len()).ok())
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(|error| port_error(READ, self.name, error))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                break;
            }
        }
        items.truncate(limit);
        Ok(items)
    }

    /// How many items the range has.
    pub(super) async fn count(&self, range: Range) -> Result<u64, PortError> {
        let mut n_items = 0;
        let mut start: Option<Item> = None;
        loop {
            let counted = self.query_of(&range).select(Select::Count).set_exclusive_start_key(start.take()).send();
            let counted = counted.await.map_err(|error| port_error(READ, self.name, error))?;
            n_items += u64::try_from(counted.count).unwrap_or_default();
            start = counted.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(n_items);
            }
        }
    }

    fn query_of(&self, range: &Range) -> QueryFluentBuilder {
        let mut names = HashMap::from([("#pk".to_owned(), range.partition_key.to_owned())]);
        let mut values = HashMap::from([(":pk".to_owned(), text(&range.partition))]);
        let mut condition = "#pk = :pk".to_owned();
        if let Some((on_sort_key, on_values)) = &range.condition {
            condition.push_str(" AND ");
            condition.push_str(on_sort_key);
            names.insert("#sk".to_owned(), range.sort_key.to_owned());
            values.extend(on_values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        // A global index cannot be read consistently.
        let is_global = range.partition_key != PK;
        self.client
            .query()
            .table_name(&self.id)
            .set_index_name(range.index.map(str::to_owned))
            .key_condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .scan_index_forward(range.forward)
            .consistent_read(!is_global)
    }

    pub(super) async fn put(&self, item: Item) -> Result<(), PortError> {
        let put = self.client.put_item().table_name(&self.id).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| port_error("write item of table", self.name, error))
    }

    /// `false` where there is such an item already.
    pub(super) async fn put_new(&self, item: Item) -> Result<bool, PortError> {
        let put = self.client.put_item().table_name(&self.id).set_item(Some(item));
        match put.condition_expression(format!("attribute_not_exists({PK})")).send().await {
            Ok(_) => Ok(true),
            Err(error) if code_of(&error) == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(port_error("write item of table", self.name, error)),
        }
    }

    /// `false` where there was none, or where the answer to a delete that did happen was lost.
    pub(super) async fn delete(&self, key: &Key) -> Result<bool, PortError> {
        let delete = self.client.delete_item().table_name(&self.id).set_key(Some(key.attributes()));
        match delete.condition_expression(format!("attribute_exists({PK})")).send().await {
            Ok(_) => Ok(true),
            Err(error) if code_of(&error) == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(port_error("delete item of table", self.name, error)),
        }
    }
}

/// How long to wait before a conditional write is tried anew: longer each time, and differently for each who waits.
pub(super) fn pause(attempt: u32) -> Duration {
    let most = 10_u64 << attempt.min(6);
    Duration::from_millis(rand::random_range(most / 2..=most))
}

/// Tries a conditional write until it is not `None`: until nobody changed what it rests on between reading and writing.
pub(super) async fn settle<T, F>(
    operation: &'static str,
    subject: &str,
    max_attempts: u32,
    mut attempt_once: impl FnMut() -> F,
) -> Result<T, PortError>
where
    F: Future<Output = Result<Option<T>, PortError>>,
{
    for attempt in 0..max_attempts {
        if let Some(settled) = attempt_once().await? {
            return Ok(settled);
        }
        tokio::time::sleep(pause(attempt)).await;
    }
    Err(PortError::transient(operation, subject, format!("others changed it {max_attempts} times meanwhile")))
}
