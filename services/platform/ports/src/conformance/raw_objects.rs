//! The contract of the RawObjectSource port.

use super::RawObjectFixture;
use crate::PortError;
use std::io::Read as _;

#[macro_export]
macro_rules! raw_object_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { raw_objects, [$($how)*],
            open_reads_from_the_beginning_each_time
            open_of_what_is_not_there_is_a_permanent_error
            list_has_every_object_at_or_below_sorted
            list_of_a_name_that_another_begins_with_has_one
            hidden_objects_are_not_listed
            etag_changes_with_the_content_and_only_then
            list_of_what_is_not_there_is_a_permanent_error
        }
    };
}

/// The names of what is listed, below the fixture's root.
async fn names(fixture: &dyn RawObjectFixture, location: &str) -> Vec<String> {
    let listed = fixture.source().list(location).await.unwrap();
    let below = |location: &str| location.strip_prefix(&fixture.root()).unwrap().trim_start_matches('/').to_owned();
    listed.iter().map(|object| below(&object.location)).collect()
}

fn at(fixture: &dyn RawObjectFixture, name: &str) -> String {
    format!("{}/{name}", fixture.root())
}

/// Reads an object where blocking is allowed. On a worker of the runtime it may wait for ever for a task that the same
/// worker is to run next.
async fn read(fixture: &dyn RawObjectFixture, name: &str) -> Result<Vec<u8>, PortError> {
    let (source, location) = (fixture.source(), at(fixture, name));
    let read = tokio::task::spawn_blocking(move || {
        let mut content = Vec::new();
        source.open(&location)?.read_to_end(&mut content).unwrap();
        Ok(content)
    });
    read.await.unwrap()
}

pub async fn open_reads_from_the_beginning_each_time(fixture: &dyn RawObjectFixture) {
    fixture.put("a", b"\x00\xff binary");
    for _ in 0..2 {
        assert_eq!(read(fixture, "a").await.unwrap(), b"\x00\xff binary");
    }
}

pub async fn open_of_what_is_not_there_is_a_permanent_error(fixture: &dyn RawObjectFixture) {
    fixture.put("folder/a", b"x");
    for name in ["missing", "folder", "folder/a/b"] {
        let error = read(fixture, name).await.expect_err(name);
        assert!(!error.is_transient() && error.to_string().contains(name), "{name}: {error}");
    }
}

pub async fn list_has_every_object_at_or_below_sorted(fixture: &dyn RawObjectFixture) {
    for name in ["b/c/2", "b/1", "a", "c"] {
        fixture.put(name, name.as_bytes());
    }
    assert_eq!(names(fixture, &fixture.root()).await, ["a", "b/1", "b/c/2", "c"]);
    assert_eq!(names(fixture, &at(fixture, "b")).await, ["b/1", "b/c/2"]);
    let listed = fixture.source().list(&at(fixture, "b")).await.unwrap();
    assert_eq!(listed[1].size_bytes, 5);
}

pub async fn list_of_a_name_that_another_begins_with_has_one(fixture: &dyn RawObjectFixture) {
    for name in ["log", "log.1", "logs/a"] {
        fixture.put(name, b"x");
    }
    assert_eq!(names(fixture, &at(fixture, "log")).await, ["log"]);
}

pub async fn hidden_objects_are_not_listed(fixture: &dyn RawObjectFixture) {
    for name in ["seen", ".hidden", "folder/.hidden", ".folder/inside"] {
        fixture.put(name, b"x");
    }
    assert_eq!(names(fixture, &fixture.root()).await, ["seen"]);
}

pub async fn etag_changes_with_the_content_and_only_then(fixture: &dyn RawObjectFixture) {
    let etag = || async { fixture.source().list(&at(fixture, "a")).await.unwrap()[0].etag.clone() };
    fixture.put("a", b"one");
    let first = etag().await;
    assert_eq!(etag().await, first);
    fixture.put("a", b"another");
    assert_ne!(etag().await, first);
}

pub async fn list_of_what_is_not_there_is_a_permanent_error(fixture: &dyn RawObjectFixture) {
    fixture.put("a", b"x");
    let error = fixture.source().list(&at(fixture, "missing")).await.unwrap_err();
    assert!(!error.is_transient() && error.to_string().contains("missing"), "{error}");
}
