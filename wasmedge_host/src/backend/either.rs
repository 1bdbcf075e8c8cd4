//! One function for both backends: the number of a socket tells whose it is.

use super::addr::Addr;
use super::bufs::{RecvBufs, SendBufs};
use super::host::abi::{AddressFamily, SocketType};
use super::host::{self, Direction, Waited};
use super::plugin;
use crate::Errno;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Opens a socket: of the plugin's, where that is.
///
/// # Errors
///
/// `NOSYS` for a Unix socket where those are not allowed; the system's.
pub fn open(
    family: AddressFamily,
    socktype: SocketType,
    nonblocking: bool,
) -> Result<OwnedFd, Errno> {
    if plugin::is_there() {
        return match plugin::open(family, socktype, nonblocking) {
            Err(Errno::AFNOSUPPORT) if family == AddressFamily::Unix => Err(Errno::NOSYS),
            result => result,
        };
    }
    let fd = host::open(family, socktype)?;
    if nonblocking {
        host::set_nonblocking(fd.as_raw_fd(), true)?;
    }
    Ok(fd)
}

/// Two Unix sockets that are connected with each other. They need no permission: they
/// reach each other only.
///
/// # Errors
///
/// `NOTSUP` without the plugin: the host has no such call. The system's.
pub fn pair(socktype: SocketType, nonblocking: bool) -> Result<(OwnedFd, OwnedFd), Errno> {
    match plugin::is_there() {
        true => plugin::pair(socktype, nonblocking),
        false => Err(Errno::NOTSUP),
    }
}

/// Binds a socket to a local address.
pub fn bind(fd: RawFd, addr: &Addr) -> Result<(), Errno> {
    match addr {
        Addr::Plugin(addr) => plugin::bind(fd, addr),
        Addr::Host(addr) => host::bind(fd, addr),
    }
}

/// Makes a bound stream socket a listener.
pub fn listen(fd: RawFd, backlog: i32) -> Result<(), Errno> {
    match plugin::owns(fd) {
        true => plugin::listen(fd, backlog),
        false => host::listen(fd, backlog),
    }
}

/// Accepts a connection. Also tells who the peer is, where that needs no call more.
pub fn accept(fd: RawFd, nonblocking: bool) -> Result<(OwnedFd, Option<Addr>), Errno> {
    if plugin::owns(fd) {
        let (accepted, peer) = plugin::accept(fd, nonblocking)?;
        return Ok((accepted, Some(Addr::Plugin(peer))));
    }
    let accepted = host::accept(fd)?;
    if nonblocking {
        host::set_nonblocking(accepted.as_raw_fd(), true)?;
    }
    Ok((accepted, None))
}

/// Connects a socket.
pub fn connect(fd: RawFd, addr: &Addr) -> Result<(), Errno> {
    match addr {
        Addr::Plugin(addr) => plugin::connect(fd, addr),
        Addr::Host(addr) => host::connect(fd, addr),
    }
}

/// Receives; 0 bytes are the end of a stream, or an empty datagram.
#[inline]
pub fn recv(fd: RawFd, bufs: &mut RecvBufs<'_>, flags: u16) -> Result<usize, Errno> {
    match plugin::owns(fd) {
        true => plugin::recv(fd, bufs, flags),
        false => host::recv_flagged(fd, bufs, flags).map(|(count, _)| count),
    }
}

/// As [`recv`], with the host's flags: bit 0 is a datagram that was cut off.
#[inline]
pub fn recv_flagged(fd: RawFd, bufs: &mut RecvBufs<'_>, flags: u16) -> Result<(usize, u16), Errno> {
    match plugin::owns(fd) {
        true => plugin::recv_flagged(fd, bufs, flags),
        false => host::recv_flagged(fd, bufs, flags),
    }
}

/// Receives a datagram; returns its length, its sender and the flags of
/// [`recv_flagged`].
pub fn recv_from(
    fd: RawFd,
    bufs: &mut RecvBufs<'_>,
    flags: u16,
) -> Result<(usize, Addr, u16), Errno> {
    if plugin::owns(fd) {
        let (count, sender, told) = plugin::recv_from(fd, bufs, flags)?;
        return Ok((count, Addr::Plugin(sender), told));
    }
    let (count, sender, told) = host::recv_from(fd, bufs, flags)?;
    Ok((count, Addr::Host(sender), told))
}

/// Sends, and never raises `SIGPIPE` in the host.
#[inline]
pub fn send(fd: RawFd, bufs: &SendBufs<'_>) -> Result<usize, Errno> {
    match plugin::owns(fd) {
        true => plugin::send(fd, bufs),
        false => host::send(fd, bufs),
    }
}

/// Sends a datagram to `addr`.
pub fn send_to(fd: RawFd, bufs: &SendBufs<'_>, addr: &Addr) -> Result<usize, Errno> {
    match addr {
        Addr::Plugin(addr) => plugin::send_to(fd, bufs, addr),
        Addr::Host(addr) => host::send_to(fd, bufs, addr),
    }
}

/// Receives what was sent out of band.
///
/// # Errors
///
/// `NOTSUP` for a socket of the host's; the system's.
pub fn recv_out_of_band(fd: RawFd, bufs: &mut RecvBufs<'_>) -> Result<usize, Errno> {
    match plugin::owns(fd) {
        true => plugin::recv_out_of_band(fd, bufs),
        false => Err(Errno::NOTSUP),
    }
}

/// Sends; the last byte is out of band.
///
/// # Errors
///
/// As [`recv_out_of_band`].
pub fn send_out_of_band(fd: RawFd, bufs: &SendBufs<'_>) -> Result<usize, Errno> {
    match plugin::owns(fd) {
        true => plugin::send_out_of_band(fd, bufs),
        false => Err(Errno::NOTSUP),
    }
}

/// Shuts one or both directions.
pub fn shutdown(fd: RawFd, how: Shutdown) -> Result<(), Errno> {
    match plugin::owns(fd) {
        true => plugin::shutdown(fd, how),
        false => host::shutdown(fd, how),
    }
}

/// The local address; of port 0 and unspecified while the socket has none.
pub fn local_addr(fd: RawFd) -> Result<Addr, Errno> {
    match plugin::owns(fd) {
        true => plugin::local_addr(fd).map(Addr::Plugin),
        false => host::local_addr(fd).map(Addr::Host),
    }
}

/// The address of the peer.
pub fn peer_addr(fd: RawFd) -> Result<Addr, Errno> {
    match plugin::owns(fd) {
        true => plugin::peer_addr(fd).map(Addr::Plugin),
        false => host::peer_addr(fd).map(Addr::Host),
    }
}

/// Whether the socket has a peer.
pub fn is_connected(fd: RawFd) -> bool {
    peer_addr(fd).is_ok()
}

/// Whether a descriptor is in non-blocking mode.
pub fn is_nonblocking(fd: RawFd) -> Result<bool, Errno> {
    match plugin::owns(fd) {
        true => plugin::is_nonblocking(fd),
        false => host::is_nonblocking(fd),
    }
}

/// Turns non-blocking mode on or off.
pub fn set_nonblocking(fd: RawFd, nonblocking: bool) -> Result<(), Errno> {
    match plugin::owns(fd) {
        true => plugin::set_nonblocking(fd, nonblocking),
        false => host::set_nonblocking(fd, nonblocking),
    }
}

/// Whether there is a descriptor of this number.
pub fn is_open(fd: RawFd) -> bool {
    match plugin::owns(fd) {
        true => plugin::is_open(fd),
        false => host::is_open(fd),
    }
}

/// Waits until `fd` is ready, or `limit` has passed (`None`: without end).
///
/// A descriptor that the host does not know is waited for for ever without a limit:
/// ask before.
pub fn wait(fd: RawFd, direction: Direction, limit: Option<Duration>) -> Result<Waited, Errno> {
    match plugin::owns(fd) {
        true => plugin::wait(fd, direction, limit),
        false => host::wait(fd, direction, limit),
    }
}

/// Checks that a descriptor can stay in a poll.
///
/// # Errors
///
/// As the host's; [`Errno::BADF`] when there is no such descriptor.
pub fn check_pollable(fd: RawFd) -> Result<(), Errno> {
    match plugin::owns(fd) {
        true => plugin::is_nonblocking(fd).map(drop),
        false => host::check_pollable(fd),
    }
}

/// One more descriptor for the same socket.
///
/// # Errors
///
/// `NOTSUP` for a socket of the host's: WASI cannot. The system's.
pub fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    match plugin::owns(fd) {
        true => plugin::duplicate(fd),
        false => Err(Errno::NOTSUP),
    }
}
