//! One process serves a data directory.

use super::error::SqliteError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

const LOCK_FILE: &str = "mantissa.lock";

/// The exclusive use of a data directory, until dropped. The system lets go of it when the process dies.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

impl DataDirLock {
    pub fn acquire(dir: impl AsRef<Path>) -> Result<Self, SqliteError> {
        let dir = dir.as_ref();
        let failed = |source: io::Error| SqliteError::Lock { dir: dir.to_owned(), source };
        let path = dir.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        // Not truncated on opening: until the lock is ours, the text is that of its holder.
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(SqliteError::InUse { dir: dir.to_owned(), pid: read_pid(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        write_pid(&mut file).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    file.flush()
}

fn read_pid(file: &mut File) -> String {
    let mut text = String::new();
    // The number helps a person; that the directory is in use is known without it.
    let _ = file.take(32).read_to_string(&mut text);
    let pid = text.trim();
    if pid.is_empty() { "unknown".to_owned() } else { pid.to_owned() }
}
