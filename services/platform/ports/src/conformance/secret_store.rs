//! The contract of the SecretStore port.

use super::SecretStoreFixture;
use super::fixture::skip_durability;
use crate::Secret;

#[macro_export]
macro_rules! secret_store_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { secret_store, [$($how)*],
            unknown_secret_is_none
            get_returns_what_the_last_put_stored
            removed_secret_is_gone
            removing_what_is_not_there_is_false
            names_are_sorted
            concurrent_puts_are_all_kept
            secret_survives_a_restart
            value_is_not_readable_from_what_is_stored
            secret_does_not_show_its_value
        }
    };
}

const VALUE: &str = "xoxb-marker-\u{fc}-3141592653589793";

pub async fn unknown_secret_is_none(fixture: &dyn SecretStoreFixture) {
    assert!(fixture.open().get("none").await.unwrap().is_none());
}

pub async fn get_returns_what_the_last_put_stored(fixture: &dyn SecretStoreFixture) {
    let store = fixture.open();
    for value in ["first", "", VALUE] {
        store.put("a/b c", &Secret::new(value)).await.unwrap();
        assert_eq!(store.get("a/b c").await.unwrap(), Some(Secret::new(value)));
    }
}

pub async fn removed_secret_is_gone(fixture: &dyn SecretStoreFixture) {
    let store = fixture.open();
    store.put("a", &Secret::new(VALUE)).await.unwrap();
    store.put("b", &Secret::new("other")).await.unwrap();
    assert!(store.remove("a").await.unwrap());
    assert!(store.get("a").await.unwrap().is_none());
    assert_eq!(store.names().await.unwrap(), ["b"]);
}

pub async fn removing_what_is_not_there_is_false(fixture: &dyn SecretStoreFixture) {
    assert!(!fixture.open().remove("a").await.unwrap());
}

pub async fn names_are_sorted(fixture: &dyn SecretStoreFixture) {
    let store = fixture.open();
    assert!(store.names().await.unwrap().is_empty());
    for name in ["b", "c", "a"] {
        store.put(name, &Secret::new(VALUE)).await.unwrap();
    }
    assert_eq!(store.names().await.unwrap(), ["a", "b", "c"]);
}

pub async fn concurrent_puts_are_all_kept(fixture: &dyn SecretStoreFixture) {
    let puts = (0..8).map(|i| {
        let store = fixture.open();
        tokio::spawn(async move { store.put(&format!("s{i}"), &Secret::new(VALUE)).await.unwrap() })
    });
    for put in futures::future::join_all(puts).await {
        put.unwrap();
    }
    assert_eq!(fixture.open().names().await.unwrap().len(), 8);
}

pub async fn secret_survives_a_restart(fixture: &dyn SecretStoreFixture) {
    if !fixture.outlives_its_process() {
        return skip_durability();
    }
    fixture.open().put("a", &Secret::new(VALUE)).await.unwrap();
    assert_eq!(fixture.open().get("a").await.unwrap(), Some(Secret::new(VALUE)));
}

pub async fn value_is_not_readable_from_what_is_stored(fixture: &dyn SecretStoreFixture) {
    fixture.open().put("a", &Secret::new(VALUE)).await.unwrap();
    let Some(bytes) = fixture.stored_bytes() else {
        eprintln!("skipped: what is stored is not seen here");
        return;
    };
    assert!(!bytes.is_empty());
    let found = bytes.windows(VALUE.len()).any(|window| window == VALUE.as_bytes());
    assert!(!found, "the stored bytes hold the value");
}

pub async fn secret_does_not_show_its_value(_fixture: &dyn SecretStoreFixture) {
    assert_eq!(format!("{:?}", Secret::new(VALUE)), "***");
}
