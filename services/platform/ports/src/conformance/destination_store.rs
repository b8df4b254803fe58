//! The contract of the DestinationStore port.

use super::Fixture;
use super::fixture::skip_durability;
use crate::stores::Destination;
use mantissa_contracts::ids::DestinationId;
use mantissa_contracts::messages::DestinationType;

#[macro_export]
macro_rules! destination_store_conformance {
    ($($how:tt)*) => {
        $crate::conformance_tests! { destination_store, [$($how)*],
            unknown_destination_is_none
            put_replaces_the_whole_destination
            list_is_sorted_by_id
            removed_destination_is_gone
            removing_what_is_not_there_is_false
            destination_survives_a_restart
        }
    };
}

fn destination(id: &str) -> Destination {
    Destination {
        destination_id: DestinationId::new(id),
        destination_type: DestinationType::Slack,
        enabled: true,
        disabled_reason: None,
        settings: [("url_secret".to_owned(), format!("{id}-url"))].into(),
    }
}

pub async fn unknown_destination_is_none(fixture: &dyn Fixture) {
    assert_eq!(fixture.destinations().get(&DestinationId::new("x")).await.unwrap(), None);
}

pub async fn put_replaces_the_whole_destination(fixture: &dyn Fixture) {
    let store = fixture.destinations();
    store.put(&destination("a")).await.unwrap();
    let changed = Destination {
        enabled: false,
        disabled_reason: Some("gone: 410".to_owned()),
        settings: Default::default(),
        ..destination("a")
    };
    store.put(&changed).await.unwrap();
    assert_eq!(store.get(&changed.destination_id).await.unwrap(), Some(changed.clone()));
    assert_eq!(store.list().await.unwrap(), [changed]);
}

pub async fn list_is_sorted_by_id(fixture: &dyn Fixture) {
    let store = fixture.destinations();
    for id in ["b", "c", "a"] {
        store.put(&destination(id)).await.unwrap();
    }
    assert_eq!(store.list().await.unwrap(), [destination("a"), destination("b"), destination("c")]);
}

pub async fn removed_destination_is_gone(fixture: &dyn Fixture) {
    let store = fixture.destinations();
    store.put(&destination("a")).await.unwrap();
    assert!(store.remove(&DestinationId::new("a")).await.unwrap());
    assert_eq!(store.get(&DestinationId::new("a")).await.unwrap(), None);
}

pub async fn removing_what_is_not_there_is_false(fixture: &dyn Fixture) {
    assert!(!fixture.destinations().remove(&DestinationId::new("a")).await.unwrap());
}

pub async fn destination_survives_a_restart(fixture: &dyn Fixture) {
    fixture.destinations().put(&destination("a")).await.unwrap();
    let Some(reopened) = fixture.reopen().await else { return skip_durability() };
    assert_eq!(reopened.destinations().list().await.unwrap(), [destination("a")]);
}
