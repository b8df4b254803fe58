//! Raw objects as files.

use crate::object_storage::port_error;
use async_trait::async_trait;
use mantissa_ports::{PortError, RawObject, RawObjectSource};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Locations are paths of this machine; an etag is size and modification time.
#[derive(Debug, Clone, Copy, Default)]
pub struct FsRawObjectSource;

#[async_trait]
impl RawObjectSource for FsRawObjectSource {
    fn open(&self, location: &str) -> Result<Box<dyn Read + Send>, PortError> {
        let opened = File::open(location).and_then(|file| {
            // A directory can be opened, but not read.
            if file.metadata()?.is_dir() { Err(io::Error::from(ErrorKind::IsADirectory)) } else { Ok(file) }
        });
        match opened {
            Ok(file) => Ok(Box::new(file)),
            Err(e) => Err(port_error("open raw object", location, e)),
        }
    }

    async fn list(&self, location: &str) -> Result<Vec<RawObject>, PortError> {
        let path = location.to_owned();
        let listed = tokio::task::spawn_blocking(move || {
            let mut objects = Vec::new();
            list_path(Path::new(&path), true, &mut objects)?;
            objects.sort_by(|a: &RawObject, b| a.location.cmp(&b.location));
            Ok(objects)
        });
        match listed.await {
            Ok(Ok(objects)) => Ok(objects),
            Ok(Err(e)) => Err(port_error("list raw objects", location, e)),
            Err(e) => Err(PortError::transient("list raw objects", location, e)),
        }
    }
}

fn list_path(path: &Path, is_root: bool, objects: &mut Vec<RawObject>) -> io::Result<()> {
    // A linked folder is entered only where it was named: a link to a folder above would never end.
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        // Gone since it was listed, or a link that leads nowhere.
        Err(e) if e.kind() == ErrorKind::NotFound && !is_root => return Ok(()),
        Err(e) => return Err(e),
    };
    if metadata.is_file() {
        // A path that is not text cannot be a location; the error names it rather than passing it over.
        let location = path.to_str().ok_or_else(|| {
            io::Error::new(ErrorKind::InvalidFilename, format!("the name {} is not valid UTF-8", path.display()))
        })?;
        objects.push(RawObject {
            location: location.to_owned(),
            etag: etag_of(&metadata)?,
            size_bytes: metadata.len(),
        });
    } else if metadata.is_dir() && (is_root || !path.is_symlink()) {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with('.') {
                list_path(&entry.path(), false, objects)?;
            }
        }
    }
    Ok(())
}

fn etag_of(metadata: &Metadata) -> io::Result<String> {
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(format!("{}-{}", metadata.len(), modified.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lists_files_below_sorted_without_hidden_ones_and_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("b/c")).unwrap();
        for name in ["b/c/2.json", "b/1.json", ".hidden", "a.json"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let source = FsRawObjectSource;
        let objects = source.list(folder.path().to_str().unwrap()).await.unwrap();
        let names: Vec<_> = objects.iter().map(|o| o.location.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["a.json", "1.json", "2.json"]);
        let mut text = String::new();
        source.open(&objects[1].location).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "b/1.json");
        let single = source.list(&objects[0].location).await.unwrap();
        assert_eq!(single, objects[..1]);
        fs::write(&objects[0].location, "longer than before").unwrap();
        assert_ne!(source.list(&objects[0].location).await.unwrap()[0].etag, single[0].etag);
    }

    #[tokio::test]
    async fn what_is_not_there_is_a_permanent_error() {
        let source = FsRawObjectSource;
        assert!(!source.open("/nowhere/at/all").err().unwrap().is_transient());
        assert!(!source.open("/").err().unwrap().is_transient());
        assert!(!source.list("/nowhere/at/all").await.unwrap_err().is_transient());
    }
}
