//! Secrets by name.

use crate::PortError;
use async_trait::async_trait;
use std::fmt;

/// A secret's value. Shows itself as `***` in debug output and has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself. Call it where it is used, never to log, store or format.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Named secrets.
///
/// - [`get`](SecretStore::get) returns what the last [`put`](SecretStore::put) of that name stored, `None` when there
///   was none or it was removed.
/// - A stored value survives a restart and is not readable from the files of the store without its key.
/// - No error of a secret store holds a secret's value.
#[async_trait]
pub trait SecretStore: Send + Sync {
    async fn get(&self, name: &str) -> Result<Option<Secret>, PortError>;

    async fn put(&self, name: &str, value: &Secret) -> Result<(), PortError>;

    /// `false` when there was none of that name.
    async fn remove(&self, name: &str) -> Result<bool, PortError>;

    /// Names, sorted.
    async fn names(&self) -> Result<Vec<String>, PortError>;
}
