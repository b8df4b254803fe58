//! Problems of a destination's settings, told before anything is sent.

use crate::world::{Way, World, ops};
use mantissa_contracts::messages::DestinationType;
use mantissa_notifiers::{AddressPolicy, check_destination};

async fn problems(world: &World) -> Vec<String> {
    let destination = world.deps.destinations.get(&ops()).await.unwrap().unwrap();
    check_destination(&destination, world.deps.secrets.as_ref(), AddressPolicy::Public).await
}

#[tokio::test]
async fn a_sound_destination_has_no_problems() {
    for way in Way::ALL {
        let world = World::new();
        world.add_destination(way, "https://hooks.example.com/x/").await;
        assert_eq!(problems(&world).await, Vec::<String>::new(), "{way:?}");
    }
}

#[tokio::test]
async fn misspelt_missing_and_refused_settings_are_all_named() {
    let world = World::new();
    world.add_destination(Way::Webhook, "https://10.0.0.1/").await;
    assert_eq!(problems(&world).await, ["the URL's host is an IP address, not a name"]);
    let settings = [("url_secret", "ops-url"), ("signing_secrte", "ops-key"), ("chanel", "x")];
    world.put_destination(DestinationType::Webhook, &settings).await;
    assert_eq!(
        problems(&world).await,
        [
            "setting `chanel` is not one of a webhook destination",
            "setting `signing_secrte` is not one of a webhook destination",
            "setting `signing_secret` is missing",
        ]
    );
    world.put_destination(DestinationType::Email, &[("to", "soc")]).await;
    assert_eq!(problems(&world).await, ["setting `to` has `soc`, which is not a mail address"]);
    world.put_destination(DestinationType::Slack, &[("token_secret", "ops-token")]).await;
    assert_eq!(problems(&world).await, ["setting `channel` is missing"]);
}
