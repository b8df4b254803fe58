//! Files that are not what they should be, and the lock on the data directory.

use super::super::{DataDirLock, SqliteError};
use super::*;

fn open_error(dir: &TempDir) -> SqliteError {
    match SqliteDb::open(dir.path().join("mantissa.db"), Arc::new(TestClock::default())) {
        Ok(_) => panic!("the database should not open"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn database_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&dir));
    stranger(&dir).pragma_update(None, "user_version", 999).unwrap();
    let error = open_error(&dir);
    assert!(matches!(error, SqliteError::NewerSchema { found: 999, .. }), "{error}");
    assert!(error.to_string().contains("mantissa.db"), "{error}");
}

#[tokio::test]
async fn database_of_another_program_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    stranger(&dir).execute_batch("CREATE TABLE theirs (a)").unwrap();
    let error = open_error(&dir);
    assert!(matches!(error, SqliteError::NotOurs { .. }), "{error}");
    let n_tables: i64 = stranger(&dir).query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(n_tables, 1);
}

#[tokio::test]
async fn file_that_is_no_database_is_refused_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mantissa.db"), "this is not a database, ".repeat(1000)).unwrap();
    let error = open_error(&dir).to_string();
    assert!(error.contains("mantissa.db") && error.contains("corrupted"), "{error}");
}

#[tokio::test]
async fn missing_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none/mantissa.db");
    match SqliteDb::open(&path, Arc::new(TestClock::default())) {
        Ok(_) => panic!("the database should not open"),
        Err(error) => assert!(error.to_string().contains("none/mantissa.db"), "{error}"),
    }
}

#[cfg(unix)]
#[tokio::test]
async fn database_files_are_the_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let _db = open(&dir);
    for name in ["mantissa.db", "mantissa.db-wal"] {
        let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_first_opens_all_succeed() {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let opens = (0..8).map(|_| {
        let dir = dir.clone();
        tokio::task::spawn_blocking(move || drop(open(&dir)))
    });
    for opened in futures::future::join_all(opens).await {
        opened.unwrap();
    }
}

#[test]
fn second_lock_on_a_data_directory_names_directory_and_process() {
    let dir = tempfile::tempdir().unwrap();
    let first = DataDirLock::acquire(dir.path()).unwrap();
    let error = DataDirLock::acquire(dir.path()).unwrap_err().to_string();
    assert!(error.contains(&dir.path().display().to_string()), "{error}");
    assert!(error.contains(&std::process::id().to_string()), "{error}");
    drop(first);
    DataDirLock::acquire(dir.path()).unwrap();
}
