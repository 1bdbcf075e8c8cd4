//! The options of sockets that a guest may see and set, by the system's own numbers.
//!
//! What is not in the list is refused: no option that needs a privilege, changes how the
//! kernel filters, or has control messages come in.

use super::sockets::socket_of;
use crate::{Call, Errno, Outcome, sys};

/// How long a value may be.
#[derive(Clone, Copy)]
enum Size {
    /// So many bytes.
    Is(u32),
    /// One of these.
    Either(&'static [u32]),
    /// A name, of so many bytes at most.
    Name(u32),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    Get,
    Set,
    Both,
}

use May::{Both, Get, Set};
use Size::{Either, Is, Name};

type Row = (i32, i32, Size, May);

const INT: Size = Is(4);
/// `ip_mreq`, `ip_mreqn`: a group, and an interface by address, index or both.
const GROUP: Size = Either(&[8, 12]);

#[rustfmt::skip]
static OPTIONS: &[Row] = &[
    (libc::SOL_SOCKET, libc::SO_REUSEADDR, INT, Both),
    (libc::SOL_SOCKET, libc::SO_TYPE, INT, Get),
    (libc::SOL_SOCKET, libc::SO_ERROR, INT, Get),
    (libc::SOL_SOCKET, libc::SO_DONTROUTE, INT, Both),
    (libc::SOL_SOCKET, libc::SO_BROADCAST, INT, Both),
    (libc::SOL_SOCKET, libc::SO_SNDBUF, INT, Both),
    (libc::SOL_SOCKET, libc::SO_RCVBUF, INT, Both),
    (libc::SOL_SOCKET, libc::SO_KEEPALIVE, INT, Both),
    (libc::SOL_SOCKET, libc::SO_OOBINLINE, INT, Both),
    (libc::SOL_SOCKET, libc::SO_LINGER, Is(8), Both),
    (libc::SOL_SOCKET, libc::SO_REUSEPORT, INT, Both),
    (libc::SOL_SOCKET, libc::SO_PEERCRED, Is(12), Get),
    (libc::SOL_SOCKET, libc::SO_RCVLOWAT, INT, Both),
    (libc::SOL_SOCKET, libc::SO_RCVTIMEO, Is(16), Both),
    (libc::SOL_SOCKET, libc::SO_SNDTIMEO, Is(16), Both),
    (libc::SOL_SOCKET, libc::SO_BINDTODEVICE, Name(16), Both),
    (libc::SOL_SOCKET, libc::SO_ACCEPTCONN, INT, Get),
    (libc::SOL_SOCKET, libc::SO_PROTOCOL, INT, Get),
    (libc::SOL_SOCKET, libc::SO_DOMAIN, INT, Get),
    (libc::IPPROTO_IP, libc::IP_TOS, INT, Both),
    (libc::IPPROTO_IP, libc::IP_TTL, INT, Both),
    (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, INT, Both),
    (libc::IPPROTO_IP, libc::IP_MULTICAST_TTL, INT, Both),
    (libc::IPPROTO_IP, libc::IP_MULTICAST_LOOP, INT, Both),
    (libc::IPPROTO_IP, libc::IP_MULTICAST_IF, INT, Get),
    (libc::IPPROTO_IP, libc::IP_MULTICAST_IF, Either(&[4, 8, 12]), Set),
    (libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP, GROUP, Set),
    (libc::IPPROTO_IP, libc::IP_DROP_MEMBERSHIP, GROUP, Set),
    (libc::IPPROTO_IP, libc::IP_ADD_SOURCE_MEMBERSHIP, Is(12), Set),
    (libc::IPPROTO_IP, libc::IP_DROP_SOURCE_MEMBERSHIP, Is(12), Set),
    (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, INT, Both),
    (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_IF, INT, Both),
    (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_HOPS, INT, Both),
    (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_LOOP, INT, Both),
    (libc::IPPROTO_IPV6, libc::IPV6_ADD_MEMBERSHIP, Is(20), Set),
    (libc::IPPROTO_IPV6, libc::IPV6_DROP_MEMBERSHIP, Is(20), Set),
    (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, INT, Both),
    (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, INT, Both),
    (libc::IPPROTO_IPV6, libc::IPV6_TCLASS, INT, Both),
    (libc::IPPROTO_TCP, libc::TCP_NODELAY, INT, Both),
    (libc::IPPROTO_TCP, libc::TCP_MAXSEG, INT, Both),
    (libc::IPPROTO_TCP, libc::TCP_CORK, INT, Both),
    (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, INT, Both),
    (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, INT, Both),
    (libc::IPPROTO_TCP, libc::TCP_KEEPCNT, INT, Both),
    (libc::IPPROTO_TCP, libc::TCP_SYNCNT, INT, Both),
    (libc::IPPROTO_TCP, libc::TCP_QUICKACK, INT, Both),
    (libc::IPPROTO_TCP, libc::TCP_CONGESTION, Name(16), Both),
    (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, INT, Both),
];

/// The longest value.
const ROOM: usize = 32;

/// How long a value may be of an option that may be got or set.
fn known(level: i32, name: i32, may: May) -> Result<Size, Errno> {
    let row = OPTIONS.iter().find(|(its_level, its_name, _, allowed)| {
        (*its_level, *its_name) == (level, name) && (*allowed == may || *allowed == Both)
    });
    row.map(|(_, _, size, _)| *size).ok_or(Errno::NOPROTOOPT)
}

impl Size {
    fn allows(self, len: u32) -> bool {
        match self {
            Is(size) => len == size,
            Either(sizes) => sizes.contains(&len),
            Name(most) => len <= most,
        }
    }
}

/// Gives the length of the value.
pub(super) fn get(
    call: &Call<'_>,
    socket: u32,
    level: i32,
    name: i32,
    at: u32,
    len: u32,
) -> Outcome {
    let socket = socket_of(call, socket)?;
    if !known(level, name, Get)?.allows(len) {
        return Err(Errno::INVAL);
    }
    let room = call.memory.region(at, len)?;
    let mut value = [0; ROOM];
    let value = value.get_mut(..len as usize).ok_or(Errno::INVAL)?;
    let len = sys::get_option(socket.fd, level, name, value)?;
    room.copy_from(&value[..len]);
    Ok(len as i64)
}

pub(super) fn set(
    call: &Call<'_>,
    socket: u32,
    level: i32,
    name: i32,
    at: u32,
    len: u32,
) -> Outcome {
    let socket = socket_of(call, socket)?;
    if !known(level, name, Set)?.allows(len) {
        return Err(Errno::INVAL);
    }
    let region = call.memory.region(at, len)?;
    let mut value = [0; ROOM];
    let value = value.get_mut(..len as usize).ok_or(Errno::INVAL)?;
    region.copy_to(value);
    sys::set_option(socket.fd, level, name, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_room() {
        for (level, name, size, _) in OPTIONS {
            let most = match size {
                Is(size) | Name(size) => *size,
                Either(sizes) => *sizes.iter().max().unwrap(),
            };
            assert!(most as usize <= ROOM, "{level} {name}");
        }
    }

    #[test]
    fn what_may_only_be_read_is_not_set() {
        assert!(known(libc::SOL_SOCKET, libc::SO_ERROR, Get).is_ok());
        assert!(known(libc::SOL_SOCKET, libc::SO_ERROR, Set).is_err());
        assert!(known(libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP, Set).is_ok());
        assert!(known(libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP, Get).is_err());
        // Needs a privilege, or opens what is shut.
        for name in [
            libc::SO_MARK,
            libc::SO_ATTACH_FILTER,
            libc::SO_PASSCRED,
            0,
            -1,
        ] {
            assert!(known(libc::SOL_SOCKET, name, Get).is_err(), "{name}");
            assert!(known(libc::SOL_SOCKET, name, Set).is_err(), "{name}");
        }
    }
}
