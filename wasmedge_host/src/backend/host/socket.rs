//! Opening, connecting and moving data: one safe function per import.
//!
//! A descriptor is a number here. Any number may be given: the host refuses those
//! that it does not know, with `BADF`.
//!
//! Pointers handed to the host stay valid for the call and are aligned as the
//! host checks from 0.17 on: 8 for addresses, 4 for `u32`s, 2 for `u16`s. Every
//! length is the length of the buffer beside it.

use super::super::bufs::{RecvBufs, SendBufs};
use super::abi::{AddressFamily, FdStat, SocketType, FDFLAGS_NONBLOCK};
use super::conv::{self, check, HostAddr};
use super::imports;
use crate::Errno;
use std::net::Shutdown;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Opens a blocking socket.
pub fn open(family: AddressFamily, socktype: SocketType) -> Result<OwnedFd, Errno> {
    let mut fd = -1;
    // SAFETY: `fd` is valid for writing; family and type are ones the host knows.
    check(unsafe { imports::sock_open_v2(family as i32, socktype as i32, &mut fd) })?;
    // SAFETY: the host just made this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Binds a socket to a local address.
pub fn bind(fd: RawFd, addr: &HostAddr) -> Result<(), Errno> {
    // SAFETY: the description and the buffer it points to outlive the call.
    check(unsafe { imports::sock_bind_v2(fd, &addr.describe(), addr.port().into()) })
}

/// Makes a bound stream socket a listener.
pub fn listen(fd: RawFd, backlog: i32) -> Result<(), Errno> {
    // SAFETY: no pointers.
    check(unsafe { imports::sock_listen_v2(fd, backlog) })
}

/// Accepts a connection. The new socket is blocking: asked for another mode,
/// the host changes the listener's instead, so it is never asked.
pub fn accept(fd: RawFd) -> Result<OwnedFd, Errno> {
    let mut new_fd = -1;
    // SAFETY: `new_fd` is valid for writing.
    check(unsafe { imports::sock_accept_v2(fd, 0, &mut new_fd) })?;
    // SAFETY: the host just made this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(new_fd) })
}

/// Connects a socket.
pub fn connect(fd: RawFd, addr: &HostAddr) -> Result<(), Errno> {
    // SAFETY: the description and the buffer it points to outlive the call.
    check(unsafe { imports::sock_connect_v2(fd, &addr.describe(), addr.port().into()) })
}

/// Receives; 0 bytes are the end of a stream, or an empty datagram. With the flags that
/// the host sets: bit 0 is a datagram that was cut off.
#[inline]
pub fn recv_flagged(fd: RawFd, bufs: &mut RecvBufs<'_>, flags: u16) -> Result<(usize, u16), Errno> {
    let iovecs = bufs.as_slice();
    let (mut nread, mut out_flags) = (0, 0);
    // SAFETY: `bufs` borrows every buffer mutably; the rest is local.
    check(unsafe {
        imports::sock_recv(
            fd,
            iovecs.as_ptr(),
            iovecs.len() as u32,
            flags.into(),
            &mut nread,
            &mut out_flags,
        )
    })?;
    Ok((nread as usize, out_flags))
}

/// Receives a datagram; returns its length, its sender and the flags of
/// [`recv_flagged`].
pub fn recv_from(
    fd: RawFd,
    bufs: &mut RecvBufs<'_>,
    flags: u16,
) -> Result<(usize, HostAddr, u16), Errno> {
    let iovecs = bufs.as_slice();
    let (mut nread, mut out_flags, mut port) = (0, 0, 0);
    let mut addr = HostAddr::unset();
    let mut description = addr.describe_mut();
    // SAFETY: `bufs` borrows every buffer mutably; the rest is local.
    check(unsafe {
        imports::sock_recv_from_v2(
            fd,
            iovecs.as_ptr(),
            iovecs.len() as u32,
            &mut description,
            flags.into(),
            &mut port,
            &mut nread,
            &mut out_flags,
        )
    })?;
    addr.set_received_port(port);
    Ok((nread as usize, addr, out_flags))
}

/// Sends, and never raises `SIGPIPE` in the host.
#[inline]
pub fn send(fd: RawFd, bufs: &SendBufs<'_>) -> Result<usize, Errno> {
    let iovecs = bufs.as_slice();
    let mut nwritten = 0;
    // SAFETY: `bufs` borrows every buffer; the rest is local.
    check(unsafe {
        imports::sock_send(fd, iovecs.as_ptr(), iovecs.len() as u32, 0, &mut nwritten)
    })?;
    Ok(nwritten as usize)
}

/// Sends a datagram to `addr`.
pub fn send_to(fd: RawFd, bufs: &SendBufs<'_>, addr: &HostAddr) -> Result<usize, Errno> {
    let iovecs = bufs.as_slice();
    let mut nwritten = 0;
    // SAFETY: `bufs` borrows every buffer; the rest outlives the call.
    check(unsafe {
        imports::sock_send_to_v2(
            fd,
            iovecs.as_ptr(),
            iovecs.len() as u32,
            &addr.describe(),
            addr.port().into(),
            0,
            &mut nwritten,
        )
    })?;
    Ok(nwritten as usize)
}

/// Shuts one or both directions.
pub fn shutdown(fd: RawFd, how: Shutdown) -> Result<(), Errno> {
    // SAFETY: no pointers.
    check(unsafe { imports::sock_shutdown(fd, conv::directions(how)) })
}

/// The local address; of port 0 and unspecified while the socket has none.
pub fn local_addr(fd: RawFd) -> Result<HostAddr, Errno> {
    let (mut addr, mut port) = (HostAddr::unset(), 0);
    let mut description = addr.describe_mut();
    // SAFETY: all three are valid for writing.
    check(unsafe { imports::sock_getlocaladdr_v2(fd, &mut description, &mut port) })?;
    addr.set_port(port);
    Ok(addr)
}

/// The address of the peer.
pub fn peer_addr(fd: RawFd) -> Result<HostAddr, Errno> {
    let (mut addr, mut port) = (HostAddr::unset(), 0);
    let mut description = addr.describe_mut();
    // SAFETY: all three are valid for writing.
    check(unsafe { imports::sock_getpeeraddr_v2(fd, &mut description, &mut port) })?;
    addr.set_port(port);
    Ok(addr)
}

/// Whether a descriptor is in non-blocking mode.
pub fn is_nonblocking(fd: RawFd) -> Result<bool, Errno> {
    let mut stat = FdStat::default();
    // SAFETY: `stat` is valid for writing.
    check(unsafe { imports::fd_fdstat_get(fd, &mut stat) })?;
    Ok(stat.flags & FDFLAGS_NONBLOCK != 0)
}

/// Turns non-blocking mode on or off.
pub fn set_nonblocking(fd: RawFd, nonblocking: bool) -> Result<(), Errno> {
    let flags = if nonblocking { FDFLAGS_NONBLOCK } else { 0 };
    // SAFETY: no pointers.
    check(unsafe { imports::fd_fdstat_set_flags(fd, flags.into()) })
}

/// The WASI file type of a descriptor.
pub(super) fn filetype(fd: RawFd) -> Result<u8, Errno> {
    let mut stat = FdStat::default();
    // SAFETY: `stat` is valid for writing.
    check(unsafe { imports::fd_fdstat_get(fd, &mut stat) })?;
    Ok(stat.filetype)
}

/// Whether the host knows a descriptor of this number.
pub fn is_open(fd: RawFd) -> bool {
    let mut stat = FdStat::default();
    // SAFETY: `stat` is valid for writing.
    check(unsafe { imports::fd_fdstat_get(fd, &mut stat) }) != Err(Errno::BADF)
}
