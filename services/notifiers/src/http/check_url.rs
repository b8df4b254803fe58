//! What a destination's URL may look like. Refusals never repeat the URL: its path or query may be a secret.

use super::AddressPolicy;
use url::{Host, Url};

/// `Err` says why requests to this URL are refused.
///
/// The parser has turned every spelling of an IPv4 address (decimal, octal, hex, short, with a trailing dot) into
/// one, so asking for the kind of host covers them all.
pub(crate) fn check_url(url: &Url, policy: AddressPolicy) -> Result<(), &'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL holds a user name or password");
    }
    let loopback = match url.host() {
        None => return Err("the URL has no host"),
        Some(Host::Ipv4(address)) => Some(address.is_loopback()),
        Some(Host::Ipv6(address)) => Some(address.is_loopback()),
        Some(Host::Domain(name)) => {
            if name.ends_with('.') {
                return Err("the URL's host ends in a dot");
            }
            None
        }
    };
    match (loopback, policy) {
        (Some(true), AddressPolicy::AllowLoopback) if matches!(url.scheme(), "http" | "https") => Ok(()),
        (Some(_), _) => Err("the URL's host is an IP address, not a name"),
        (None, _) if url.scheme() == "https" => Ok(()),
        (None, _) => Err("the URL is not https"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, policy: AddressPolicy) -> Result<(), String> {
        let url = Url::parse(text).map_err(|e| e.to_string())?;
        check_url(&url, policy).map_err(str::to_owned)
    }

    #[test]
    fn names_over_https_pass() {
        for policy in [AddressPolicy::Public, AddressPolicy::AllowLoopback] {
            assert_eq!(check("https://hooks.example.com/services/T0/B0", policy), Ok(()));
            assert_eq!(check("https://example.com:8443/", policy), Ok(()));
        }
    }

    #[test]
    fn every_spelling_of_an_address_is_refused() {
        for host in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "2130706433",
            "017700000001",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "169.254.169.254",
            "0",
            "8.8.8.8",
            "[2606:4700::1111]",
            "%31%32%37.0.0.1",
            "127。0。0。1",
        ] {
            assert!(check(&format!("https://{host}/"), AddressPolicy::Public).is_err(), "{host} passed");
        }
    }

    #[test]
    fn loopback_policy_lets_only_loopback_literals_through() {
        let policy = AddressPolicy::AllowLoopback;
        assert_eq!(check("http://127.0.0.1:8080/hook", policy), Ok(()));
        assert_eq!(check("https://[::1]:8443/hook", policy), Ok(()));
        for refused in ["http://10.0.0.1/", "https://169.254.169.254/", "http://example.com/", "ftp://127.0.0.1/"] {
            assert!(check(refused, policy).is_err(), "{refused} passed");
        }
    }

    #[test]
    fn plain_http_user_names_and_trailing_dots_are_refused() {
        for refused in [
            "http://example.com/",
            "https://user@example.com/",
            "https://:pass@example.com/",
            "https://example.com./",
            "file:///etc/passwd",
            "data:text/plain,x",
        ] {
            assert!(check(refused, AddressPolicy::Public).is_err(), "{refused} passed");
        }
    }
}
