//! Name resolution that hands out public addresses only, so the address checked is the address dialled.

use super::classify_address::refuse_address;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};

/// Resolves as the system does, and refuses a name of which any answer is not public: a name with a private answer
/// beside a public one is either misconfigured or an attempt to get in. Whatever the policy: loopback is reached by
/// literals, which are not resolved.
#[derive(Debug, Clone, Copy)]
pub(super) struct FilteringResolver;

#[derive(Debug, thiserror::Error)]
#[error("the host resolves to an address that is refused ({reason})")]
pub(super) struct AddressRefused {
    reason: &'static str,
}

impl Resolve for FilteringResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            check_all(found.iter().map(SocketAddr::ip))?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn check_all(addresses: impl Iterator<Item = IpAddr>) -> Result<(), AddressRefused> {
    for address in addresses {
        if let Some(reason) = refuse_address(address) {
            return Err(AddressRefused { reason });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_private_answer_among_public_ones_refuses_the_name() {
        let addresses: [IpAddr; 3] =
            ["1.1.1.1".parse().unwrap(), "10.0.0.1".parse().unwrap(), "8.8.8.8".parse().unwrap()];
        assert!(check_all(addresses.into_iter()).is_err());
        assert!(check_all(addresses.into_iter().filter(|a| a.to_string() != "10.0.0.1")).is_ok());
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused() {
        let resolved = FilteringResolver.resolve("localhost".parse().unwrap()).await;
        let error = resolved.err().expect("localhost must not resolve to anything that may be dialled");
        assert!(error.downcast_ref::<AddressRefused>().is_some(), "{error}");
    }
}
