//! Opening, connecting and moving data: one safe function per function of the plugin.
//!
//! Any number may be given: the plugin refuses those that it does not know. Every length
//! is the length of the buffer beside it.

use super::super::bufs::{RecvBufs, SendBufs};
use super::super::host::abi::{AddressFamily, SocketType, RIFLAGS_PEEK, RIFLAGS_WAITALL};
use super::errno::check;
use super::sockaddr::SockAddr;
use super::stubs;
use crate::Errno;
use std::net::Shutdown;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

// Linux's numbers, as docs/plugin.md has them.
const AF_UNIX: i32 = 1;
const AF_INET: i32 = 2;
const AF_INET6: i32 = 10;
const SOCK_STREAM: i32 = 1;
const SOCK_DGRAM: i32 = 2;
const MSG_OOB: i32 = 1;
const MSG_PEEK: i32 = 2;
const MSG_TRUNC: i32 = 0x20;
const MSG_WAITALL: i32 = 0x100;

/// The flag "truncated", as the host has it.
const TRUNCATED: u16 = 1;

fn address_of_mut<T>(value: &mut T) -> u32 {
    std::ptr::from_mut(value) as usize as u32
}

fn owned(returned: i64) -> Result<OwnedFd, Errno> {
    let fd = check(returned)? as u32 as RawFd;
    // SAFETY: the plugin just made this descriptor for us alone; it is never -1.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Opens a socket.
pub fn open(
    family: AddressFamily,
    socktype: SocketType,
    nonblocking: bool,
) -> Result<OwnedFd, Errno> {
    let family = match family {
        AddressFamily::Inet4 => AF_INET,
        AddressFamily::Inet6 => AF_INET6,
        AddressFamily::Unix => AF_UNIX,
    };
    owned(stubs::socket(family, kind(socktype), nonblocking.into()))
}

/// Two Unix sockets that are connected with each other.
pub fn pair(socktype: SocketType, nonblocking: bool) -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut numbers = [0_u32; 2];
    let out = address_of_mut(&mut numbers);
    check(stubs::pair(kind(socktype), nonblocking.into(), out))?;
    let [near, far] = numbers.map(|number| owned(number.into()));
    Ok((near?, far?))
}

fn kind(socktype: SocketType) -> i32 {
    match socktype {
        SocketType::Stream => SOCK_STREAM,
        SocketType::Datagram => SOCK_DGRAM,
    }
}

/// Binds a socket to a local address.
pub fn bind(fd: RawFd, addr: &SockAddr) -> Result<(), Errno> {
    let bytes = addr.bytes();
    check(stubs::bind(fd, bytes.as_ptr() as u32, bytes.len() as u32)).map(drop)
}

/// Makes a bound stream socket a listener.
pub fn listen(fd: RawFd, backlog: i32) -> Result<(), Errno> {
    check(stubs::listen(fd, backlog)).map(drop)
}

/// Accepts a connection, and tells who the peer is.
pub fn accept(fd: RawFd, nonblocking: bool) -> Result<(OwnedFd, SockAddr), Errno> {
    let mut peer = SockAddr::unset();
    let returned = stubs::accept(fd, nonblocking.into(), address_of_mut(&mut peer));
    Ok((owned(returned)?, peer))
}

/// Connects a socket.
pub fn connect(fd: RawFd, addr: &SockAddr) -> Result<(), Errno> {
    let bytes = addr.bytes();
    check(stubs::connect(
        fd,
        bytes.as_ptr() as u32,
        bytes.len() as u32,
    ))
    .map(drop)
}

/// Receives; 0 bytes are the end of a stream, or an empty datagram.
#[inline]
pub fn recv(fd: RawFd, bufs: &mut RecvBufs<'_>, flags: u16) -> Result<usize, Errno> {
    if let [one] = bufs.as_slice() {
        let count = check(stubs::recv(fd, one.buf, one.len, receive_flags(flags)?))?;
        return Ok(count as usize);
    }
    recv_flagged(fd, bufs, flags).map(|(count, _)| count)
}

/// Receives what was sent out of band.
pub fn recv_out_of_band(fd: RawFd, bufs: &mut RecvBufs<'_>) -> Result<usize, Errno> {
    let iovecs = bufs.as_slice();
    let (at, count) = (iovecs.as_ptr() as u32, iovecs.len() as u32);
    Ok(check(stubs::recv_message(fd, at, count, MSG_OOB, 0, 0))? as usize)
}

/// As [`recv`], with the host's flags: bit 0 is a datagram that was cut off.
pub fn recv_flagged(fd: RawFd, bufs: &mut RecvBufs<'_>, flags: u16) -> Result<(usize, u16), Errno> {
    let mut told = 0;
    let iovecs = bufs.as_slice();
    let count = check(stubs::recv_message(
        fd,
        iovecs.as_ptr() as u32,
        iovecs.len() as u32,
        receive_flags(flags)?,
        0,
        address_of_mut(&mut told),
    ))?;
    Ok((count as usize, truncated(told)))
}

/// Receives a datagram; returns its length, its sender and the flags of
/// [`recv_flagged`].
pub fn recv_from(
    fd: RawFd,
    bufs: &mut RecvBufs<'_>,
    flags: u16,
) -> Result<(usize, SockAddr, u16), Errno> {
    let (mut told, mut from) = (0, SockAddr::unset());
    let iovecs = bufs.as_slice();
    let count = check(stubs::recv_message(
        fd,
        iovecs.as_ptr() as u32,
        iovecs.len() as u32,
        receive_flags(flags)?,
        address_of_mut(&mut from),
        address_of_mut(&mut told),
    ))?;
    Ok((count as usize, from, truncated(told)))
}

/// The host's flags of receiving as the system's.
///
/// # Errors
///
/// `INVAL` for one that the host has not, as there: it must not seem to be obeyed.
pub(super) fn receive_flags(flags: u16) -> Result<i32, Errno> {
    if flags & !(RIFLAGS_PEEK | RIFLAGS_WAITALL) != 0 {
        return Err(Errno::INVAL);
    }
    let peek = if flags & RIFLAGS_PEEK != 0 {
        MSG_PEEK
    } else {
        0
    };
    let all = if flags & RIFLAGS_WAITALL != 0 {
        MSG_WAITALL
    } else {
        0
    };
    Ok(peek | all)
}

fn truncated(flags: i32) -> u16 {
    if flags & MSG_TRUNC != 0 {
        TRUNCATED
    } else {
        0
    }
}

/// Sends, and never raises `SIGPIPE`.
#[inline]
pub fn send(fd: RawFd, bufs: &SendBufs<'_>) -> Result<usize, Errno> {
    let iovecs = bufs.as_slice();
    let count = match iovecs {
        [one] => stubs::send(fd, one.buf, one.len, 0),
        _ => stubs::send_message(fd, iovecs.as_ptr() as u32, iovecs.len() as u32, 0, 0, 0),
    };
    Ok(check(count)? as usize)
}

/// Sends; the last byte is out of band.
pub fn send_out_of_band(fd: RawFd, bufs: &SendBufs<'_>) -> Result<usize, Errno> {
    let iovecs = bufs.as_slice();
    let (at, count) = (iovecs.as_ptr() as u32, iovecs.len() as u32);
    Ok(check(stubs::send_message(fd, at, count, MSG_OOB, 0, 0))? as usize)
}

/// Sends a datagram to `addr`.
pub fn send_to(fd: RawFd, bufs: &SendBufs<'_>, addr: &SockAddr) -> Result<usize, Errno> {
    let (iovecs, to) = (bufs.as_slice(), addr.bytes());
    let count = check(stubs::send_message(
        fd,
        iovecs.as_ptr() as u32,
        iovecs.len() as u32,
        0,
        to.as_ptr() as u32,
        to.len() as u32,
    ))?;
    Ok(count as usize)
}

/// Shuts one or both directions.
pub fn shutdown(fd: RawFd, how: Shutdown) -> Result<(), Errno> {
    let how = match how {
        Shutdown::Read => 0,
        Shutdown::Write => 1,
        Shutdown::Both => 2,
    };
    check(stubs::shutdown(fd, how)).map(drop)
}

/// The local address.
pub fn local_addr(fd: RawFd) -> Result<SockAddr, Errno> {
    let mut addr = SockAddr::unset();
    check(stubs::local_address(fd, address_of_mut(&mut addr)))?;
    Ok(addr)
}

/// The address of the peer.
pub fn peer_addr(fd: RawFd) -> Result<SockAddr, Errno> {
    let mut addr = SockAddr::unset();
    check(stubs::peer_address(fd, address_of_mut(&mut addr)))?;
    Ok(addr)
}

/// One more descriptor for the same socket.
pub fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    owned(stubs::duplicate(fd))
}

/// Whether a descriptor is in non-blocking mode.
pub fn is_nonblocking(fd: RawFd) -> Result<bool, Errno> {
    Ok(check(stubs::is_nonblocking(fd))? != 0)
}

/// Turns non-blocking mode on or off.
pub fn set_nonblocking(fd: RawFd, nonblocking: bool) -> Result<(), Errno> {
    check(stubs::set_nonblocking(fd, nonblocking.into())).map(drop)
}

/// Whether the plugin knows a socket of this number.
pub fn is_open(fd: RawFd) -> bool {
    is_nonblocking(fd) != Err(Errno::BADF)
}
