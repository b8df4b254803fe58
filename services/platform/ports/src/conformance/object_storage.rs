//! The contract of the ObjectStorage port.

use super::ObjectStorageFixture;
use bytes::Bytes;

#[macro_export]
macro_rules! object_storage_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { object_storage, [$($how)*],
            get_returns_what_was_put
            unknown_key_is_none
            put_replaces_the_whole_object
            racing_puts_and_gets_never_see_a_mixture
            list_has_every_key_with_the_prefix_sorted
            list_of_a_prefix_that_ends_within_a_name
            deleted_object_is_gone
            deleting_what_is_not_there_is_ok
            key_that_leaves_the_store_is_a_permanent_error
            second_handle_sees_the_same_objects
        }
    };
}

pub async fn get_returns_what_was_put(fixture: &dyn ObjectStorageFixture) {
    let storage = fixture.open();
    for (key, content) in [("a/b=1/c d.bin", &b"\x00\xff binary"[..]), ("empty", b"")] {
        storage.put(key, Bytes::copy_from_slice(content)).await.unwrap();
        assert_eq!(storage.get(key).await.unwrap().as_deref(), Some(content));
    }
}

pub async fn unknown_key_is_none(fixture: &dyn ObjectStorageFixture) {
    let storage = fixture.open();
    storage.put("a/b", Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(storage.get("a/c").await.unwrap(), None);
    // A folder on the way to an object is no object.
    assert_eq!(storage.get("a").await.unwrap(), None);
}

pub async fn put_replaces_the_whole_object(fixture: &dyn ObjectStorageFixture) {
    let storage = fixture.open();
    storage.put("a", Bytes::from_static(b"a long first content")).await.unwrap();
    storage.put("a", Bytes::from_static(b"short")).await.unwrap();
    assert_eq!(storage.get("a").await.unwrap(), Some(Bytes::from_static(b"short")));
    assert_eq!(storage.list("").await.unwrap().len(), 1);
}

pub async fn racing_puts_and_gets_never_see_a_mixture(fixture: &dyn ObjectStorageFixture) {
    const SIZE: usize = 256 * 1024;
    fixture.open().put("a", Bytes::from(vec![0; SIZE])).await.unwrap();
    let writers = (1..=4u8).map(|byte| {
        let storage = fixture.open();
        tokio::spawn(async move {
            for _ in 0..5 {
                storage.put("a", Bytes::from(vec![byte; SIZE])).await.unwrap();
            }
        })
    });
    let readers = (0..4).map(|_| {
        let storage = fixture.open();
        tokio::spawn(async move {
            for _ in 0..10 {
                let content = storage.get("a").await.unwrap().expect("the object is always there");
                assert_eq!(content.len(), SIZE);
                assert!(content.iter().all(|byte| *byte == content[0]), "two puts are mixed");
                // A put that is not finished must not be listed beside it.
                assert_eq!(storage.list("").await.unwrap().len(), 1);
            }
        })
    });
    for task in futures::future::join_all(writers.chain(readers)).await {
        task.unwrap();
    }
}

pub async fn list_has_every_key_with_the_prefix_sorted(fixture: &dyn ObjectStorageFixture) {
    let storage = fixture.open();
    for key in ["t/day=02/b", "t/day=02/a", "t/day=01/z", "u/day=01/a", "t/day=10/a"] {
        storage.put(key, Bytes::from(key.to_owned())).await.unwrap();
    }
    let listed = storage.list("t/").await.unwrap();
    let keys: Vec<_> = listed.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["t/day=01/z", "t/day=02/a", "t/day=02/b", "t/day=10/a"]);
    assert!(listed.iter().all(|object| object.size_bytes == object.key.len() as u64));
    assert_eq!(storage.list("").await.unwrap().len(), 5);
    assert!(storage.list("v/").await.unwrap().is_empty());
}

pub async fn list_of_a_prefix_that_ends_within_a_name(fixture: &dyn ObjectStorageFixture) {
    let storage = fixture.open();
    // `.` sorts before `/`, so sorting folder by folder gives another order than sorting by key.
    for key in ["t/a/x", "t/a.b", "t/ab", "t/b"] {
        storage.put(key, Bytes::new()).await.unwrap();
    }
    let listed = storage.list("t/a").await.unwrap();
    let keys: Vec<_> = listed.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["t/a.b", "t/a/x", "t/ab"]);
}

pub async fn deleted_object_is_gone(fixture: &dyn ObjectStorageFixture) {
    let storage = fixture.open();
    storage.put("a/b", Bytes::from_static(b"x")).await.unwrap();
    storage.delete("a/b").await.unwrap();
    assert_eq!(storage.get("a/b").await.unwrap(), None);
    assert!(storage.list("").await.unwrap().is_empty());
}

pub async fn deleting_what_is_not_there_is_ok(fixture: &dyn ObjectStorageFixture) {
    fixture.open().delete("a/b").await.unwrap();
}

pub async fn key_that_leaves_the_store_is_a_permanent_error(fixture: &dyn ObjectStorageFixture) {
    let storage = fixture.open();
    for key in ["", "/etc/passwd", "../a", "a/../../b", "a//b", "a/", "a/.."] {
        let error = storage.put(key, Bytes::from_static(b"x")).await.expect_err(key);
        assert!(!error.is_transient(), "`{key}`: {error}");
        assert!(storage.get(key).await.is_err(), "get of `{key}`");
        assert!(storage.delete(key).await.is_err(), "delete of `{key}`");
    }
    assert!(storage.list("").await.unwrap().is_empty());
}

pub async fn second_handle_sees_the_same_objects(fixture: &dyn ObjectStorageFixture) {
    fixture.open().put("a", Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(fixture.open().get("a").await.unwrap(), Some(Bytes::from_static(b"x")));
}
