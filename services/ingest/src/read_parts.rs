//! Parsing on a thread of its own, parts handed over one at a time.

use crate::{Error, IngestDeps};
use mantissa_contracts::ids::ObjectId;
use mantissa_lake::LakeError;
use mantissa_lake::parse::{ObjectContext, Part, PartLimits, ReadSummary, read_object};
use mantissa_ports::RawObjectSource;
use sha2::{Digest, Sha256};
use std::io::{Cursor, Read};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// An object whose digest is known.
pub(crate) struct HashedObject {
    pub(crate) object_id: ObjectId,
    pub(crate) size_bytes: u64,
    /// Its bytes, if there are few.
    content: Option<Vec<u8>>,
}

/// Digests an object, and holds on to it if it is small.
pub(crate) async fn hash_object(deps: &IngestDeps, location: &str) -> Result<HashedObject, Error> {
    let (source, held_bytes, path) = (deps.raw_objects.clone(), deps.config.held_bytes, location.to_owned());
    let hashed = tokio::task::spawn_blocking(move || hash(source.as_ref(), &path, held_bytes));
    hashed.await.map_err(|source| Error::Thread { location: location.to_owned(), source })?
}

fn hash(source: &dyn RawObjectSource, location: &str, held_bytes: u64) -> Result<HashedObject, Error> {
    let failed = |source| Error::ReadObject { location: location.to_owned(), source };
    let mut input = source.open(location)?;
    let mut content = Vec::new();
    input.by_ref().take(held_bytes + 1).read_to_end(&mut content).map_err(failed)?;
    let mut digest = Sha256::new();
    digest.update(&content);
    let mut size_bytes = content.len() as u64;
    if size_bytes <= held_bytes {
        return Ok(HashedObject { object_id: object_id(&digest.finalize()), size_bytes, content: Some(content) });
    }
    drop(content);
    let mut chunk = vec![0; 1024 * 1024];
    loop {
        match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(n_bytes) => {
                digest.update(&chunk[..n_bytes]);
                size_bytes += n_bytes as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(failed(e)),
        }
    }
    Ok(HashedObject { object_id: object_id(&digest.finalize()), size_bytes, content: None })
}

/// Half of the digest: 128 bits are identity enough, and keys stay readable.
fn object_id(digest: &[u8]) -> ObjectId {
    ObjectId::new(digest[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Parts of an object that is being read.
pub(crate) struct Parts {
    location: String,
    parts: mpsc::Receiver<Part>,
    reading: JoinHandle<Result<ReadSummary, Error>>,
}

impl Parts {
    pub(crate) fn read(deps: &IngestDeps, object: HashedObject, context: ObjectContext) -> Self {
        // One part is parsed while the one before is committed; none waits in between.
        let (sender, parts) = mpsc::channel(1);
        let (source, limits, location) = (deps.raw_objects.clone(), deps.config.part_limits, context.location.clone());
        let reading = tokio::task::spawn_blocking(move || read(&source, object, &context, limits, &sender));
        Self { location, parts, reading }
    }

    pub(crate) async fn next(&mut self) -> Option<Part> {
        self.parts.recv().await
    }

    /// After the last part: how the reading ended.
    pub(crate) async fn finish(self) -> Result<ReadSummary, Error> {
        self.reading.await.map_err(|source| Error::Thread { location: self.location, source })?
    }
}

/// Why reading stops before the end.
enum Stop {
    Lake(LakeError),
    /// Nobody takes the parts any more: committing one failed, and that error is told.
    NobodyListens,
}

impl From<LakeError> for Stop {
    fn from(error: LakeError) -> Self {
        Self::Lake(error)
    }
}

fn read(
    source: &Arc<dyn RawObjectSource>,
    object: HashedObject,
    context: &ObjectContext,
    limits: PartLimits,
    sender: &mpsc::Sender<Part>,
) -> Result<ReadSummary, Error> {
    let input: Box<dyn Read + Send> = match object.content {
        Some(content) => Box::new(Cursor::new(content)),
        None => source.open(&context.location)?,
    };
    let mut hand_over = |part| sender.blocking_send(part).map_err(|_| Stop::NobodyListens);
    read_object(input, context, limits, &mut hand_over).map_err(|stop| match stop {
        Stop::Lake(source) => Error::Lake { location: context.location.clone(), source },
        Stop::NobodyListens => Error::ReadObject {
            location: context.location.clone(),
            source: std::io::Error::other("committing its parts has stopped"),
        },
    })
}
