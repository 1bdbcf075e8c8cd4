//! Which address to try first: RFC 6724, section 6, as far as a program can see
//! the network: of each address it is known from which of the machine's own
//! addresses it would be reached, if at all.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv6Addr};

/// Orders addresses, the best first. `source` says from where one is reached.
///
/// The rules that need to know of temporary, home or tunnelled addresses are
/// left out; what no rule tells apart stays as it is.
pub fn order(addrs: &mut Vec<IpAddr>, source: impl Fn(IpAddr) -> Option<IpAddr>) {
    if addrs.len() < 2 {
        return;
    }
    let mut known: Vec<_> = addrs.iter().map(|&addr| (addr, source(addr))).collect();
    known.sort_by(|one, other| compare(*one, *other));
    *addrs = known.into_iter().map(|(addr, _)| addr).collect();
}

/// An address, and where it is reached from.
type Known = (IpAddr, Option<IpAddr>);

fn compare(one: Known, other: Known) -> Ordering {
    let holds = |rule: fn(IpAddr, IpAddr) -> bool| {
        // The one of which it holds comes first.
        let holds_for = |(addr, source): Known| source.is_some_and(|source| rule(addr, source));
        holds_for(other).cmp(&holds_for(one))
    };
    // Rule 1: what cannot be reached comes last.
    holds(|_, _| true)
        // Rule 2: the same scope.
        .then_with(|| holds(|addr, source| scope(addr) == scope(source)))
        // Rule 5: the same label.
        .then_with(|| holds(|addr, source| policy(addr).label == policy(source).label))
        // Rule 6: the higher precedence.
        .then_with(|| policy(other.0).precedence.cmp(&policy(one.0).precedence))
        // Rule 8: the smaller scope.
        .then_with(|| scope(one.0).cmp(&scope(other.0)))
        // Rule 9: the longer common prefix, among IPv6 addresses.
        .then_with(|| match (common_prefix(one), common_prefix(other)) {
            (Some(one), Some(other)) => other.cmp(&one),
            _ => Ordering::Equal,
        })
}

fn mapped(addr: IpAddr) -> Ipv6Addr {
    match addr {
        IpAddr::V4(addr) => addr.to_ipv6_mapped(),
        IpAddr::V6(addr) => addr,
    }
}

const LINK_LOCAL: u8 = 0x2;
const SITE_LOCAL: u8 = 0x5;
const GLOBAL: u8 = 0xe;

/// Section 3.1 and 3.2.
fn scope(addr: IpAddr) -> u8 {
    match addr {
        // Private addresses count as global.
        IpAddr::V4(addr) if addr.is_loopback() || addr.is_link_local() => LINK_LOCAL,
        IpAddr::V4(_) => GLOBAL,
        IpAddr::V6(addr) => match addr.segments()[0] {
            first if first & 0xff00 == 0xff00 => (first & 0xf) as u8,
            first if first & 0xffc0 == 0xfe80 => LINK_LOCAL,
            first if first & 0xffc0 == 0xfec0 => SITE_LOCAL,
            _ if addr.is_loopback() => LINK_LOCAL,
            _ => GLOBAL,
        },
    }
}

struct Policy {
    prefix: Ipv6Addr,
    len: u32,
    precedence: u8,
    label: u8,
}

const fn of(prefix: [u16; 8], len: u32, precedence: u8, label: u8) -> Policy {
    let [a, b, c, d, e, f, g, h] = prefix;
    Policy {
        prefix: Ipv6Addr::new(a, b, c, d, e, f, g, h),
        len,
        precedence,
        label,
    }
}

/// The default policy table (section 2.1), longest prefixes first.
static POLICIES: [Policy; 9] = [
    of([0, 0, 0, 0, 0, 0, 0, 1], 128, 50, 0),
    of([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, 35, 4),
    of([0, 0, 0, 0, 0, 0, 0, 0], 96, 1, 3),
    of([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, 5, 5),
    of([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, 30, 2),
    of([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16, 1, 12),
    of([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, 1, 11),
    of([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, 3, 13),
    of([0, 0, 0, 0, 0, 0, 0, 0], 0, 40, 1),
];

fn policy(addr: IpAddr) -> &'static Policy {
    let addr = mapped(addr);
    POLICIES
        .iter()
        .find(|policy| shared_bits(addr, policy.prefix) >= policy.len)
        .unwrap_or(&POLICIES[8])
}

fn shared_bits(one: Ipv6Addr, other: Ipv6Addr) -> u32 {
    (u128::from(one) ^ u128::from(other)).leading_zeros()
}

/// Of an IPv6 address and its source, within the source's network.
fn common_prefix((addr, source): Known) -> Option<u32> {
    match (addr, source) {
        (IpAddr::V6(addr), Some(IpAddr::V6(source))) => Some(shared_bits(addr, source).min(64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Orders `pairs` of address and source; "-" is out of reach.
    fn ordered(pairs: &[(&str, &str)]) -> Vec<String> {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut addrs = pairs.iter().map(|(addr, _)| ip(addr)).collect();
        order(&mut addrs, |addr| {
            let (_, source) = pairs.iter().find(|(text, _)| ip(text) == addr).unwrap();
            source.parse().ok()
        });
        addrs.iter().map(ToString::to_string).collect()
    }

    // The examples of RFC 6724, section 10.2, as far as no left-out rule decides.
    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(
            ordered(&[
                ("198.51.100.121", "169.254.13.78"),
                ("2001:db8:1::1", "2001:db8:1::2"),
            ]),
            ["2001:db8:1::1", "198.51.100.121"]
        );
        assert_eq!(
            ordered(&[
                ("2001:db8:1::1", "fe80::1"),
                ("198.51.100.121", "198.51.100.117"),
            ]),
            ["198.51.100.121", "2001:db8:1::1"]
        );
        assert_eq!(
            ordered(&[("10.1.2.3", "10.1.2.4"), ("2001:db8:1::1", "2001:db8:1::2")]),
            ["2001:db8:1::1", "10.1.2.3"]
        );
        assert_eq!(
            ordered(&[("2001:db8:1::1", "2001:db8:1::2"), ("fe80::1", "fe80::2"),]),
            ["fe80::1", "2001:db8:1::1"]
        );
        assert_eq!(
            ordered(&[
                ("2002:c633:6401::1", "2002:c633:6401::2"),
                ("2001:db8:1::1", "2001:db8:1::2"),
            ]),
            ["2001:db8:1::1", "2002:c633:6401::1"]
        );
    }

    #[test]
    fn what_is_out_of_reach_comes_last() {
        assert_eq!(
            ordered(&[("2001:db8::1", "-"), ("192.0.2.1", "192.0.2.9")]),
            ["192.0.2.1", "2001:db8::1"]
        );
        assert_eq!(
            ordered(&[("::1", "::1"), ("127.0.0.1", "127.0.0.1")])[0],
            "::1"
        );
    }

    #[test]
    fn the_nearer_network_comes_first_and_ties_stay() {
        assert_eq!(
            ordered(&[
                ("2001:db9::1", "2001:db8::9"),
                ("2001:db8::1", "2001:db8::9"),
            ])[0],
            "2001:db8::1"
        );
        let tie = [("192.0.2.7", "192.0.2.9"), ("192.0.2.1", "192.0.2.9")];
        assert_eq!(ordered(&tie), ["192.0.2.7", "192.0.2.1"]);
    }
}
