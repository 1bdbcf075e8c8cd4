//! Opening, connecting, shutting, and addresses.

use super::options::{take_error, zero_timeout};
use crate::abi::{AddressFamily, SocketType};
use crate::backend::{self, Addr, IntOption};
use crate::fd::poll::{self, Direction};
use crate::ready::{note, Exhausted};
use crate::{coalesce, pending, shut, Errno};
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

/// Opens a socket.
///
/// # Errors
///
/// The host's, such as too many open files.
pub fn open(family: AddressFamily, socktype: SocketType, nonblocking: bool) -> io::Result<OwnedFd> {
    let fd = backend::open(family, socktype, nonblocking)?;
    forget(fd.as_fd());
    Ok(fd)
}

/// `fd` is closed, or a new socket, which may have the number of one that is gone.
pub(crate) fn forget(fd: BorrowedFd<'_>) {
    coalesce::forget(fd.as_raw_fd());
    pending::forget(fd.as_raw_fd());
    shut::forget(fd.as_raw_fd());
}

/// Closes a socket. What is [held](coalesce) for it goes out first.
pub(crate) fn close(fd: OwnedFd) {
    pending::forget(fd.as_raw_fd());
    shut::forget(fd.as_raw_fd());
    coalesce::close(fd);
}

/// The error that a [`probe`] met, as the result of the operation that is told
/// of it.
#[inline]
pub(super) fn met(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    pending::take(fd.as_raw_fd()).map_or(Ok(()), Err)
}

/// The same, for a send. A Unix socket whose peer is gone is a broken pipe to who sends,
/// whatever the error is: that is left to who reads.
#[inline]
pub(super) fn met_by_send(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    let fd = fd.as_raw_fd();
    match pending::take(fd) {
        Some(errno) if is_unix(fd) => {
            pending::put(fd, errno);
            Ok(())
        }
        Some(errno) => Err(errno),
        None => Ok(()),
    }
}

fn is_unix(fd: RawFd) -> bool {
    backend::local_addr(fd).is_ok_and(|addr| addr.unix_path().is_some())
}

/// Opens a socket of the family of `addr`.
///
/// # Errors
///
/// As [`open`].
pub fn open_for(addr: &SocketAddr, socktype: SocketType, nonblocking: bool) -> io::Result<OwnedFd> {
    open(AddressFamily::of(addr), socktype, nonblocking)
}

/// Binds a socket to a local address.
///
/// # Errors
///
/// `AddrInUse`, `AddrNotAvailable`; `Unsupported` for an IPv6 address that
/// needs its scope id, which the host cannot take.
pub fn bind(fd: BorrowedFd<'_>, addr: &SocketAddr) -> io::Result<()> {
    let fd = fd.as_raw_fd();
    Ok(backend::bind(fd, &Addr::ip(fd, addr)?)?)
}

/// Makes a bound TCP socket a listener.
///
/// # Errors
///
/// The host's.
pub fn listen(fd: BorrowedFd<'_>, backlog: i32) -> io::Result<()> {
    Ok(backend::listen(fd.as_raw_fd(), backlog)?)
}

/// Accepts a connection. On a blocking listener, waits for one.
///
/// The address is unspecified (`0.0.0.0:0` or `[::]:0`) when the peer has reset
/// the connection meanwhile: the host cannot name the peer then.
///
/// # Errors
///
/// `WouldBlock` on a non-blocking listener; the host's, such as too many open
/// files. After the latter the listener stays readable: do not retry at once.
pub fn accept(listener: BorrowedFd<'_>, nonblocking: bool) -> io::Result<(OwnedFd, SocketAddr)> {
    let (fd, peer) = accept_stream(listener, nonblocking)?;
    let peer = match peer.map_or_else(|| backend::peer_addr(fd.as_raw_fd()), Ok) {
        Ok(addr) => ip_addr(&addr)?,
        Err(Errno::NOTCONN) => AddressFamily::of(&local_addr(listener)?).unspecified(),
        Err(errno) => return Err(errno.into()),
    };
    Ok((fd, peer))
}

/// Accepts a connection of any family. Where the peer is not named, the caller asks.
pub(super) fn accept_stream(
    listener: BorrowedFd<'_>,
    nonblocking: bool,
) -> io::Result<(OwnedFd, Option<Addr>)> {
    coalesce::before_operation();
    let (fd, peer) = loop {
        match backend::accept(listener.as_raw_fd(), nonblocking) {
            Ok(accepted) => break accepted,
            Err(Errno::INTR) => {}
            Err(errno) => {
                if errno == Errno::AGAIN {
                    note(Exhausted::READ);
                }
                return Err(errno.into());
            }
        }
    };
    note(Exhausted::TAKEN);
    forget(fd.as_fd());
    Ok((fd, peer))
}

/// Connects a socket. A blocking stream waits until it is connected.
///
/// # Errors
///
/// On a non-blocking stream, an error whose
/// [`raw_os_error`](io::Error::raw_os_error) is [`Errno::INPROGRESS`] means
/// that the attempt goes on: wait until the socket is writable, then ask
/// [`connect_result`]. Else `ConnectionRefused` and so on; `Unsupported` for an
/// IPv6 address that needs its scope id.
pub fn connect(fd: BorrowedFd<'_>, addr: &SocketAddr) -> io::Result<()> {
    Ok(connect_errno(fd, addr)??)
}

fn connect_errno(fd: BorrowedFd<'_>, addr: &SocketAddr) -> io::Result<Result<(), Errno>> {
    let host_addr = Addr::ip(fd.as_raw_fd(), addr)?;
    coalesce::before_operation();
    let mut interrupted = false;
    Ok(loop {
        match backend::connect(fd.as_raw_fd(), &host_addr) {
            Err(Errno::INTR) => interrupted = true,
            // The attempt went on while the call was interrupted.
            Err(Errno::ISCONN) if interrupted => break Ok(()),
            Err(Errno::ALREADY) if interrupted => {
                poll::wait(fd, Direction::Write, None)?;
                return connect_result(fd).map(Ok);
            }
            Err(Errno::INPROGRESS) => {
                note(Exhausted::WRITE);
                break Err(Errno::INPROGRESS);
            }
            result => break result,
        }
    })
}

/// How an attempt that went on in the background ended. To be asked once the
/// socket is writable; the host then forgets the error.
///
/// # Errors
///
/// `ConnectionRefused` and so on.
pub fn connect_result(fd: BorrowedFd<'_>) -> io::Result<()> {
    match take_error(fd)? {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

/// Connects a blocking stream, waiting no longer than `timeout`.
///
/// # Errors
///
/// `TimedOut`; `InvalidInput` when `timeout` is zero; else as [`connect`].
pub fn connect_timeout(fd: BorrowedFd<'_>, addr: &SocketAddr, timeout: Duration) -> io::Result<()> {
    set_nonblocking(fd, true)?;
    let result = connect_errno(fd, addr);
    set_nonblocking(fd, false)?;
    match result? {
        Err(Errno::INPROGRESS) => {}
        result => return Ok(result?),
    }
    if timeout.is_zero() {
        return Err(zero_timeout());
    }
    if poll::wait(fd, Direction::Write, Some(timeout))? {
        connect_result(fd)
    } else {
        Err(io::Error::new(ErrorKind::TimedOut, "connection timed out"))
    }
}

/// Shuts one or both directions. The selector that has `fd` registered tells of it, as
/// epoll does: the host's polls may not.
///
/// # Errors
///
/// `NotConnected` and so on.
pub fn shutdown(fd: BorrowedFd<'_>, how: Shutdown) -> io::Result<()> {
    let fd = fd.as_raw_fd();
    // The writing side is shut when the backlog is out.
    let is_put_off = how != Shutdown::Read && coalesce::shut(fd);
    let result = match (is_put_off, how) {
        (true, Shutdown::Both) => backend::shutdown(fd, Shutdown::Read),
        (true, _) => Ok(()),
        (false, how) => backend::shutdown(fd, how),
    };
    // Of a connection that is down already, too: the kernel looks at who waits before it
    // says that there is nothing to shut.
    let is_shut = !matches!(result, Err(errno) if errno != Errno::NOTCONN);
    // The plugin's epoll tells of what the kernel has done.
    if is_shut && (is_put_off || !backend::plugin::owns(fd)) {
        shut::put(fd, how);
    }
    Ok(result?)
}

/// The local address; unspecified while the socket has none.
///
/// # Errors
///
/// The host's; `InvalidInput` when `fd` is not an IP socket.
pub fn local_addr(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    ip_addr(&backend::local_addr(fd.as_raw_fd())?)
}

/// The address of the peer.
///
/// # Errors
///
/// `NotConnected`; `InvalidInput` when `fd` is not an IP socket.
pub fn peer_addr(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    ip_addr(&backend::peer_addr(fd.as_raw_fd())?)
}

pub(super) fn ip_addr(addr: &Addr) -> io::Result<SocketAddr> {
    addr.socket_addr()
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "not an IP address"))
}

/// Turns non-blocking mode on or off.
///
/// # Errors
///
/// The host's.
pub fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> io::Result<()> {
    coalesce::flush_socket(fd.as_raw_fd());
    Ok(backend::set_nonblocking(fd.as_raw_fd(), nonblocking)?)
}

/// Whether the descriptor is in non-blocking mode.
///
/// # Errors
///
/// The host's.
pub fn nonblocking(fd: impl AsRawFd) -> io::Result<bool> {
    Ok(backend::is_nonblocking(fd.as_raw_fd())?)
}

/// `SO_TYPE`; `None` for a type this layer does not know.
///
/// # Errors
///
/// The host's.
pub fn socket_type(fd: impl AsRawFd) -> io::Result<Option<SocketType>> {
    Ok(match backend::int(fd.as_raw_fd(), IntOption::Type)? {
        1 => Some(SocketType::Datagram),
        2 => Some(SocketType::Stream),
        _ => None,
    })
}

/// `SO_ACCEPTCONN`: the socket is a listener.
///
/// # Errors
///
/// The host's.
pub fn is_listener(fd: impl AsRawFd) -> io::Result<bool> {
    Ok(backend::int(fd.as_raw_fd(), IntOption::AcceptConn)? != 0)
}
