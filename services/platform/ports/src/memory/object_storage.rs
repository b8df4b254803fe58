//! Objects in a map.

use super::locked;
use crate::object_storage::check_key;
use crate::{Clock, ObjectStorage, PortError, StoredObject};
use async_trait::async_trait;
use bytes::Bytes;
use mantissa_contracts::time::Instant;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub struct MemoryObjectStorage {
    clock: Arc<dyn Clock>,
    objects: Mutex<BTreeMap<String, (Bytes, Instant)>>,
}

impl MemoryObjectStorage {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, objects: Mutex::default() }
    }
}

#[async_trait]
impl ObjectStorage for MemoryObjectStorage {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), PortError> {
        check_key("put object", key)?;
        locked(&self.objects).insert(key.to_owned(), (content, self.clock.now()));
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, PortError> {
        check_key("get object", key)?;
        Ok(locked(&self.objects).get(key).map(|(content, _)| content.clone()))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<StoredObject>, PortError> {
        let objects = locked(&self.objects);
        let matching = objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(matching
            .map(|(key, (content, modified_at))| StoredObject {
                key: key.clone(),
                size_bytes: content.len() as u64,
                modified_at: *modified_at,
            })
            .collect())
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        check_key("delete object", key)?;
        locked(&self.objects).remove(key);
        Ok(())
    }
}
