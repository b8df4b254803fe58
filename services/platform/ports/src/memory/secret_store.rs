//! Secrets in a map.

use super::locked;
use crate::{PortError, Secret, SecretStore};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
pub struct MemorySecretStore {
    secrets: Mutex<BTreeMap<String, Secret>>,
}

impl MemorySecretStore {
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl SecretStore for MemorySecretStore {
    async fn get(&self, name: &str) -> Result<Option<Secret>, PortError> {
        Ok(locked(&self.secrets).get(name).cloned())
    }

    async fn put(&self, name: &str, value: &Secret) -> Result<(), PortError> {
        locked(&self.secrets).insert(name.to_owned(), value.clone());
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<bool, PortError> {
        Ok(locked(&self.secrets).remove(name).is_some())
    }

    async fn names(&self) -> Result<Vec<String>, PortError> {
        Ok(locked(&self.secrets).keys().cloned().collect())
    }
}
