//! The system's socket addresses: `sockaddr_in`, `sockaddr_in6`, `sockaddr_un` of Linux.
//!
//! The plugin hands them on as they are, so unlike in the host's form scopes and the
//! lengths of abstract names are in them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use super::super::UNIX_PATH_LEN;

/// Room for every kind (`sockaddr_storage`).
const ROOM: usize = 128;

const INET: u16 = 2;
const INET6: u16 = 10;
const UNIX: u16 = 1;

/// An address, and its length before it: the record that the plugin fills.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct SockAddr {
    len: u32,
    bytes: [u8; ROOM],
}

const _: () = assert!(std::mem::offset_of!(SockAddr, bytes) == 4);

impl SockAddr {
    /// Room for the plugin to fill.
    pub(super) const fn unset() -> SockAddr {
        SockAddr {
            len: 0,
            bytes: [0; ROOM],
        }
    }

    /// An IP address with its port, and with its scope if it has one.
    pub fn ip(addr: &SocketAddr) -> SockAddr {
        let mut own = SockAddr::unset();
        own.bytes[2..4].copy_from_slice(&addr.port().to_be_bytes());
        match addr {
            SocketAddr::V4(v4) => {
                own.bytes[..2].copy_from_slice(&INET.to_le_bytes());
                own.bytes[4..8].copy_from_slice(&v4.ip().octets());
                own.len = 16;
            }
            SocketAddr::V6(v6) => {
                own.bytes[..2].copy_from_slice(&INET6.to_le_bytes());
                // As std hands it on: in network order.
                own.bytes[4..8].copy_from_slice(&v6.flowinfo().to_be_bytes());
                own.bytes[8..24].copy_from_slice(&v6.ip().octets());
                own.bytes[24..28].copy_from_slice(&v6.scope_id().to_le_bytes());
                own.len = 28;
            }
        }
        own
    }

    /// The address of a Unix socket: the first `len` bytes are a path, or a zero and an
    /// abstract name; none is no name.
    pub fn unix(path: &[u8; UNIX_PATH_LEN], len: usize) -> SockAddr {
        let mut own = SockAddr::unset();
        own.bytes[..2].copy_from_slice(&UNIX.to_le_bytes());
        own.bytes[2..2 + UNIX_PATH_LEN].copy_from_slice(path);
        // A path has a zero behind it, as natively.
        let terminator = usize::from(len > 0 && path[0] != 0);
        own.len = (2 + len + terminator).min(2 + UNIX_PATH_LEN) as u32;
        own
    }

    /// The IP address, if it is one.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        let bytes = self.bytes();
        let field = |at: usize| bytes.get(at..at + 4)?.try_into().ok();
        let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
        match self.family()? {
            INET => {
                let ip: [u8; 4] = field(4)?;
                Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(ip)), port))
            }
            INET6 => {
                let ip: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
                Some(SocketAddr::V6(SocketAddrV6::new(
                    Ipv6Addr::from(ip),
                    port,
                    u32::from_be_bytes(field(4)?),
                    u32::from_le_bytes(field(24)?),
                )))
            }
            _ => None,
        }
    }

    /// The path of a Unix socket or, with a zero before it, its abstract name; and how
    /// long that is. `None` if it is another address.
    pub fn unix_path(&self) -> Option<([u8; UNIX_PATH_LEN], usize)> {
        let bytes = self.bytes();
        if self.family()? != UNIX {
            return None;
        }
        let name = bytes.get(2..)?;
        let mut path = [0; UNIX_PATH_LEN];
        let mut len = name.len().min(UNIX_PATH_LEN);
        path[..len].copy_from_slice(&name[..len]);
        if path[0] != 0 {
            // The zero behind a path is counted, and is no part of it.
            len = path[..len]
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(len);
        }
        Some((path, len))
    }

    /// The address as it is handed on.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..(self.len as usize).min(ROOM)]
    }

    fn family(&self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes().get(..2)?.try_into().ok()?))
    }
}

#[cfg(all(test, not(target_os = "wasi")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_has_its_own_length() {
        let path = |name: &[u8]| {
            let mut path = [0; UNIX_PATH_LEN];
            path[..name.len()].copy_from_slice(name);
            path
        };
        for (name, len) in [
            (&b"/tmp/x"[..], 2 + 6 + 1),
            (b"\0abstract", 2 + 9),
            (b"\0with\0zeros\0", 2 + 12),
            (b"", 2),
        ] {
            let addr = SockAddr::unix(&path(name), name.len());
            assert_eq!(addr.len, len);
            assert_eq!(addr.unix_path(), Some((path(name), name.len())));
            assert_eq!(addr.socket_addr(), None);
        }
        let longest = [b'x'; UNIX_PATH_LEN];
        let addr = SockAddr::unix(&longest, UNIX_PATH_LEN);
        assert_eq!(addr.unix_path(), Some((longest, UNIX_PATH_LEN)));
    }

    #[test]
    fn what_is_no_address_is_none() {
        assert_eq!(SockAddr::unset().socket_addr(), None);
        assert_eq!(SockAddr::unset().unix_path(), None);
        let mut cut = SockAddr::ip(&"[::1]:1".parse().unwrap());
        cut.len = 20;
        assert_eq!(cut.socket_addr(), None);
        cut.len = u32::MAX;
        assert_eq!(cut.socket_addr(), Some("[::1]:1".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn an_address_is_read_as_it_was_written(ip: [u8; 16], port: u16, flow: u32, scope: u32) {
            let v6 = SocketAddr::V6(SocketAddrV6::new(ip.into(), port, flow, scope));
            prop_assert_eq!(SockAddr::ip(&v6).socket_addr(), Some(v6));
            let v4 = SocketAddr::from(([ip[0], ip[1], ip[2], ip[3]], port));
            prop_assert_eq!(SockAddr::ip(&v4).socket_addr(), Some(v4));
        }
    }
}
