//! What the stage needs from the world.

use crate::IngestConfig;
use mantissa_ports::stores::IngestStore;
use mantissa_ports::{Clock, ObjectStorage, RawObjectSource};
use std::sync::Arc;

#[derive(Clone)]
pub struct IngestDeps {
    pub raw_objects: Arc<dyn RawObjectSource>,
    /// The lake's files, at `<table>/…`.
    pub lake: Arc<dyn ObjectStorage>,
    /// The quarantine, at `quarantine/…`. Kept apart from the lake, or the same storage.
    pub quarantine: Arc<dyn ObjectStorage>,
    pub ingests: Arc<dyn IngestStore>,
    pub clock: Arc<dyn Clock>,
    pub config: IngestConfig,
}
