//! The ObjectStorage port on one bucket.

use crate::error::{code_of, port_error};
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use chrono::DateTime;
use mantissa_ports::object_storage::check_key;
use mantissa_ports::{ObjectStorage, PortError, StoredObject};

pub(super) const MISSING: &str = "NoSuchKey";

#[derive(Clone)]
pub struct S3ObjectStorage {
    client: Client,
    bucket: String,
}

impl S3ObjectStorage {
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }
}

#[async_trait]
impl ObjectStorage for S3ObjectStorage {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), PortError> {
        check_key("put object", key)?;
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(content));
        put.send().await.map(drop).map_err(|error| port_error("put object", key, error))
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, PortError> {
        check_key("get object", key)?;
        let found = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(found) => found,
            Err(error) if code_of(&error) == Some(MISSING) => return Ok(None),
            Err(error) => return Err(port_error("get object", key, error)),
        };
        let content = found.body.collect().await.map_err(|error| PortError::transient("get object", key, error))?;
        Ok(Some(content.into_bytes()))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<StoredObject>, PortError> {
        if let Some((folder, _)) = prefix.rsplit_once('/') {
            check_key("list objects", folder)?;
        }
        let mut pages = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).into_paginator().send();
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| port_error("list objects", prefix, error))?;
            for object in page.contents.unwrap_or_default() {
                let (Some(key), Some(modified)) = (object.key, object.last_modified) else { continue };
                let modified_at = DateTime::from_timestamp(modified.secs(), modified.subsec_nanos());
                objects.push(StoredObject {
                    key,
                    size_bytes: u64::try_from(object.size.unwrap_or_default()).unwrap_or_default(),
                    modified_at: modified_at.unwrap_or_default(),
                });
            }
        }
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        check_key("delete object", key)?;
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        delete.send().await.map(drop).map_err(|error| port_error("delete object", key, error))
    }
}
