//! Raw objects in a map.

use super::locked;
use crate::{PortError, RawObject, RawObjectSource};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Mutex;

#[derive(Debug, Default)]
pub struct MemoryRawObjects {
    objects: Mutex<BTreeMap<String, Stored>>,
}

#[derive(Debug, Clone)]
struct Stored {
    content: Vec<u8>,
    /// How often it was written.
    version: u64,
}

impl MemoryRawObjects {
    pub fn put(&self, location: &str, content: impl AsRef<[u8]>) {
        let mut objects = locked(&self.objects);
        let version = objects.get(location).map_or(0, |stored| stored.version) + 1;
        objects.insert(location.to_owned(), Stored { content: content.as_ref().to_vec(), version });
    }
}

#[async_trait]
impl RawObjectSource for MemoryRawObjects {
    fn open(&self, location: &str) -> Result<Box<dyn Read + Send>, PortError> {
        match locked(&self.objects).get(location) {
            Some(stored) => Ok(Box::new(Cursor::new(stored.content.clone()))),
            None => Err(PortError::permanent("open raw object", location, "it is not there")),
        }
    }

    async fn list(&self, location: &str) -> Result<Vec<RawObject>, PortError> {
        let objects = locked(&self.objects);
        let mut found = Vec::new();
        let mut is_there = false;
        for (name, stored) in objects.iter() {
            let Some(below) = name.strip_prefix(location) else { continue };
            if !(below.is_empty() || below.starts_with('/') || location.ends_with('/')) {
                continue;
            }
            is_there = true;
            if !below.split('/').any(|part| part.starts_with('.')) {
                found.push(RawObject {
                    location: name.clone(),
                    etag: format!("{}-{}", stored.content.len(), stored.version),
                    size_bytes: stored.content.len() as u64,
                });
            }
        }
        match is_there {
            true => Ok(found),
            false => Err(PortError::permanent("list raw objects", location, "it is not there")),
        }
    }
}
