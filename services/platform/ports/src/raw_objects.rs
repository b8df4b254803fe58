//! Raw log objects, before they are ingested.

use crate::PortError;
use async_trait::async_trait;
use std::io::Read;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawObject {
    /// As [`RawObjectSource::open`] takes it.
    pub location: String,
    /// Changes when the object's content does.
    pub etag: String,
    pub size_bytes: u64,
}

/// Raw objects by location: a path on one machine, `s3://bucket/key` on AWS. They are read, never changed.
///
/// - [`open`](RawObjectSource::open) reads an object from its beginning; opened again, it reads the same bytes as long as
///   the object's etag is the same. It and the reader it returns block: call them where blocking is allowed. An object
///   that is not there is a permanent error.
/// - [`list`](RawObjectSource::list) returns every object at or below a location, sorted by location, without hidden ones
///   (a name that begins with a dot). An object that is still being written is listed; its etag changes until it is whole.
///   A location that is not there is a permanent error.
#[async_trait]
pub trait RawObjectSource: Send + Sync {
    fn open(&self, location: &str) -> Result<Box<dyn Read + Send>, PortError>;

    async fn list(&self, location: &str) -> Result<Vec<RawObject>, PortError>;
}
