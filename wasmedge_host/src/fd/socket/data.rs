//! Sending and receiving.

use super::connect::{ip_addr, met, met_by_send, socket_type};
use crate::abi::{SocketType, RIFLAGS_PEEK, RIFLAGS_WAITALL};
use crate::backend::{self, Addr, RecvBufs, SendBufs};
use crate::ready::{note, Exhausted};
use crate::{coalesce, pending, Errno};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Receives into `buf`. 0 bytes are the end of a stream, or an empty datagram.
///
/// `socktype` says what a short answer means: a stream is then used up.
///
/// # Errors
///
/// `WouldBlock`, `ConnectionReset`, `NotConnected` and so on.
#[inline]
pub fn recv(fd: BorrowedFd<'_>, socktype: SocketType, buf: &mut [u8]) -> io::Result<usize> {
    recv_bufs(fd, socktype, RecvBufs::one(buf))
}

/// Receives into the first [`MAX_IOVECS`](crate::abi::MAX_IOVECS) of `bufs`.
///
/// # Errors
///
/// As [`recv`].
pub fn recv_vectored(
    fd: BorrowedFd<'_>,
    socktype: SocketType,
    bufs: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    recv_bufs(fd, socktype, RecvBufs::many(bufs))
}

/// What a receive gave, or the error that was met before, once there is nothing more: the
/// kernel tells of a connection's error behind all data that came before it.
#[inline]
fn or_met<T>(
    fd: BorrowedFd<'_>,
    result: Result<T, Errno>,
    is_end: impl Fn(&T) -> bool,
) -> Result<T, Errno> {
    let is_over = match &result {
        Ok(got) => is_end(got),
        Err(errno) => *errno == Errno::AGAIN,
    };
    if is_over {
        met(fd)?;
    }
    result
}

#[inline]
fn recv_bufs(
    fd: BorrowedFd<'_>,
    socktype: SocketType,
    mut bufs: RecvBufs<'_>,
) -> io::Result<usize> {
    coalesce::before_operation();
    let result = backend::recv(fd.as_raw_fd(), &mut bufs, 0);
    let result = or_met(fd, result, |&n| n == 0 && bufs.total() > 0);
    match result {
        Ok(_) if socktype != SocketType::Stream => note(Exhausted::TAKEN),
        Ok(0) if bufs.total() > 0 => note(Exhausted::END),
        Ok(0) => {}
        Ok(n) => note(if n < bufs.total() {
            Exhausted::READ
        } else {
            Exhausted::FULL
        }),
        Err(Errno::AGAIN) => note(Exhausted::READ),
        _ => {}
    }
    Ok(result?)
}

/// Receives and leaves the data in the queue.
///
/// # Errors
///
/// As [`recv`].
pub fn peek(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    recv_flags(fd, RecvBufs::one(buf), RIFLAGS_PEEK)
}

/// What a [`probe`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A read would block.
    Nothing,
    /// A read would not block: there are data, their end, or an error.
    Something,
    /// It is no connection: a listener, or not connected.
    NoConnection,
}

/// Looks whether a non-blocking stream has something to read, without a wait
/// and without taking it. About half as dear as having a poll look at it once.
///
/// Nothing is noted as used up. An error that the kernel tells only once is kept
/// for the next receive, send or [`take_error`] on `fd`. A descriptor that is
/// read from other than through this crate does not see it.
pub fn probe(fd: impl AsRawFd) -> Probe {
    let fd = fd.as_raw_fd();
    match backend::recv(fd, &mut RecvBufs::one(&mut [0]), RIFLAGS_PEEK) {
        Ok(_) => Probe::Something,
        Err(Errno::AGAIN | Errno::INTR) => Probe::Nothing,
        Err(Errno::NOTCONN | Errno::INVAL) => Probe::NoConnection,
        Err(errno) => {
            pending::put(fd, errno);
            Probe::Something
        }
    }
}

/// Receives into memory that need not be initialised; the first bytes, as many
/// as are returned, then are. With `peek`, leaves the data in the queue; with
/// `wait_all`, a blocking stream waits until `buf` is full.
///
/// # Errors
///
/// As [`recv`].
pub fn recv_uninit(
    fd: BorrowedFd<'_>,
    buf: &mut [MaybeUninit<u8>],
    peek: bool,
    wait_all: bool,
) -> io::Result<usize> {
    let flags = if peek { RIFLAGS_PEEK } else { 0 } | if wait_all { RIFLAGS_WAITALL } else { 0 };
    recv_flags(fd, RecvBufs::uninit(buf), flags)
}

fn recv_flags(fd: BorrowedFd<'_>, bufs: RecvBufs<'_>, flags: u16) -> io::Result<usize> {
    recv_flagged(fd, bufs, flags).map(|(n, _)| n)
}

/// Receives with flags as the host takes and sets them: on return 1 is a
/// datagram that was cut off.
pub fn recv_flagged(
    fd: BorrowedFd<'_>,
    mut bufs: RecvBufs<'_>,
    flags: u16,
) -> io::Result<(usize, u16)> {
    coalesce::before_operation();
    let result = backend::recv_flagged(fd.as_raw_fd(), &mut bufs, flags);
    let result = or_met(fd, result, |&(n, _)| n == 0 && bufs.total() > 0);
    match result {
        Ok(_) if flags & RIFLAGS_PEEK == 0 => note(Exhausted::TAKEN),
        Err(Errno::AGAIN) => note(Exhausted::READ),
        _ => {}
    }
    Ok(result?)
}

/// Receives a datagram and its sender. What does not fit in `buf` is lost.
///
/// # Errors
///
/// As [`recv`]; `InvalidInput` on a stream, whose sender the host cannot name.
pub fn recv_from(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    require_datagram(fd)?;
    recv_from_datagram(fd, RecvBufs::one(buf), false)
}

/// As [`recv_from`], and leaves the datagram in the queue.
///
/// # Errors
///
/// As [`recv_from`].
pub fn peek_from(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    require_datagram(fd)?;
    recv_from_datagram(fd, RecvBufs::one(buf), true)
}

/// As [`recv_from`] or, with `peek`, [`peek_from`], into memory that need not be
/// initialised.
///
/// # Errors
///
/// As [`recv_from`].
pub fn recv_from_uninit(
    fd: BorrowedFd<'_>,
    buf: &mut [MaybeUninit<u8>],
    peek: bool,
) -> io::Result<(usize, SocketAddr)> {
    require_datagram(fd)?;
    recv_from_datagram(fd, RecvBufs::uninit(buf), peek)
}

/// Asked for the sender on a stream, the host prints a warning on the standard
/// output and leaves rubbish in the address.
pub fn require_datagram(fd: BorrowedFd<'_>) -> io::Result<()> {
    match socket_type(fd)? {
        Some(SocketType::Datagram) => Ok(()),
        _ => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "receiving with the sender's address needs a datagram socket",
        )),
    }
}

/// `fd` is known to be a datagram socket.
pub(crate) fn recv_from_datagram(
    fd: BorrowedFd<'_>,
    bufs: RecvBufs<'_>,
    peek: bool,
) -> io::Result<(usize, SocketAddr)> {
    let flags = if peek { RIFLAGS_PEEK } else { 0 };
    let (n, sender, _) = recv_from_flagged(fd, bufs, flags)?;
    Ok((n, sender))
}

/// As [`recv_from_datagram`], with flags as the host takes and sets them: on
/// return 1 is a datagram that was cut off.
pub fn recv_from_flagged(
    fd: BorrowedFd<'_>,
    mut bufs: RecvBufs<'_>,
    flags: u16,
) -> io::Result<(usize, SocketAddr, u16)> {
    coalesce::before_operation();
    met(fd)?;
    match backend::recv_from(fd.as_raw_fd(), &mut bufs, flags) {
        Ok((n, addr, told)) => {
            if flags & RIFLAGS_PEEK == 0 {
                note(Exhausted::TAKEN);
            }
            Ok((n, ip_addr(&addr)?, told))
        }
        Err(errno) => {
            if errno == Errno::AGAIN {
                note(Exhausted::READ);
            }
            Err(errno.into())
        }
    }
}

/// Sends `buf`. Never raises `SIGPIPE` in the host.
///
/// # Errors
///
/// `WouldBlock`, `BrokenPipe`, `ConnectionReset` and so on.
#[inline]
pub fn send(fd: BorrowedFd<'_>, socktype: SocketType, buf: &[u8]) -> io::Result<usize> {
    if coalesce::is_tracked(fd.as_raw_fd()) {
        if let Some(result) = coalesced(fd, socktype, &[IoSlice::new(buf)]) {
            return result;
        }
    }
    send_bufs(fd, socktype, &SendBufs::one(buf))
}

/// A write on a socket that coalesces, or has something held; `None` if it does
/// neither, or has to send by itself.
fn coalesced(
    fd: BorrowedFd<'_>,
    socktype: SocketType,
    bufs: &[IoSlice<'_>],
) -> Option<io::Result<usize>> {
    coalesce::before_operation();
    if let Err(errno) = met_by_send(fd) {
        return Some(Err(errno.into()));
    }
    // What is no stream keeps its boundaries.
    let result = coalesce::write(fd.as_raw_fd(), bufs, socktype == SocketType::Stream)?;
    let total = bufs
        .iter()
        .fold(0usize, |sum, buf| sum.saturating_add(buf.len()));
    match result {
        Ok(n) if n < total => note(Exhausted::WRITE),
        Err(Errno::AGAIN) => note(Exhausted::WRITE),
        _ => {}
    }
    Some(result.map_err(io::Error::from))
}

/// Sends the first [`MAX_IOVECS`](crate::abi::MAX_IOVECS) of `bufs` in one call
/// of the host.
///
/// # Errors
///
/// As [`send`].
pub fn send_vectored(
    fd: BorrowedFd<'_>,
    socktype: SocketType,
    bufs: &[IoSlice<'_>],
) -> io::Result<usize> {
    if coalesce::is_tracked(fd.as_raw_fd()) {
        if let Some(result) = coalesced(fd, socktype, bufs) {
            return result;
        }
    }
    send_bufs(fd, socktype, &SendBufs::many(bufs))
}

#[inline]
fn send_bufs(fd: BorrowedFd<'_>, socktype: SocketType, bufs: &SendBufs<'_>) -> io::Result<usize> {
    met_by_send(fd)?;
    let result = backend::send(fd.as_raw_fd(), bufs);
    match result {
        Ok(n) if socktype == SocketType::Stream => {
            if n < bufs.total() {
                note(Exhausted::WRITE);
            } else {
                coalesce::wrote(fd.as_raw_fd());
            }
        }
        Err(Errno::AGAIN) => note(Exhausted::WRITE),
        _ => {}
    }
    Ok(result?)
}

/// Receives what was sent out of band (`MSG_OOB`).
///
/// # Errors
///
/// `InvalidInput` when there is nothing, or it stays in the stream; `Unsupported` without
/// the plugin; else as [`recv`].
pub fn recv_out_of_band(fd: BorrowedFd<'_>, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    coalesce::before_operation();
    let result = backend::recv_out_of_band(fd.as_raw_fd(), &mut RecvBufs::uninit(buf));
    result.map_err(no_band)
}

/// Sends; the last byte is out of band (`MSG_OOB`).
///
/// # Errors
///
/// `Unsupported` without the plugin; else as [`send`].
pub fn send_out_of_band(fd: BorrowedFd<'_>, buf: &[u8]) -> io::Result<usize> {
    coalesce::before_operation();
    coalesce::flush_socket(fd.as_raw_fd());
    met_by_send(fd)?;
    backend::send_out_of_band(fd.as_raw_fd(), &SendBufs::one(buf)).map_err(no_band)
}

fn no_band(errno: Errno) -> io::Error {
    match errno {
        Errno::NOTSUP => io::Error::new(
            ErrorKind::Unsupported,
            "out-of-band data: WasmEdge has none without a plugin",
        ),
        errno => errno.into(),
    }
}

/// Sends a datagram to `addr`.
///
/// # Errors
///
/// As [`send`]; `Unsupported` for an IPv6 address that needs its scope id.
pub fn send_to(fd: BorrowedFd<'_>, buf: &[u8], addr: &SocketAddr) -> io::Result<usize> {
    send_bufs_to(fd, &SendBufs::one(buf), addr)
}

/// Sends the first [`MAX_IOVECS`](crate::abi::MAX_IOVECS) of `bufs` to `addr` as
/// one datagram.
///
/// # Errors
///
/// As [`send_to`].
pub fn send_to_vectored(
    fd: BorrowedFd<'_>,
    bufs: &[IoSlice<'_>],
    addr: &SocketAddr,
) -> io::Result<usize> {
    send_bufs_to(fd, &SendBufs::many(bufs), addr)
}

fn send_bufs_to(fd: BorrowedFd<'_>, bufs: &SendBufs<'_>, addr: &SocketAddr) -> io::Result<usize> {
    coalesce::before_operation();
    let fd = fd.as_raw_fd();
    let result = backend::send_to(fd, bufs, &Addr::ip(fd, addr)?);
    if result == Err(Errno::AGAIN) {
        note(Exhausted::WRITE);
    }
    Ok(result?)
}
