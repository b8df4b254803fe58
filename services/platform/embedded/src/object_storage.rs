//! Objects as files below a directory.
//!
//! A put writes a file of another name in the same directory, makes it durable, renames it and makes the name durable:
//! whenever the process dies, the old object or the new one is there, and at worst a temporary file, which is not listed.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use mantissa_ports::{ObjectStorage, PortError, StoredObject};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const TEMPORARY: &str = ".tmp-";

#[derive(Debug, Clone)]
pub struct FsObjectStorage {
    root: PathBuf,
}

impl FsObjectStorage {
    /// The directory is made with the first put.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn path_of(&self, operation: &'static str, key: &str) -> Result<PathBuf, PortError> {
        let is_bad = |segment: &str| {
            segment.is_empty()
                || segment == "."
                || segment == ".."
                || segment.starts_with(TEMPORARY)
                || segment.contains(['\\', '\0', ':'])
        };
        match key.split('/').find(|segment| is_bad(segment)) {
            Some(segment) => Err(PortError::permanent(
                operation,
                key,
                format!("the key's segment `{}` is not allowed", segment.escape_debug()),
            )),
            None => Ok(self.root.join(key)),
        }
    }
}

#[async_trait]
impl ObjectStorage for FsObjectStorage {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), PortError> {
        let path = self.path_of("put object", key)?;
        blocking("put object", key, move || put_file(&path, &content)).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, PortError> {
        let path = self.path_of("get object", key)?;
        blocking("get object", key, move || absent_is_none(fs::read(path)).map(|content| content.map(Bytes::from)))
            .await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<StoredObject>, PortError> {
        // Only the part before the last `/` names directories; they must not leave the store either.
        let folder = match prefix.rsplit_once('/') {
            Some((folder, _)) if !folder.is_empty() => self.path_of("list objects", folder)?,
            Some(_) => return Err(PortError::permanent("list objects", prefix, "the key's segment `` is not allowed")),
            None => self.root.clone(),
        };
        let (root, wanted) = (self.root.clone(), prefix.to_owned());
        blocking("list objects", prefix, move || {
            let mut objects = Vec::new();
            list_folder(&root, &folder, &wanted, &mut objects)?;
            objects.sort_by(|a, b| a.key.cmp(&b.key));
            Ok(objects)
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        let path = self.path_of("delete object", key)?;
        blocking("delete object", key, move || absent_is_none(fs::remove_file(path)).map(|_| ())).await
    }
}

async fn blocking<T: Send + 'static>(
    operation: &'static str,
    subject: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, PortError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(e)) => Err(port_error(operation, subject, e)),
        Err(e) => Err(PortError::transient(operation, subject, e)),
    }
}

pub(crate) fn port_error(operation: &'static str, subject: &str, error: io::Error) -> PortError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            PortError::transient(operation, subject, format!("the disk is full: {error}"))
        }
        ErrorKind::PermissionDenied
        | ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::InvalidInput
        | ErrorKind::InvalidFilename
        | ErrorKind::ReadOnlyFilesystem => PortError::permanent(operation, subject, error),
        _ => PortError::transient(operation, subject, error),
    }
}

/// A folder on the way to objects is no object, and nothing is below an object.
fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory) => {
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

fn put_file(path: &Path, content: &[u8]) -> io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "the key names no file"));
    };
    make_folder(folder)?;
    let unique = COUNTER.fetch_add(1, Ordering::Relaxed);
    let temporary = folder.join(format!("{TEMPORARY}{}-{unique}-{}.part", std::process::id(), name.to_string_lossy()));
    let written = write_durably(&temporary, content).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // On a full disk what was written must not stay; when even this fails, the first error says more.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes a folder and those above it, each name durable.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => return Ok(()),
        made => made?,
    }
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn list_folder(root: &Path, folder: &Path, prefix: &str, objects: &mut Vec<StoredObject>) -> io::Result<()> {
    let Some(entries) = absent_is_none(fs::read_dir(folder))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let Some(key) = path.strip_prefix(root).ok().and_then(|key| key.to_str()).map(str::to_owned) else { continue };
        // A folder is entered when it can hold keys of that prefix.
        if !key.starts_with(prefix) && !prefix.starts_with(&key) {
            continue;
        }
        // What was deleted meanwhile is not there.
        let Some(metadata) = absent_is_none(entry.metadata())? else { continue };
        if metadata.is_dir() {
            list_folder(root, &path, prefix, objects)?;
        } else if key.starts_with(prefix) && !entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let modified_at: DateTime<Utc> = metadata.modified()?.into();
            objects.push(StoredObject { key, size_bytes: metadata.len(), modified_at });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn puts_replace_whole_objects_and_lists_are_sorted_without_temporary_files() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FsObjectStorage::new(folder.path().join("lake"));
        assert!(storage.list("").await.unwrap().is_empty());
        for key in ["t/b=2/x", "t/b=1/x", "t/b=1/w", "tt/x"] {
            storage.put(key, Bytes::from_static(b"old")).await.unwrap();
        }
        storage.put("t/b=1/x", Bytes::from_static(b"newer")).await.unwrap();
        fs::write(folder.path().join("lake/t/b=1/.tmp-1-1-x"), b"half").unwrap();
        assert_eq!(storage.get("t/b=1/x").await.unwrap().unwrap(), "newer");
        let keys = |objects: Vec<StoredObject>| objects.into_iter().map(|object| object.key).collect::<Vec<_>>();
        assert_eq!(keys(storage.list("t/").await.unwrap()), ["t/b=1/w", "t/b=1/x", "t/b=2/x"]);
        assert_eq!(keys(storage.list("t/b=1/w").await.unwrap()), ["t/b=1/w"]);
        assert_eq!(keys(storage.list("t").await.unwrap()).len(), 4);
        storage.delete("t/b=1/x").await.unwrap();
        storage.delete("t/b=1/x").await.unwrap();
        assert_eq!(storage.get("t/b=1/x").await.unwrap(), None);
        assert_eq!(storage.list("t/b=1/").await.unwrap()[0].size_bytes, 3);
    }

    #[tokio::test]
    async fn keys_that_leave_the_store_are_permanent_errors() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FsObjectStorage::new(folder.path().join("lake"));
        for key in ["../x", "a/../../x", "/etc/x", "a//b", "", "a/.", "a/.tmp-x"] {
            assert!(!storage.put(key, Bytes::new()).await.unwrap_err().is_transient(), "{key}");
            assert!(!storage.get(key).await.unwrap_err().is_transient(), "{key}");
            assert!(!storage.delete(key).await.unwrap_err().is_transient(), "{key}");
        }
        assert!(storage.list("../").await.is_err());
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    }

    #[test]
    fn full_disk_is_transient_and_says_so() {
        let error = port_error("put object", "k", io::Error::from(ErrorKind::StorageFull));
        assert!(error.is_transient());
        assert!(error.to_string().contains("disk is full"), "{error}");
        // A device that is always full: the real error of the real system call.
        if Path::new("/dev/full").exists() {
            let error = fs::OpenOptions::new().write(true).open("/dev/full").unwrap().write_all(b"x").unwrap_err();
            assert!(port_error("put object", "k", error).to_string().contains("disk is full"));
        }
    }
}
