//! Every conversion between Rust's types and the host's numbers and bytes.
#![cfg_attr(not(target_os = "wasi"), allow(dead_code))]

use super::super::UNIX_PATH_LEN;
use super::abi::{Address, AddressFamily};
use crate::Errno;
use std::io;
use std::net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV6};
use std::time::Duration;

/// What a host function returned. The host's numbers have 16 bits; anything else is
/// no success either, though its lower bits may be zero.
#[inline]
pub fn check(returned: i32) -> Result<(), Errno> {
    match u16::try_from(returned) {
        Ok(raw) => Errno::from_raw(raw).result(),
        Err(_) => Err(Errno::from_raw(u16::MAX)),
    }
}

/// The host's number for the directions to shut.
pub fn directions(how: Shutdown) -> i32 {
    match how {
        Shutdown::Read => 1,
        Shutdown::Write => 2,
        Shutdown::Both => 3,
    }
}

/// `struct linger`: on or off, and whole seconds.
pub fn linger(value: [u8; 8]) -> Option<Duration> {
    let [a, b, c, d, e, f, g, h] = value;
    let on = i32::from_le_bytes([a, b, c, d]) != 0;
    let seconds = i32::from_le_bytes([e, f, g, h]);
    on.then(|| Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// As [`linger`] reads it. Longer than the kernel counts is as long as it does.
pub fn linger_value(linger: Option<Duration>) -> [u8; 8] {
    let seconds = linger.unwrap_or_default().as_secs();
    let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
    let mut value = [0; 8];
    value[..4].copy_from_slice(&i32::from(linger.is_some()).to_le_bytes());
    value[4..].copy_from_slice(&seconds.to_le_bytes());
    value
}

/// `struct timeval`: seconds and microseconds, 64 bits each. Zero is no limit.
pub fn time(value: [u8; 16]) -> Option<Duration> {
    let both = u128::from_le_bytes(value);
    match (both as u64, (both >> 64) as u64) {
        (0, 0) => None,
        (seconds, micros) => Some(Duration::new(seconds, micros as u32 * 1000)),
    }
}

/// As [`time`] reads it. What is shorter than a microsecond is one, since zero would
/// mean "no limit".
pub fn time_value(time: Option<Duration>) -> [u8; 16] {
    let (seconds, micros) = match time {
        None => (0, 0),
        Some(time) => match (time.as_secs(), time.subsec_micros()) {
            (0, 0) => (0, 1),
            // The kernel takes a signed number.
            (seconds, micros) => (seconds.min(i64::MAX as u64), micros),
        },
    };
    (u128::from(micros) << 64 | u128::from(seconds)).to_le_bytes()
}

/// Bytes of an address in the form that carries its family.
const ADDRESS_LEN: usize = 128;

/// A family (`u16`, little-endian) and the address behind it in network order.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Bytes([u8; ADDRESS_LEN]);

/// An address in the host's form, with its port, which travels on its own.
#[derive(Clone, Copy)]
pub struct HostAddr {
    bytes: Bytes,
    port: u16,
}

impl HostAddr {
    /// An address for the host to fill. Of family 0, so that it reads as "no
    /// address" if the host leaves it alone.
    pub(super) const fn unset() -> HostAddr {
        HostAddr {
            bytes: Bytes([0; ADDRESS_LEN]),
            port: 0,
        }
    }

    /// `addr` in the host's form.
    ///
    /// # Errors
    ///
    /// `Unsupported` when the address means something only together with its
    /// scope, since the host's form has no place for that.
    pub fn new(addr: &SocketAddr) -> io::Result<HostAddr> {
        let mut own = HostAddr::unset();
        own.port = addr.port();
        let bytes = &mut own.bytes.0;
        match addr {
            SocketAddr::V4(v4) => bytes[2..6].copy_from_slice(&v4.ip().octets()),
            SocketAddr::V6(v6) => {
                if v6.scope_id() != 0 && needs_scope(v6.ip()) {
                    return Err(io::Error::new(
                        io::ErrorKind::Unsupported,
                        format!("{v6}: WasmEdge's socket interface has no IPv6 scopes"),
                    ));
                }
                bytes[2..18].copy_from_slice(&v6.ip().octets());
            }
        }
        own.set_family(AddressFamily::of(addr));
        Ok(own)
    }

    /// The address of a Unix socket: a path, or a zero and an abstract name; zeros
    /// fill the rest.
    pub fn unix(path: &[u8; UNIX_PATH_LEN]) -> HostAddr {
        let mut own = HostAddr::unset();
        own.set_family(AddressFamily::Unix);
        own.bytes.0[2..2 + UNIX_PATH_LEN].copy_from_slice(path);
        own
    }

    /// The address of a Unix socket, or `None` when it is not one.
    pub fn unix_path(&self) -> Option<[u8; UNIX_PATH_LEN]> {
        if self.family() != AddressFamily::Unix as u16 {
            return None;
        }
        self.bytes.0[2..2 + UNIX_PATH_LEN].try_into().ok()
    }

    /// The address with its port, or `None` when it is not an IP address.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        const INET4: u16 = AddressFamily::Inet4 as u16;
        const INET6: u16 = AddressFamily::Inet6 as u16;
        let bytes = &self.bytes.0;
        let ip = match self.family() {
            INET4 => IpAddr::from(<[u8; 4]>::try_from(&bytes[2..6]).ok()?),
            INET6 => IpAddr::from(<[u8; 16]>::try_from(&bytes[2..18]).ok()?),
            _ => return None,
        };
        Some(SocketAddr::new(ip, self.port))
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The port as the host writes it beside an address: in a word, low bits first.
    pub(super) fn set_port(&mut self, raw: u32) {
        self.port = raw as u16;
    }

    /// The port that a received datagram came from, which the host hands over in
    /// network byte order, unlike every other port.
    pub(super) fn set_received_port(&mut self, raw: u16) {
        self.port = u16::from_be(raw);
    }

    /// What the host is handed to read the address.
    pub(super) fn describe(&self) -> Address {
        Address {
            buf: self.bytes.0.as_ptr() as usize as u32,
            len: ADDRESS_LEN as u32,
        }
    }

    /// What the host is handed to write the address.
    pub(super) fn describe_mut(&mut self) -> Address {
        Address {
            buf: self.bytes.0.as_mut_ptr() as usize as u32,
            len: ADDRESS_LEN as u32,
        }
    }

    fn family(&self) -> u16 {
        u16::from_le_bytes([self.bytes.0[0], self.bytes.0[1]])
    }

    fn set_family(&mut self, family: AddressFamily) {
        self.bytes.0[..2].copy_from_slice(&u16::from(family as u8).to_le_bytes());
    }
}

/// An address of this kind names a host only within one network interface.
fn needs_scope(ip: &Ipv6Addr) -> bool {
    let [first, second, ..] = ip.octets();
    match first {
        // Link-local unicast: fe80::/10.
        0xfe => second & 0xc0 == 0x80,
        // Multicast of interface-local or link-local scope.
        0xff => matches!(second & 0x0f, 1 | 2),
        _ => false,
    }
}

/// Bytes the host may write as the data of one looked-up address, whatever
/// length it was told.
pub const SOCKADDR_DATA_LEN: usize = 32;

/// An address as a lookup returns it, with `port`; `None` when it is not an IP
/// address.
///
/// IPv4: port (2, network order), address (4), zeros (8). IPv6: port (2,
/// network order), flow (4), address (16), scope (4, little-endian).
pub fn parse_sockaddr(family: u8, data: &[u8; SOCKADDR_DATA_LEN], port: u16) -> Option<SocketAddr> {
    if family == AddressFamily::Inet4 as u8 {
        let ip = <[u8; 4]>::try_from(&data[2..6]).ok()?;
        Some(SocketAddr::from((ip, port)))
    } else if family == AddressFamily::Inet6 as u8 {
        let ip = <[u8; 16]>::try_from(&data[6..22]).ok()?;
        let scope = u32::from_le_bytes(<[u8; 4]>::try_from(&data[22..26]).ok()?);
        Some(SocketAddrV6::new(ip.into(), port, 0, scope).into())
    } else {
        None
    }
}

/// The IP addresses among these families and data, with `port`, each once and in
/// order.
pub fn found_addrs<'a>(
    found: impl Iterator<Item = (u8, &'a [u8; SOCKADDR_DATA_LEN])>,
    port: u16,
) -> Vec<SocketAddr> {
    let mut addrs = Vec::new();
    for (family, data) in found {
        match parse_sockaddr(family, data, port) {
            Some(addr) if !addrs.contains(&addr) => addrs.push(addr),
            _ => {}
        }
    }
    addrs
}

/// The port in the data of a looked-up address.
pub fn sockaddr_port(data: &[u8; SOCKADDR_DATA_LEN]) -> u16 {
    u16::from_be_bytes([data[0], data[1]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Same numbers on every run.
    fn random(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    #[test]
    fn addresses_survive_the_round_trip() {
        let mut state = 0x9e37_79b9_7f4a_7c15;
        for _ in 0..1000 {
            let port = random(&mut state) as u16;
            let v4 = SocketAddr::from(((random(&mut state) as u32).to_be_bytes(), port));
            let mut octets = [0; 16];
            octets[..8].copy_from_slice(&random(&mut state).to_be_bytes());
            octets[8..].copy_from_slice(&random(&mut state).to_be_bytes());
            let v6 = SocketAddr::from((octets, port));
            for addr in [v4, v6] {
                let own = HostAddr::new(&addr).unwrap();
                assert_eq!(own.socket_addr(), Some(addr));
                assert_eq!(own.port(), port);
            }
        }
    }

    #[test]
    fn layout_is_family_then_address() {
        let buf = HostAddr::new(&"1.2.3.4:5".parse().unwrap()).unwrap();
        assert_eq!(buf.bytes.0[..8], [1, 0, 1, 2, 3, 4, 0, 0]);
        let buf = HostAddr::new(&"[102:304::f]:5".parse().unwrap()).unwrap();
        assert_eq!(buf.bytes.0[..6], [2, 0, 1, 2, 3, 4]);
        assert_eq!(buf.bytes.0[17..20], [15, 0, 0]);
    }

    #[test]
    fn foreign_families_are_no_ip_address() {
        assert_eq!(HostAddr::unset().socket_addr(), None);
        for family in [0u16, 3, 4, 66, 0x0100, u16::MAX] {
            let mut buf = HostAddr::unset();
            buf.bytes.0[..2].copy_from_slice(&family.to_le_bytes());
            assert_eq!(buf.socket_addr(), None, "{family}");
        }
    }

    #[test]
    fn unix_addresses_are_of_family_3_and_nothing_else_is() {
        let mut path = [0; UNIX_PATH_LEN];
        path[..6].copy_from_slice(b"/tmp/s");
        let buf = HostAddr::unix(&path);
        assert_eq!(buf.bytes.0[..9], *b"\x03\0/tmp/s\0");
        assert_eq!(buf.unix_path(), Some(path));
        assert_eq!(buf.socket_addr(), None);

        let full = [b'x'; UNIX_PATH_LEN];
        let buf = HostAddr::unix(&full);
        assert_eq!(buf.unix_path(), Some(full));
        assert_eq!(buf.bytes.0[110..], [0; 18]);

        assert_eq!(HostAddr::unset().unix_path(), None);
        let ip = HostAddr::new(&"1.2.3.4:5".parse().unwrap()).unwrap();
        assert_eq!(ip.unix_path(), None);
    }

    #[test]
    fn scope_is_refused_only_where_it_matters() {
        let scoped = |ip: &str| SocketAddr::from(SocketAddrV6::new(ip.parse().unwrap(), 80, 0, 7));
        for ip in ["fe80::1", "febf::1", "ff02::fb", "ff01::1", "ff12::1"] {
            let error = HostAddr::new(&scoped(ip)).err().expect(ip);
            assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{ip}");
        }
        for ip in ["::1", "2001:db8::1", "fec0::1", "ff05::1", "fe7f::1"] {
            assert!(HostAddr::new(&scoped(ip)).is_ok(), "{ip}");
        }
        // Without a scope the host itself answers, as the system does natively.
        assert!(HostAddr::new(&"[fe80::1]:80".parse().unwrap()).is_ok());
    }

    #[test]
    fn looked_up_addresses() {
        let mut data = [0; SOCKADDR_DATA_LEN];
        data[..6].copy_from_slice(&[0, 80, 127, 0, 0, 1]);
        assert_eq!(
            parse_sockaddr(1, &data, 8080),
            Some("127.0.0.1:8080".parse().unwrap())
        );

        let mut data = [0; SOCKADDR_DATA_LEN];
        data[21] = 1;
        assert_eq!(
            parse_sockaddr(2, &data, 8080),
            Some("[::1]:8080".parse().unwrap())
        );
        data[22] = 3;
        let Some(SocketAddr::V6(scoped)) = parse_sockaddr(2, &data, 1) else {
            panic!("not IPv6");
        };
        assert_eq!(scoped.scope_id(), 3);

        for family in [0, 3, 4, 255] {
            assert_eq!(parse_sockaddr(family, &data, 1), None);
        }
    }

    #[test]
    fn found_addresses_are_distinct_and_in_order() {
        let v4 = |last| {
            let mut data = [0; SOCKADDR_DATA_LEN];
            data[5] = last;
            (1, data)
        };
        let unix = (3, [0; SOCKADDR_DATA_LEN]);
        let found = [v4(9), unix, v4(2), v4(9), v4(2), v4(3)];
        let found = found.iter().map(|(family, data)| (*family, data));
        let expected = ["0.0.0.9:7", "0.0.0.2:7", "0.0.0.3:7"].map(|a| a.parse().unwrap());
        assert_eq!(found_addrs(found, 7), expected);
        assert_eq!(found_addrs(std::iter::empty(), 7), []);
    }

    #[test]
    fn received_ports_are_turned_round() {
        let mut addr = HostAddr::new(&"1.2.3.4:0".parse().unwrap()).unwrap();
        addr.set_received_port(u16::from_ne_bytes([0x1f, 0x90]));
        assert_eq!(addr.socket_addr(), Some("1.2.3.4:8080".parse().unwrap()));
        addr.set_port(8081);
        assert_eq!(addr.socket_addr(), Some("1.2.3.4:8081".parse().unwrap()));
        let mut data = [0; SOCKADDR_DATA_LEN];
        data[..2].copy_from_slice(&[0x1f, 0x90]);
        assert_eq!(sockaddr_port(&data), 8080);
    }

    #[test]
    fn only_zero_is_success() {
        assert_eq!(check(0), Ok(()));
        assert_eq!(check(8), Err(Errno::BADF));
        // The host's numbers have 16 bits: what has more is no success, whatever its
        // lower ones say.
        for returned in [1 << 16, -1, i32::MIN, i32::MAX, 0x7fff_0000] {
            assert!(check(returned).is_err(), "{returned:#x}");
        }
    }

    #[test]
    fn lingering_is_on_or_off_and_whole_seconds() {
        for linger_for in [None, Some(0), Some(1), Some(i32::MAX as u64)] {
            let wanted = linger_for.map(Duration::from_secs);
            assert_eq!(linger(linger_value(wanted)), wanted);
        }
        assert_eq!(
            linger_value(Some(Duration::from_secs(5))),
            [1, 0, 0, 0, 5, 0, 0, 0]
        );
        let longest = Some(Duration::from_secs(i32::MAX as u64));
        assert_eq!(linger(linger_value(Some(Duration::MAX))), longest);
    }

    #[test]
    fn a_time_of_zero_is_no_limit_and_none_becomes_zero_by_rounding() {
        assert_eq!(time([0; 16]), None);
        assert_eq!(time_value(None), [0; 16]);
        let micro = Some(Duration::from_micros(1));
        assert_eq!(time(time_value(Some(Duration::from_nanos(1)))), micro);
        let wanted = Some(Duration::new(3, 250_000_000));
        assert_eq!(time(time_value(wanted)), wanted);
        assert_eq!(time_value(wanted)[..9], [3, 0, 0, 0, 0, 0, 0, 0, 0x90]);
    }

    #[test]
    fn directions_have_the_hosts_numbers() {
        let all = [Shutdown::Read, Shutdown::Write, Shutdown::Both];
        assert_eq!(all.map(directions), [1, 2, 3]);
    }
}
