//! Options that only sockets of the plugin have. The host reaches those of level
//! `SOL_SOCKET` alone, and says so of each of these.

use super::options::unreachable_option;
use crate::backend;
use crate::Errno;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// An option, by Linux's numbers.
#[derive(Clone, Copy, Debug)]
pub struct SystemOption {
    /// `IPPROTO_TCP` and so on.
    pub level: i32,
    /// `TCP_NODELAY` and so on.
    pub name: i32,
    /// What an error calls it.
    pub label: &'static str,
}

const SOL_SOCKET: i32 = 1;
const IPPROTO_IP: i32 = 0;
const IPPROTO_TCP: i32 = 6;
const IPPROTO_IPV6: i32 = 41;

macro_rules! options {
    ($($(#[$doc:meta])* $constant:ident = $level:ident, $name:literal, $label:literal;)*) => {
        impl SystemOption {
            $($(#[$doc])* pub const $constant: SystemOption = SystemOption {
                level: $level,
                name: $name,
                label: $label,
            };)*
        }
    };
}

options! {
    /// `IP_TTL`: how many hops a packet may take.
    TTL = IPPROTO_IP, 2, "ttl";
    /// `IP_MULTICAST_TTL`: how many hops a packet to a group may take.
    MULTICAST_TTL_V4 = IPPROTO_IP, 33, "multicast_ttl_v4";
    /// `IP_MULTICAST_LOOP`: what is sent to a group comes back.
    MULTICAST_LOOP_V4 = IPPROTO_IP, 34, "multicast_loop_v4";
    /// `IP_ADD_MEMBERSHIP`.
    JOIN_V4 = IPPROTO_IP, 35, "join_multicast_v4";
    /// `IP_DROP_MEMBERSHIP`.
    LEAVE_V4 = IPPROTO_IP, 36, "leave_multicast_v4";
    /// `IPV6_MULTICAST_LOOP`: what is sent to a group comes back.
    MULTICAST_LOOP_V6 = IPPROTO_IPV6, 19, "multicast_loop_v6";
    /// `IPV6_ADD_MEMBERSHIP`.
    JOIN_V6 = IPPROTO_IPV6, 20, "join_multicast_v6";
    /// `IPV6_DROP_MEMBERSHIP`.
    LEAVE_V6 = IPPROTO_IPV6, 21, "leave_multicast_v6";
    /// `IPV6_V6ONLY`: an IPv6 socket is none for IPv4.
    ONLY_V6 = IPPROTO_IPV6, 26, "only_v6";
    /// `SO_REUSEPORT`: others may listen at the same address, and share what comes.
    REUSE_PORT = SOL_SOCKET, 15, "reuse_port";
    /// `SO_PEERCRED`: who the peer of a Unix socket is.
    PEER_CREDENTIALS = SOL_SOCKET, 17, "peer_cred";
    /// `TCP_NODELAY`: small segments do not wait for the peer's acknowledgement.
    NODELAY = IPPROTO_TCP, 1, "nodelay";
}

fn explain(option: SystemOption) -> impl Fn(Errno) -> io::Error {
    move |errno| match errno {
        Errno::NOTSUP => unreachable_option(option.label),
        errno => errno.into(),
    }
}

fn to_backend(option: SystemOption) -> backend::SystemOption {
    backend::SystemOption {
        level: option.level,
        name: option.name,
    }
}

/// Fills `value`; gives how many bytes of it were filled.
///
/// # Errors
///
/// `Unsupported` without the plugin; the system's.
pub fn get_bytes(fd: BorrowedFd<'_>, option: SystemOption, value: &mut [u8]) -> io::Result<usize> {
    let result = backend::system(fd.as_raw_fd(), to_backend(option), value);
    result.map_err(explain(option))
}

/// Sets an option.
///
/// # Errors
///
/// As [`get_bytes`].
pub fn set_bytes(fd: BorrowedFd<'_>, option: SystemOption, value: &[u8]) -> io::Result<()> {
    let result = backend::set_system(fd.as_raw_fd(), to_backend(option), value);
    result.map_err(explain(option))
}

/// The value of an option that is a number.
///
/// # Errors
///
/// As [`get_bytes`].
pub fn get(fd: BorrowedFd<'_>, option: SystemOption) -> io::Result<i32> {
    let mut value = [0; 4];
    get_bytes(fd, option, &mut value)?;
    Ok(i32::from_le_bytes(value))
}

/// Sets an option that is a number.
///
/// # Errors
///
/// As [`get_bytes`].
pub fn set(fd: BorrowedFd<'_>, option: SystemOption, value: i32) -> io::Result<()> {
    set_bytes(fd, option, &value.to_le_bytes())
}

/// `IP_ADD_MEMBERSHIP` or `IP_DROP_MEMBERSHIP`: a group, and the interface with this
/// address.
///
/// # Errors
///
/// As [`get_bytes`].
pub fn member_v4(
    fd: BorrowedFd<'_>,
    option: SystemOption,
    group: &Ipv4Addr,
    interface: &Ipv4Addr,
) -> io::Result<()> {
    let mut value = [0; 8];
    value[..4].copy_from_slice(&group.octets());
    value[4..].copy_from_slice(&interface.octets());
    set_bytes(fd, option, &value)
}

/// `IPV6_ADD_MEMBERSHIP` or `IPV6_DROP_MEMBERSHIP`: a group, and the interface of this
/// number.
///
/// # Errors
///
/// As [`get_bytes`].
pub fn member_v6(
    fd: BorrowedFd<'_>,
    option: SystemOption,
    group: &Ipv6Addr,
    interface: u32,
) -> io::Result<()> {
    let mut value = [0; 20];
    value[..16].copy_from_slice(&group.octets());
    value[16..].copy_from_slice(&interface.to_le_bytes());
    set_bytes(fd, option, &value)
}

/// One more descriptor for the same socket.
///
/// # Errors
///
/// `Unsupported` without the plugin: WASI cannot duplicate a descriptor. The system's,
/// such as too many open files.
pub fn duplicate(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    crate::coalesce::flush_socket(fd.as_raw_fd());
    backend::duplicate(fd.as_raw_fd()).map_err(|errno| match errno {
        Errno::NOTSUP => no_duplicates(),
        errno => errno.into(),
    })
}

fn no_duplicates() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "try_clone: WASI cannot duplicate a file descriptor",
    )
}
