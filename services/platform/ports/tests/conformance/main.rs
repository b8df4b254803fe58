//! The fakes pass the suites of the ports they stand for.

use mantissa_ports::conformance::{MemoryFixture, ObjectStorageFixture, RawObjectFixture, SecretStoreFixture};
use mantissa_ports::memory::{MemoryObjectStorage, MemoryRawObjects, MemorySecretStore, TestClock};
use mantissa_ports::{ObjectStorage, RawObjectSource, SecretStore, SystemClock};
use std::sync::Arc;

mantissa_ports::store_and_queue_conformance!(MemoryFixture::new());

struct Objects(Arc<MemoryObjectStorage>);

impl ObjectStorageFixture for Objects {
    fn open(&self) -> Arc<dyn ObjectStorage> {
        self.0.clone()
    }
}

mod object_storage {
    use super::*;

    mantissa_ports::object_storage_conformance!(Objects(Arc::new(MemoryObjectStorage::new(Arc::new(
        TestClock::default()
    )))));
}

struct RawObjects(Arc<MemoryRawObjects>);

impl RawObjectFixture for RawObjects {
    fn source(&self) -> Arc<dyn RawObjectSource> {
        self.0.clone()
    }

    fn root(&self) -> String {
        "bucket".to_owned()
    }

    fn put(&self, name: &str, content: &[u8]) {
        self.0.put(&format!("bucket/{name}"), content);
    }
}

mod raw_objects {
    use super::*;

    mantissa_ports::raw_object_conformance!(RawObjects(Arc::default()));
}

struct Secrets(Arc<MemorySecretStore>);

impl SecretStoreFixture for Secrets {
    fn open(&self) -> Arc<dyn SecretStore> {
        self.0.clone()
    }

    fn stored_bytes(&self) -> Option<Vec<u8>> {
        None
    }
}

mod secret_store {
    use super::*;

    mantissa_ports::secret_store_conformance!(Secrets(Arc::new(MemorySecretStore::new())));
}

mod system_clock {
    use super::*;

    mantissa_ports::clock_conformance!(SystemClock);
}

mod test_clock {
    use super::*;

    mantissa_ports::clock_conformance!(TestClock::default());
}
