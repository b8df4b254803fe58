//! What is wrong with a destination's settings, said before an alert depends on it.

use crate::AddressPolicy;
use crate::destinations::Endpoint;
use crate::http::check_url;
use mantissa_ports::SecretStore;
use mantissa_ports::stores::Destination;

/// Every problem, naming the setting; none means that only a test can tell more. Nothing is sent or resolved.
pub async fn check_destination(
    destination: &Destination,
    secrets: &dyn SecretStore,
    policy: AddressPolicy,
) -> Vec<String> {
    let known = Endpoint::known_settings(destination.destination_type);
    let is_known =
        |setting: &str| known.iter().any(|name| *name == setting || (name.ends_with('.') && setting.starts_with(name)));
    let mut problems: Vec<String> = destination
        .settings
        .keys()
        .filter(|setting| !is_known(setting))
        .map(|setting| format!("setting `{setting}` is not one of a {} destination", destination.destination_type))
        .collect();
    match Endpoint::load(destination, destination.destination_type, secrets).await {
        Err(unusable) => problems.push(unusable.to_string()),
        Ok(endpoint) => {
            let refused = endpoint.url().and_then(|url| check_url(url, policy).err());
            problems.extend(refused.map(str::to_owned));
        }
    }
    problems
}
