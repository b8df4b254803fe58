//! Secrets in an encrypted file.

use mantissa_embedded::EncryptedFileSecretStore;
use mantissa_ports::SecretStore;
use mantissa_ports::conformance::SecretStoreFixture;
use std::sync::Arc;

struct Files(tempfile::TempDir);

impl SecretStoreFixture for Files {
    fn open(&self) -> Arc<dyn SecretStore> {
        Arc::new(EncryptedFileSecretStore::new(self.0.path()))
    }

    fn stored_bytes(&self) -> Option<Vec<u8>> {
        Some(std::fs::read(self.0.path().join("secrets.json")).unwrap_or_default())
    }

    fn outlives_its_process(&self) -> bool {
        true
    }
}

mantissa_ports::secret_store_conformance!(Files(tempfile::tempdir().unwrap()));
