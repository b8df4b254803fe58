//! Objects by key: the lake's files and the quarantine.

use crate::PortError;
use async_trait::async_trait;
use bytes::Bytes;
use mantissa_contracts::time::Instant;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    pub key: String,
    pub size_bytes: u64,
    pub modified_at: Instant,
}

/// Whether a key stays in the store, whatever the store is.
pub fn check_key(operation: &'static str, key: &str) -> Result<(), PortError> {
    match key.split('/').find(|segment| segment.is_empty() || *segment == "." || *segment == "..") {
        Some(segment) => {
            Err(PortError::permanent(operation, key, format!("the key's segment `{segment}` is not allowed")))
        }
        None => Ok(()),
    }
}

/// Objects under `/`-separated keys.
///
/// - A [`put`](ObjectStorage::put) is atomic: a reader sees the whole old object or the whole new one, also when the
///   process dies halfway. `Ok` means it is durable.
/// - [`get`](ObjectStorage::get) of a key that is not there is `None`, also when other keys begin with it and a `/`.
/// - [`list`](ObjectStorage::list) returns every object whose key starts with the prefix, sorted by key, and nothing
///   that a put has not finished.
/// - [`delete`](ObjectStorage::delete) of a key that is not there is `Ok`.
/// - A key that would leave the store (`..`, an absolute path, an empty segment) is a permanent error.
#[async_trait]
pub trait ObjectStorage: Send + Sync {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), PortError>;

    async fn get(&self, key: &str) -> Result<Option<Bytes>, PortError>;

    async fn list(&self, prefix: &str) -> Result<Vec<StoredObject>, PortError>;

    async fn delete(&self, key: &str) -> Result<(), PortError>;
}
