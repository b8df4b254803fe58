//! A folder that is polled for new objects.

use crate::{Error, IngestDeps};
use mantissa_contracts::messages::ObjectReceived;
use mantissa_contracts::time::Instant;
use mantissa_ports::RawObject;
use std::collections::HashMap;

/// What was seen of a folder. Forgotten with the process: an object that is announced again is recognised by its content.
#[derive(Debug)]
pub struct FolderWatch {
    location: String,
    source: String,
    seen: HashMap<String, Seen>,
}

#[derive(Debug)]
struct Seen {
    etag: String,
    announced: bool,
}

impl FolderWatch {
    /// `source` is `auto` or a log source's name.
    pub fn new(location: impl Into<String>, source: impl Into<String>) -> Self {
        Self { location: location.into(), source: source.into(), seen: HashMap::new() }
    }

    /// Objects that are new or changed, and did not change between the last two polls: whoever writes them has finished.
    /// Each is returned by every poll until [`announced`](Self::announced) says that its message is durable.
    pub async fn poll(&mut self, deps: &IngestDeps) -> Result<Vec<ObjectReceived>, Error> {
        let objects = deps.raw_objects.list(&self.location).await?;
        let now = deps.clock.now();
        let mut seen = HashMap::with_capacity(objects.len());
        let mut ready = Vec::new();
        for object in objects {
            let announced = match self.seen.remove(&object.location) {
                Some(before) if before.etag == object.etag => {
                    if !before.announced {
                        ready.push(received_object(&object, &self.source, now));
                    }
                    before.announced
                }
                _ => false,
            };
            seen.insert(object.location, Seen { etag: object.etag, announced });
        }
        self.seen = seen;
        Ok(ready)
    }

    /// The object's message is in the queue.
    pub fn announced(&mut self, object: &ObjectReceived) {
        if let Some(seen) = self.seen.get_mut(&object.location)
            && seen.etag == object.etag
        {
            seen.announced = true;
        }
    }
}

/// The message that says an object is there.
pub fn received_object(object: &RawObject, source: &str, now: Instant) -> ObjectReceived {
    ObjectReceived {
        location: object.location.clone(),
        etag: object.etag.clone(),
        size_bytes: object.size_bytes,
        received_at: now,
        source: source.to_owned(),
    }
}
