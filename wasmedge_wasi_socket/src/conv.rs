//! Addresses in the host's form, and back.
#![cfg_attr(not(target_os = "wasi"), allow(dead_code))]

use crate::abi::AddressFamily;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// Bytes of an address in the form that carries its family.
pub const ADDRESS_LEN: usize = 128;

/// Bytes of a Unix address in the host's form, and in Linux's `sockaddr_un`.
pub const UNIX_PATH_LEN: usize = 108;

/// A family (`u16`, little-endian) and the address behind it in network order.
/// The port travels on its own.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct AddressBuf([u8; ADDRESS_LEN]);

impl AddressBuf {
    /// A buffer for the host to fill. Of family 0, so that it reads as "no
    /// address" if the host leaves it alone.
    pub const fn unset() -> AddressBuf {
        AddressBuf([0; ADDRESS_LEN])
    }

    /// `addr` without its port.
    ///
    /// # Errors
    ///
    /// `Unsupported` when the address means something only together with its
    /// scope, since the host's form has no place for that.
    pub fn new(addr: &SocketAddr) -> io::Result<AddressBuf> {
        let mut buf = AddressBuf::unset();
        match addr {
            SocketAddr::V4(v4) => {
                buf.set_family(AddressFamily::Inet4);
                buf.0[2..6].copy_from_slice(&v4.ip().octets());
            }
            SocketAddr::V6(v6) => {
                if v6.scope_id() != 0 && needs_scope(v6.ip()) {
                    return Err(io::Error::new(
                        io::ErrorKind::Unsupported,
                        format!("{v6}: WasmEdge's socket interface has no IPv6 scopes"),
                    ));
                }
                buf.set_family(AddressFamily::Inet6);
                buf.0[2..18].copy_from_slice(&v6.ip().octets());
            }
        }
        Ok(buf)
    }

    /// The address of a Unix socket: a path, or a zero and an abstract name; zeros
    /// fill the rest.
    pub fn unix(path: &[u8; UNIX_PATH_LEN]) -> AddressBuf {
        let mut buf = AddressBuf::unset();
        buf.set_family(AddressFamily::Unix);
        buf.0[2..2 + UNIX_PATH_LEN].copy_from_slice(path);
        buf
    }

    /// The address of a Unix socket, or `None` when it is not one.
    pub fn unix_path(&self) -> Option<[u8; UNIX_PATH_LEN]> {
        if u16::from_le_bytes([self.0[0], self.0[1]]) != AddressFamily::Unix as u16 {
            return None;
        }
        self.0[2..2 + UNIX_PATH_LEN].try_into().ok()
    }

    fn set_family(&mut self, family: AddressFamily) {
        self.0[..2].copy_from_slice(&u16::from(family as u8).to_le_bytes());
    }

    pub fn as_ptr(&self) -> *const u8 {
        self.0.as_ptr()
    }

    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr()
    }

    /// The address with `port`, or `None` when it is not an IP address.
    pub fn socket_addr(&self, port: u16) -> Option<SocketAddr> {
        let ip = match u16::from_le_bytes([self.0[0], self.0[1]]) {
            1 => IpAddr::from(<[u8; 4]>::try_from(&self.0[2..6]).ok()?),
            2 => IpAddr::from(<[u8; 16]>::try_from(&self.0[2..18]).ok()?),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
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

pub fn family(addr: &SocketAddr) -> AddressFamily {
    match addr {
        SocketAddr::V4(_) => AddressFamily::Inet4,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    }
}

/// The address an IP socket has before it has one.
pub fn unspecified(family: AddressFamily) -> SocketAddr {
    match family {
        AddressFamily::Inet6 => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        _ => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
    }
}

/// The port a received datagram came from. The host hands it over in network
/// byte order, unlike every other port.
pub fn received_port(raw: u16) -> u16 {
    u16::from_be(raw)
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

/// An address as the host's lookup wrote it: family and data.
pub type Found = (u8, [u8; SOCKADDR_DATA_LEN]);

/// The IP addresses among `found`, with `port`, each once and in order.
pub fn found_addrs(found: &[Found], port: u16) -> Vec<SocketAddr> {
    let mut addrs = Vec::with_capacity(found.len());
    for (family, data) in found {
        match parse_sockaddr(*family, data, port) {
            Some(addr) if !addrs.contains(&addr) => addrs.push(addr),
            _ => {}
        }
    }
    addrs
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
                let buf = AddressBuf::new(&addr).unwrap();
                assert_eq!(buf.socket_addr(port), Some(addr));
            }
        }
    }

    #[test]
    fn layout_is_family_then_address() {
        let buf = AddressBuf::new(&"1.2.3.4:5".parse().unwrap()).unwrap();
        assert_eq!(buf.0[..8], [1, 0, 1, 2, 3, 4, 0, 0]);
        let buf = AddressBuf::new(&"[102:304::f]:5".parse().unwrap()).unwrap();
        assert_eq!(buf.0[..6], [2, 0, 1, 2, 3, 4]);
        assert_eq!(buf.0[17..20], [15, 0, 0]);
    }

    #[test]
    fn foreign_families_are_no_ip_address() {
        assert_eq!(AddressBuf::unset().socket_addr(1), None);
        for family in [0u16, 3, 4, 66, 0x0100, u16::MAX] {
            let mut buf = AddressBuf::unset();
            buf.0[..2].copy_from_slice(&family.to_le_bytes());
            assert_eq!(buf.socket_addr(1), None, "{family}");
        }
    }

    #[test]
    fn unix_addresses_are_of_family_3_and_nothing_else_is() {
        let mut path = [0; UNIX_PATH_LEN];
        path[..6].copy_from_slice(b"/tmp/s");
        let buf = AddressBuf::unix(&path);
        assert_eq!(buf.0[..9], *b"\x03\0/tmp/s\0");
        assert_eq!(buf.unix_path(), Some(path));
        assert_eq!(buf.socket_addr(1), None);

        let full = [b'x'; UNIX_PATH_LEN];
        let buf = AddressBuf::unix(&full);
        assert_eq!(buf.unix_path(), Some(full));
        assert_eq!(buf.0[110..], [0; 18]);

        assert_eq!(AddressBuf::unset().unix_path(), None);
        let ip = AddressBuf::new(&"1.2.3.4:5".parse().unwrap()).unwrap();
        assert_eq!(ip.unix_path(), None);
    }

    #[test]
    fn scope_is_refused_only_where_it_matters() {
        let scoped = |ip: &str| SocketAddr::from(SocketAddrV6::new(ip.parse().unwrap(), 80, 0, 7));
        for ip in ["fe80::1", "febf::1", "ff02::fb", "ff01::1", "ff12::1"] {
            let error = AddressBuf::new(&scoped(ip)).err().expect(ip);
            assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{ip}");
        }
        for ip in ["::1", "2001:db8::1", "fec0::1", "ff05::1", "fe7f::1"] {
            assert!(AddressBuf::new(&scoped(ip)).is_ok(), "{ip}");
        }
        // Without a scope the host itself answers, as the system does natively.
        assert!(AddressBuf::new(&"[fe80::1]:80".parse().unwrap()).is_ok());
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
        let expected = ["0.0.0.9:7", "0.0.0.2:7", "0.0.0.3:7"].map(|a| a.parse().unwrap());
        assert_eq!(found_addrs(&found, 7), expected);
        assert_eq!(found_addrs(&[], 7), []);
    }

    #[test]
    fn received_ports_are_turned_round() {
        assert_eq!(received_port(u16::from_ne_bytes([0x1f, 0x90])), 8080);
    }

    #[test]
    fn families() {
        assert_eq!(family(&"0.0.0.0:0".parse().unwrap()), AddressFamily::Inet4);
        assert_eq!(family(&"[::]:0".parse().unwrap()), AddressFamily::Inet6);
        for f in [AddressFamily::Inet4, AddressFamily::Inet6] {
            assert_eq!(family(&unspecified(f)), f);
            assert_eq!(unspecified(f).port(), 0);
        }
    }
}
