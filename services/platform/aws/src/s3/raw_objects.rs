//! The RawObjectSource port: `s3://bucket/key` of any bucket the role may read.

use super::object_storage::MISSING;
use crate::error::{code_of, port_error};
use async_trait::async_trait;
use aws_sdk_s3::Client;
use bytes::{Buf as _, Bytes};
use mantissa_ports::{PortError, RawObject, RawObjectSource};
use std::io::{self, Read};
use std::sync::{Arc, mpsc};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Chunks read ahead of the reader.
const READ_AHEAD: usize = 8;
/// An object of gigabytes outlives connections: reading goes on where it broke off.
const MAX_RESUMES: u32 = 5;

pub struct S3RawObjectSource {
    client: Client,
    runtime: Handle,
}

impl S3RawObjectSource {
    /// Reads are carried out on the runtime this is called in.
    pub fn new(client: Client) -> Self {
        Self { client, runtime: Handle::current() }
    }
}

/// `s3://bucket/key` in its two parts.
fn split(operation: &'static str, location: &str) -> Result<(String, String), PortError> {
    match location.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
        Some((bucket, key)) if !bucket.is_empty() => Ok((bucket.to_owned(), key.to_owned())),
        _ => match location.strip_prefix("s3://") {
            Some(bucket) if !bucket.is_empty() => Ok((bucket.to_owned(), String::new())),
            _ => Err(PortError::permanent(operation, location, "expected `s3://bucket/key`")),
        },
    }
}

type Chunk = Result<(Bytes, OwnedSemaphorePermit), PortError>;

/// Chunks of an object, as they arrive. A permit is held for each chunk that nobody has read yet.
struct ObjectReader {
    chunks: mpsc::Receiver<Chunk>,
    current: Option<(Bytes, OwnedSemaphorePermit)>,
}

impl Read for ObjectReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some((chunk, _)) = &mut self.current
                && chunk.has_remaining()
            {
                let n_bytes = chunk.remaining().min(into.len());
                chunk.copy_to_slice(&mut into[..n_bytes]);
                return Ok(n_bytes);
            }
            self.current = match self.chunks.recv() {
                Ok(Ok(chunk)) => Some(chunk),
                Ok(Err(error)) => return Err(io::Error::other(error)),
                Err(mpsc::RecvError) => return Ok(0),
            };
        }
    }
}

struct Download {
    client: Client,
    location: String,
    bucket: String,
    key: String,
    chunks: mpsc::Sender<Chunk>,
    ahead: Arc<Semaphore>,
}

/// Why a download broke off: for good, or at a byte from which it can go on.
enum Broken {
    ForGood(PortError),
    At(PortError),
    NobodyReads,
}

impl Download {
    /// Says whether the object is there, then reads it to its end.
    async fn run(self, opened: mpsc::Sender<Result<(), PortError>>) {
        let mut opened = Some(opened);
        let (mut etag, mut offset, mut n_resumes) = (None, 0, 0);
        loop {
            match self.read_from(&mut offset, &mut etag, &mut opened).await {
                Ok(()) | Err(Broken::NobodyReads) => return,
                Err(Broken::At(_)) if n_resumes < MAX_RESUMES && opened.is_none() => n_resumes += 1,
                Err(Broken::At(error) | Broken::ForGood(error)) => {
                    // Whoever waits for either has gone when it cannot be sent.
                    match opened.take() {
                        Some(opened) => drop(opened.send(Err(error))),
                        None => drop(self.chunks.send(Err(error))),
                    }
                    return;
                }
            }
        }
    }

    async fn read_from(
        &self,
        offset: &mut u64,
        etag: &mut Option<String>,
        opened: &mut Option<mpsc::Sender<Result<(), PortError>>>,
    ) -> Result<(), Broken> {
        let mut get = self.client.get_object().bucket(&self.bucket).key(&self.key).set_if_match(etag.clone());
        if *offset > 0 {
            get = get.range(format!("bytes={offset}-"));
        }
        let mut found = get.send().await.map_err(|error| {
            let is_missing = code_of(&error) == Some(MISSING);
            let error = port_error("open raw object", &self.location, error);
            if error.is_transient() && !is_missing { Broken::At(error) } else { Broken::ForGood(error) }
        })?;
        *etag = found.e_tag.take();
        let length = found.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or(u64::MAX);
        let end = offset.saturating_add(length);
        if let Some(opened) = opened.take() {
            opened.send(Ok(())).map_err(|_| Broken::NobodyReads)?;
        }
        loop {
            let permit = self.ahead.clone().acquire_owned().await.map_err(|_| Broken::NobodyReads)?;
            match found.body.next().await {
                None => return Ok(()),
                Some(Ok(chunk)) => {
                    *offset += chunk.len() as u64;
                    self.chunks.send(Ok((chunk, permit))).map_err(|_| Broken::NobodyReads)?;
                }
                Some(Err(error)) => {
                    let error = PortError::transient("read raw object", &self.location, error);
                    // With every byte read there is nothing to go on with: its checksum is wrong.
                    return Err(if *offset >= end { Broken::ForGood(error) } else { Broken::At(error) });
                }
            }
        }
    }
}

#[async_trait]
impl RawObjectSource for S3RawObjectSource {
    fn open(&self, location: &str) -> Result<Box<dyn Read + Send>, PortError> {
        let (bucket, key) = split("open raw object", location)?;
        let (sender, chunks) = mpsc::channel();
        let (opened, is_open) = mpsc::channel();
        let download = Download {
            client: self.client.clone(),
            location: location.to_owned(),
            bucket,
            key,
            chunks: sender,
            ahead: Arc::new(Semaphore::new(READ_AHEAD)),
        };
        self.runtime.spawn(download.run(opened));
        let stopped = |_| PortError::transient("open raw object", location, "the runtime is being shut down");
        is_open.recv().map_err(stopped)??;
        Ok(Box::new(ObjectReader { chunks, current: None }))
    }

    async fn list(&self, location: &str) -> Result<Vec<RawObject>, PortError> {
        let (bucket, key) = split("list raw objects", location)?;
        let key = key.trim_end_matches('/');
        let mut pages = self.client.list_objects_v2().bucket(&bucket).prefix(key).into_paginator().send();
        let (mut objects, mut is_there) = (Vec::new(), key.is_empty());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| port_error("list raw objects", location, error))?;
            for object in page.contents.unwrap_or_default() {
                let (Some(name), Some(etag)) = (object.key, object.e_tag) else { continue };
                // `log` begins `log.1` too, which is not below it.
                let below = name.strip_prefix(key).unwrap_or(&name);
                if !(below.is_empty() || key.is_empty() || below.starts_with('/')) {
                    continue;
                }
                is_there = true;
                // A name that ends with a slash is how consoles show an empty folder.
                if below.split('/').any(|segment| segment.starts_with('.')) || name.ends_with('/') {
                    continue;
                }
                objects.push(RawObject {
                    location: format!("s3://{bucket}/{name}"),
                    etag,
                    size_bytes: u64::try_from(object.size.unwrap_or_default()).unwrap_or_default(),
                });
            }
        }
        if !is_there {
            return Err(PortError::permanent("list raw objects", location, "there is no such object or folder"));
        }
        objects.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(objects)
    }
}
