//! The fakes pass the suites of the ports they stand for.

use mantissa_ports::conformance::{MemoryFixture, ObjectStorageFixture, SecretStoreFixture};
use mantissa_ports::memory::{MemoryObjectStorage, MemorySecretStore, TestClock};
use mantissa_ports::{ObjectStorage, SecretStore, SystemClock};
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
