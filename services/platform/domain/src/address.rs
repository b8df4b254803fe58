//! What kind of network an address is in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClass {
    Loopback,
    /// RFC 1918, unique local, carrier-grade NAT.
    Private,
    LinkLocal,
    Multicast,
    /// Documentation, benchmarking, unspecified, broadcast and reserved ranges.
    Reserved,
    Public,
}

impl AddressClass {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link_local",
            Self::Multicast => "multicast",
            Self::Reserved => "reserved",
            Self::Public => "public",
        }
    }
}

/// Classifies an address; an IPv4 address inside an IPv6 one counts as itself.
pub fn classify(address: IpAddr) -> AddressClass {
    match address.to_canonical() {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => classify_v6(v6),
    }
}

fn classify_v4(address: Ipv4Addr) -> AddressClass {
    let [a, b, c, _] = address.octets();
    if address.is_loopback() {
        AddressClass::Loopback
    } else if address.is_private() || (a == 100 && (64..128).contains(&b)) {
        AddressClass::Private
    } else if address.is_link_local() {
        AddressClass::LinkLocal
    } else if address.is_multicast() {
        AddressClass::Multicast
    } else if address.is_documentation()
        || address.is_broadcast()
        || a == 0
        || a >= 240
        || (a == 198 && (18..20).contains(&b))
        || (a, b, c) == (192, 0, 0)
    {
        AddressClass::Reserved
    } else {
        AddressClass::Public
    }
}

fn classify_v6(address: Ipv6Addr) -> AddressClass {
    let [first, second, ..] = address.segments();
    if address.is_loopback() {
        AddressClass::Loopback
    } else if first & 0xfe00 == 0xfc00 {
        AddressClass::Private
    } else if first & 0xffc0 == 0xfe80 {
        AddressClass::LinkLocal
    } else if address.is_multicast() {
        AddressClass::Multicast
    } else if address.is_unspecified() || (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second < 0x1000)
    {
        AddressClass::Reserved
    } else {
        AddressClass::Public
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_has_its_class() {
        for (text, expected) in [
            ("127.0.0.1", "loopback"),
            ("::1", "loopback"),
            ("10.1.2.3", "private"),
            ("172.31.255.255", "private"),
            ("172.32.0.0", "public"),
            ("100.64.0.1", "private"),
            ("100.128.0.1", "public"),
            ("fd00::1", "private"),
            ("169.254.169.254", "link_local"),
            ("fe80::1", "link_local"),
            ("224.0.0.1", "multicast"),
            ("ff02::1", "multicast"),
            ("203.0.113.9", "reserved"),
            ("2001:db8::1", "reserved"),
            ("198.18.0.1", "reserved"),
            ("255.255.255.255", "reserved"),
            ("::ffff:10.0.0.1", "private"),
            ("8.8.8.8", "public"),
            ("2606:4700::1111", "public"),
        ] {
            assert_eq!(classify(text.parse().unwrap()).as_str(), expected, "{text}");
        }
    }
}
