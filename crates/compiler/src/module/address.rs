//! Which addresses are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::settings::Reach;

/// Whether `address` may be connected to.
pub(super) fn is_allowed(address: IpAddr, reach: Reach) -> bool {
    reach == Reach::Anywhere
        || match address {
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => is_public_v6(address),
        }
}

/// Source: IANA's registry of special-purpose IPv4 addresses.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || matches!(
            address.octets(),
            // this network, shared by carriers, protocol assignments, benchmarks, reserved
            [0 | 240..=255, ..] | [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18 | 19, ..]
        );
    !special
}

/// Source: IANA's registry of special-purpose IPv6 addresses. Only `2000::/3` is given out; of it, what embeds an IPv4
/// address counts as that, and the rest of `2001::/23` and the documentation prefixes are special.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // mapped, and translated (NAT64)
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(embedded(high, low))
        }
        // 6to4
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_private_networks_are_not_public_however_they_are_written() {
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "2001::1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ];
        let public = [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ];

        for address in private {
            assert!(
                !is_allowed(address.parse().unwrap(), Reach::Public),
                "{address}"
            );
        }
        for address in public {
            assert!(
                is_allowed(address.parse().unwrap(), Reach::Public),
                "{address}"
            );
        }
        assert!(is_allowed("127.0.0.1".parse().unwrap(), Reach::Anywhere));
    }
}
