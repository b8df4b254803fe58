//! The SecretStore port on an encrypted file.
//!
//! `secrets.json` holds each value sealed with ChaCha20-Poly1305 and bound to its name; `secrets.key` holds the key.
//! Both are their owner's only. A copy of one without the other tells nothing but names.
//! Every change replaces the whole file at once, under a lock, so other processes see the old one or the new one.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use mantissa_ports::{PortError, Secret, SecretStore};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

const SECRETS_FILE: &str = "secrets.json";
const KEY_FILE: &str = "secrets.key";
const LOCK_FILE: &str = "secrets.lock";

/// Secrets in a directory.
pub struct EncryptedFileSecretStore {
    dir: Arc<PathBuf>,
}

/// None of these holds a value or a part of one.
#[derive(Debug, Error)]
pub enum SecretStoreError {
    #[error("{operation} `{}`: {source}", path.display())]
    File { operation: &'static str, path: PathBuf, source: io::Error },
    #[error("read secrets file `{}`: line {line}, column {column}: not the JSON this version writes", path.display())]
    Malformed { path: PathBuf, line: usize, column: usize },
    #[error("read key file `{}`: expected 32 bytes in base64", path.display())]
    BadKey { path: PathBuf },
    #[error("`{}` is missing, so `{}` cannot be read", key.display(), secrets.display())]
    KeyMissing { key: PathBuf, secrets: PathBuf },
    #[error("the stored value was damaged or sealed with another key")]
    Unsealable,
    #[error("the system gave no random bytes")]
    NoRandomness,
    #[error("the task was stopped")]
    Stopped,
}

#[derive(Default, Serialize, Deserialize)]
struct SecretsFile {
    secrets: BTreeMap<String, Sealed>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    nonce: String,
    sealed: String,
}

impl EncryptedFileSecretStore {
    /// Uses the files in `dir`; they are made when the first secret is stored.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: Arc::new(dir.into()) }
    }

    async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        subject: &str,
        work: impl FnOnce(&Path) -> Result<T, SecretStoreError> + Send + 'static,
    ) -> Result<T, PortError> {
        let dir = self.dir.clone();
        let result = tokio::task::spawn_blocking(move || work(&dir)).await.unwrap_or(Err(SecretStoreError::Stopped));
        result.map_err(|error| match error {
            SecretStoreError::File { .. } | SecretStoreError::NoRandomness | SecretStoreError::Stopped => {
                PortError::transient(operation, subject, error)
            }
            _ => PortError::permanent(operation, subject, error),
        })
    }
}

#[async_trait]
impl SecretStore for EncryptedFileSecretStore {
    async fn get(&self, name: &str) -> Result<Option<Secret>, PortError> {
        let wanted = name.to_owned();
        let get = move |dir: &Path| match read_secrets(dir)?.secrets.get(&wanted) {
            Some(sealed) => Ok(Some(unseal(&read_key(dir)?, &wanted, sealed)?)),
            None => Ok(None),
        };
        self.run("read secret", name, get).await
    }

    async fn put(&self, name: &str, value: &Secret) -> Result<(), PortError> {
        let (stored, value) = (name.to_owned(), value.clone());
        let put = move |dir: &Path| {
            let _lock = lock(dir)?;
            let mut file = read_secrets(dir)?;
            let sealed = seal(&read_or_make_key(dir)?, &stored, &value)?;
            file.secrets.insert(stored, sealed);
            write_secrets(dir, &file)
        };
        self.run("store secret", name, put).await
    }

    async fn remove(&self, name: &str) -> Result<bool, PortError> {
        let removed = name.to_owned();
        let remove = move |dir: &Path| {
            let _lock = lock(dir)?;
            let mut file = read_secrets(dir)?;
            if file.secrets.remove(&removed).is_none() {
                return Ok(false);
            }
            write_secrets(dir, &file)?;
            Ok(true)
        };
        self.run("remove secret", name, remove).await
    }

    async fn names(&self) -> Result<Vec<String>, PortError> {
        self.run("list secrets", SECRETS_FILE, |dir| Ok(read_secrets(dir)?.secrets.into_keys().collect())).await
    }
}

fn seal(key: &LessSafeKey, name: &str, value: &Secret) -> Result<Sealed, SecretStoreError> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| SecretStoreError::NoRandomness)?;
    let mut bytes = value.expose().as_bytes().to_vec();
    // Binding the name keeps anyone from moving a value under another name in the file.
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(name.as_bytes()), &mut bytes)
        .map_err(|_| SecretStoreError::Unsealable)?;
    Ok(Sealed { nonce: BASE64.encode(nonce), sealed: BASE64.encode(bytes) })
}

fn unseal(key: &LessSafeKey, name: &str, sealed: &Sealed) -> Result<Secret, SecretStoreError> {
    let nonce = BASE64.decode(&sealed.nonce).ok().and_then(|bytes| Nonce::try_assume_unique_for_key(&bytes).ok());
    let nonce = nonce.ok_or(SecretStoreError::Unsealable)?;
    let mut bytes = BASE64.decode(&sealed.sealed).map_err(|_| SecretStoreError::Unsealable)?;
    let plain =
        key.open_in_place(nonce, Aad::from(name.as_bytes()), &mut bytes).map_err(|_| SecretStoreError::Unsealable)?;
    let text = std::str::from_utf8(plain).map_err(|_| SecretStoreError::Unsealable)?;
    Ok(Secret::new(text))
}

fn read_secrets(dir: &Path) -> Result<SecretsFile, SecretStoreError> {
    let path = dir.join(SECRETS_FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(SecretsFile::default()),
        Err(source) => return Err(SecretStoreError::File { operation: "read secrets file", path, source }),
    };
    serde_json::from_slice(&text).map_err(|error| SecretStoreError::Malformed {
        path,
        line: error.line(),
        column: error.column(),
    })
}

fn write_secrets(dir: &Path, file: &SecretsFile) -> Result<(), SecretStoreError> {
    let failed =
        |source| SecretStoreError::File { operation: "write secrets file", path: dir.join(SECRETS_FILE), source };
    let text = serde_json::to_vec_pretty(file).map_err(|error| failed(error.into()))?;
    replace(dir, SECRETS_FILE, &text).map_err(failed)
}

fn read_key(dir: &Path) -> Result<LessSafeKey, SecretStoreError> {
    let path = dir.join(KEY_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SecretStoreError::KeyMissing { key: path, secrets: dir.join(SECRETS_FILE) });
        }
        Err(source) => return Err(SecretStoreError::File { operation: "read key file", path, source }),
    };
    let bytes = BASE64.decode(text.trim()).map_err(|_| SecretStoreError::BadKey { path: path.clone() })?;
    let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| SecretStoreError::BadKey { path })?;
    Ok(LessSafeKey::new(key))
}

/// Makes a key only where nothing was sealed yet: a new one would hide from the user that the old one is lost.
fn read_or_make_key(dir: &Path) -> Result<LessSafeKey, SecretStoreError> {
    let path = dir.join(KEY_FILE);
    if !path.exists() && read_secrets(dir)?.secrets.is_empty() {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| SecretStoreError::NoRandomness)?;
        replace(dir, KEY_FILE, BASE64.encode(bytes).as_bytes()).map_err(|source| SecretStoreError::File {
            operation: "write key file",
            path,
            source,
        })?;
    }
    read_key(dir)
}

/// Held during read-change-write, so that two processes do not undo each other's change.
fn lock(dir: &Path) -> Result<File, SecretStoreError> {
    let path = dir.join(LOCK_FILE);
    let lock = || {
        let file = private().write(true).create(true).truncate(false).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    lock().map_err(|source| SecretStoreError::File { operation: "lock secrets file", path: path.clone(), source })
}

/// Writes a file beside, makes it durable, and puts it in the old one's place.
fn replace(dir: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let (path, new_path) = (dir.join(name), dir.join(format!("{name}.new")));
    let mut file = private().write(true).create(true).truncate(true).open(&new_path)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(new_path, path)?;
    File::open(dir)?.sync_all()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn stored(dir: &tempfile::TempDir) -> EncryptedFileSecretStore {
        let store = EncryptedFileSecretStore::new(dir.path());
        store.put("a", &Secret::new("value-of-a")).await.unwrap();
        store.put("b", &Secret::new("value-of-b")).await.unwrap();
        store
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn files_are_the_owners_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        stored(&dir).await;
        for name in [SECRETS_FILE, KEY_FILE] {
            let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[tokio::test]
    async fn value_moved_under_another_name_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = stored(&dir).await;
        let mut file = read_secrets(dir.path()).unwrap();
        let moved = file.secrets.remove("a").unwrap();
        file.secrets.insert("b".to_owned(), moved);
        write_secrets(dir.path(), &file).unwrap();
        let error = store.get("b").await.unwrap_err();
        assert!(!error.is_transient());
        assert!(!error.to_string().contains("value-of"), "{error}");
    }

    #[tokio::test]
    async fn lost_key_is_named_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let store = stored(&dir).await;
        fs::remove_file(dir.path().join(KEY_FILE)).unwrap();
        for error in [store.get("a").await.unwrap_err(), store.put("c", &Secret::new("x")).await.unwrap_err()] {
            assert!(error.to_string().contains(KEY_FILE), "{error}");
        }
        assert!(!dir.path().join(KEY_FILE).exists());
    }

    #[tokio::test]
    async fn malformed_file_is_an_error_with_its_position() {
        let dir = tempfile::tempdir().unwrap();
        let store = stored(&dir).await;
        fs::write(dir.path().join(SECRETS_FILE), "{\n  \"secrets\": 7\n}").unwrap();
        let error = store.get("a").await.unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
