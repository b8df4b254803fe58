//! Objects in a directory.

use mantissa_embedded::FsObjectStorage;
use mantissa_ports::ObjectStorage;
use mantissa_ports::conformance::ObjectStorageFixture;
use std::sync::Arc;

struct Directory(tempfile::TempDir);

impl ObjectStorageFixture for Directory {
    fn open(&self) -> Arc<dyn ObjectStorage> {
        Arc::new(FsObjectStorage::new(self.0.path()))
    }
}

mantissa_ports::object_storage_conformance!(Directory(tempfile::tempdir().unwrap()));
