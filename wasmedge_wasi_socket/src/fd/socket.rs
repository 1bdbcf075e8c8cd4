//! Socket operations on borrowed file descriptors.
//!
//! These are the calls the types in [`net`](crate::net) are made of, for
//! runtimes that hold descriptors of their own. They leave
//! [notes](crate::ready) on what they used up.

use super::poll::{self, Direction};
use crate::abi::{AddressFamily, SocketType, FDFLAGS_NONBLOCK, RIFLAGS_PEEK, RIFLAGS_WAITALL};
use crate::conv::{self, AddressBuf};
use crate::ready::{note, Exhausted};
use crate::sys::{self, IntOption, RecvBufs, SendBufs, TimeOption};
use crate::{gather, pending, Errno};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

pub mod unix;

/// Opens a socket.
///
/// # Errors
///
/// The host's, such as too many open files.
pub fn open(family: AddressFamily, socktype: SocketType, nonblocking: bool) -> io::Result<OwnedFd> {
    let fd = sys::open(family, socktype)?;
    forget(fd.as_fd());
    if nonblocking {
        set_nonblocking(fd.as_fd(), true)?;
    }
    Ok(fd)
}

/// `fd` is closed, or a new socket, which may have the number of one that is gone.
pub(crate) fn forget(fd: BorrowedFd<'_>) {
    gather::forget(fd.as_raw_fd());
    pending::forget(fd.as_raw_fd());
}

/// Closes a socket. What is [gathered](gather) for it goes out first.
pub(crate) fn close(fd: OwnedFd) {
    pending::forget(fd.as_raw_fd());
    gather::close(fd);
}

/// The error that a [`probe`] met, as the result of the operation that is told
/// of it.
#[inline]
fn met(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    pending::take(fd.as_raw_fd()).map_or(Ok(()), Err)
}

/// Opens a socket of the family of `addr`.
///
/// # Errors
///
/// As [`open`].
pub fn open_for(addr: &SocketAddr, socktype: SocketType, nonblocking: bool) -> io::Result<OwnedFd> {
    open(conv::family(addr), socktype, nonblocking)
}

/// Binds a socket to a local address.
///
/// # Errors
///
/// `AddrInUse`, `AddrNotAvailable`; `Unsupported` for an IPv6 address that
/// needs its scope id, which the host cannot take.
pub fn bind(fd: BorrowedFd<'_>, addr: &SocketAddr) -> io::Result<()> {
    Ok(sys::bind(fd, &AddressBuf::new(addr)?, addr.port())?)
}

/// Makes a bound TCP socket a listener.
///
/// # Errors
///
/// The host's.
pub fn listen(fd: BorrowedFd<'_>, backlog: i32) -> io::Result<()> {
    Ok(sys::listen(fd, backlog)?)
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
    let fd = accept_stream(listener, nonblocking)?;
    let peer = match sys::peer_addr(fd.as_fd()) {
        Ok((addr, port)) => ip_addr(&addr, port)?,
        Err(Errno::NOTCONN) => conv::unspecified(conv::family(&local_addr(listener)?)),
        Err(errno) => return Err(errno.into()),
    };
    Ok((fd, peer))
}

/// Accepts a connection of any family; who the peer is, is asked by the caller.
fn accept_stream(listener: BorrowedFd<'_>, nonblocking: bool) -> io::Result<OwnedFd> {
    gather::before_operation();
    let fd = loop {
        match sys::accept(listener) {
            Ok(fd) => break fd,
            Err(Errno::INTR) => {}
            Err(errno) => {
                if errno == Errno::AGAIN {
                    note(Exhausted::READ);
                }
                return Err(errno.into());
            }
        }
    };
    forget(fd.as_fd());
    if nonblocking {
        set_nonblocking(fd.as_fd(), true)?;
    }
    Ok(fd)
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
    let (buf, port) = (AddressBuf::new(addr)?, addr.port());
    gather::before_operation();
    let mut interrupted = false;
    Ok(loop {
        match sys::connect(fd, &buf, port) {
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

#[inline]
fn recv_bufs(
    fd: BorrowedFd<'_>,
    socktype: SocketType,
    mut bufs: RecvBufs<'_>,
) -> io::Result<usize> {
    gather::before_operation();
    met(fd)?;
    let result = sys::recv(fd, &mut bufs, 0);
    match result {
        Ok(n) if n > 0 && socktype == SocketType::Stream => note(if n < bufs.total() {
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
pub fn probe(fd: BorrowedFd<'_>) -> Probe {
    match sys::recv(fd, &mut RecvBufs::one(&mut [0]), RIFLAGS_PEEK) {
        Ok(_) => Probe::Something,
        Err(Errno::AGAIN | Errno::INTR) => Probe::Nothing,
        Err(Errno::NOTCONN | Errno::INVAL) => Probe::NoConnection,
        Err(errno) => {
            pending::put(fd.as_raw_fd(), errno);
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
pub(crate) fn recv_flagged(
    fd: BorrowedFd<'_>,
    mut bufs: RecvBufs<'_>,
    flags: u16,
) -> io::Result<(usize, u16)> {
    gather::before_operation();
    met(fd)?;
    let result = sys::recv_flagged(fd, &mut bufs, flags);
    if result == Err(Errno::AGAIN) {
        note(Exhausted::READ);
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
pub(crate) fn require_datagram(fd: BorrowedFd<'_>) -> io::Result<()> {
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
pub(crate) fn recv_from_flagged(
    fd: BorrowedFd<'_>,
    mut bufs: RecvBufs<'_>,
    flags: u16,
) -> io::Result<(usize, SocketAddr, u16)> {
    gather::before_operation();
    met(fd)?;
    match sys::recv_from(fd, &mut bufs, flags) {
        Ok((n, addr, port, flags)) => Ok((n, ip_addr(&addr, conv::received_port(port))?, flags)),
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
    if gather::may_concern(fd.as_raw_fd()) {
        if let Some(result) = gathered(fd, socktype, &[IoSlice::new(buf)]) {
            return result;
        }
    }
    send_bufs(fd, socktype, &SendBufs::one(buf))
}

/// A write on a socket that gathers, or has gathered; `None` if it is neither, or
/// has to send by itself.
fn gathered(
    fd: BorrowedFd<'_>,
    socktype: SocketType,
    bufs: &[IoSlice<'_>],
) -> Option<io::Result<usize>> {
    gather::before_operation();
    if let Err(errno) = met(fd) {
        return Some(Err(errno.into()));
    }
    // What is no stream keeps its boundaries.
    let result = gather::write(fd.as_raw_fd(), bufs, socktype == SocketType::Stream)?;
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
    if gather::may_concern(fd.as_raw_fd()) {
        if let Some(result) = gathered(fd, socktype, bufs) {
            return result;
        }
    }
    send_bufs(fd, socktype, &SendBufs::many(bufs))
}

#[inline]
fn send_bufs(fd: BorrowedFd<'_>, socktype: SocketType, bufs: &SendBufs<'_>) -> io::Result<usize> {
    met(fd)?;
    let result = sys::send(fd, bufs);
    match result {
        Ok(n) if socktype == SocketType::Stream => {
            if n < bufs.total() {
                note(Exhausted::WRITE);
            } else {
                gather::wrote(fd.as_raw_fd());
            }
        }
        Err(Errno::AGAIN) => note(Exhausted::WRITE),
        _ => {}
    }
    Ok(result?)
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
    gather::before_operation();
    let result = sys::send_to(fd, bufs, &AddressBuf::new(addr)?, addr.port());
    if result == Err(Errno::AGAIN) {
        note(Exhausted::WRITE);
    }
    Ok(result?)
}

/// Shuts one or both directions.
///
/// # Errors
///
/// `NotConnected` and so on.
pub fn shutdown(fd: BorrowedFd<'_>, how: Shutdown) -> io::Result<()> {
    let how = match how {
        Shutdown::Read => 1,
        Shutdown::Write => 2,
        Shutdown::Both => 3,
    };
    if how != 1 && gather::shut(fd.as_raw_fd()) {
        // The writing side is shut when the rest is out.
        return match how {
            2 => Ok(()),
            _ => Ok(sys::shutdown(fd, 1)?),
        };
    }
    Ok(sys::shutdown(fd, how)?)
}

/// The local address; unspecified while the socket has none.
///
/// # Errors
///
/// The host's; `InvalidInput` when `fd` is not an IP socket.
pub fn local_addr(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let (addr, port) = sys::local_addr(fd)?;
    ip_addr(&addr, port)
}

/// The address of the peer.
///
/// # Errors
///
/// `NotConnected`; `InvalidInput` when `fd` is not an IP socket.
pub fn peer_addr(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let (addr, port) = sys::peer_addr(fd)?;
    ip_addr(&addr, port)
}

fn ip_addr(addr: &AddressBuf, port: u16) -> io::Result<SocketAddr> {
    addr.socket_addr(port)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "not an IP address"))
}

/// Turns non-blocking mode on or off.
///
/// # Errors
///
/// The host's.
pub fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> io::Result<()> {
    gather::flush_socket(fd.as_raw_fd());
    let flags = if nonblocking { FDFLAGS_NONBLOCK } else { 0 };
    Ok(sys::set_fd_flags(fd, flags)?)
}

/// Whether the descriptor is in non-blocking mode.
///
/// # Errors
///
/// The host's.
pub fn nonblocking(fd: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(sys::fd_flags(fd)? & FDFLAGS_NONBLOCK != 0)
}

macro_rules! flags {
    ($($(#[$doc:meta])* $get:ident, $set:ident = $option:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// The host's.
            pub fn $get(fd: BorrowedFd<'_>) -> io::Result<bool> {
                Ok(sys::get_int(fd, IntOption::$option)? != 0)
            }

            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// The host's.
            pub fn $set(fd: BorrowedFd<'_>, on: bool) -> io::Result<()> {
                Ok(sys::set_int(fd, IntOption::$option, on.into())?)
            }
        )*
    };
}

flags! {
    /// `SO_REUSEADDR`: a listener may bind where old connections still end.
    reuse_address, set_reuse_address = ReuseAddr;
    /// `SO_BROADCAST`: datagrams may go to a broadcast address.
    broadcast, set_broadcast = Broadcast;
    /// `SO_KEEPALIVE`: probe an idle connection. Intervals cannot be set.
    keepalive, set_keepalive = KeepAlive;
    /// `SO_OOBINLINE`: urgent data stay in the stream.
    out_of_band_inline, set_out_of_band_inline = OobInline;
    /// `SO_DONTROUTE`: send to directly connected hosts only.
    dont_route, set_dont_route = DontRoute;
}

macro_rules! sizes {
    ($($(#[$doc:meta])* $get:ident, $set:ident = $option:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// The host's.
            pub fn $get(fd: BorrowedFd<'_>) -> io::Result<usize> {
                Ok(sys::get_int(fd, IntOption::$option)? as usize)
            }

            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// `InvalidInput` above `i32::MAX`; the host's.
            pub fn $set(fd: BorrowedFd<'_>, bytes: usize) -> io::Result<()> {
                let bytes = i32::try_from(bytes).map_err(|_| Errno::INVAL)?;
                Ok(sys::set_int(fd, IntOption::$option, bytes)?)
            }
        )*
    };
}

sizes! {
    /// `SO_SNDBUF`, in bytes. Linux sets twice what is asked.
    send_buffer_size, set_send_buffer_size = SendBuffer;
    /// `SO_RCVBUF`, in bytes. Linux sets twice what is asked.
    recv_buffer_size, set_recv_buffer_size = RecvBuffer;
    /// `SO_RCVLOWAT`, in bytes: below it a stream does not count as readable.
    recv_low_water, set_recv_low_water = RecvLowWater;
}

/// `SO_LINGER`, in whole seconds; `None` is off.
///
/// # Errors
///
/// The host's.
pub fn linger(fd: BorrowedFd<'_>) -> io::Result<Option<Duration>> {
    let (on, seconds) = sys::get_linger(fd)?;
    Ok(on.then(|| Duration::from_secs(seconds as u64)))
}

/// `SO_LINGER`, in whole seconds; `None` is off.
///
/// # Errors
///
/// The host's.
pub fn set_linger(fd: BorrowedFd<'_>, linger: Option<Duration>) -> io::Result<()> {
    let seconds = linger.unwrap_or_default().as_secs();
    let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
    Ok(sys::set_linger(fd, linger.is_some(), seconds)?)
}

/// How long a blocking receive or accept waits; `None` is without end.
///
/// # Errors
///
/// The host's.
pub fn read_timeout(fd: BorrowedFd<'_>) -> io::Result<Option<Duration>> {
    timeout(fd, TimeOption::Recv)
}

/// How long a blocking receive or accept waits; `None` is without end.
///
/// # Errors
///
/// `InvalidInput` for a time-out of zero; the host's.
pub fn set_read_timeout(fd: BorrowedFd<'_>, timeout: Option<Duration>) -> io::Result<()> {
    set_timeout(fd, TimeOption::Recv, timeout)
}

/// How long a blocking send waits; `None` is without end.
///
/// # Errors
///
/// The host's.
pub fn write_timeout(fd: BorrowedFd<'_>) -> io::Result<Option<Duration>> {
    timeout(fd, TimeOption::Send)
}

/// How long a blocking send waits; `None` is without end.
///
/// # Errors
///
/// `InvalidInput` for a time-out of zero; the host's.
pub fn set_write_timeout(fd: BorrowedFd<'_>, timeout: Option<Duration>) -> io::Result<()> {
    set_timeout(fd, TimeOption::Send, timeout)
}

fn timeout(fd: BorrowedFd<'_>, option: TimeOption) -> io::Result<Option<Duration>> {
    Ok(match sys::get_time(fd, option)? {
        (0, 0) => None,
        (seconds, micros) => Some(Duration::new(seconds as u64, micros as u32 * 1000)),
    })
}

fn set_timeout(
    fd: BorrowedFd<'_>,
    option: TimeOption,
    timeout: Option<Duration>,
) -> io::Result<()> {
    let (seconds, micros) = match timeout {
        None => (0, 0),
        Some(timeout) if timeout.is_zero() => return Err(zero_timeout()),
        Some(timeout) => (
            i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            i64::from(timeout.subsec_micros()),
        ),
    };
    // Zero would mean "without end".
    let micros = if timeout.is_some() && (seconds, micros) == (0, 0) {
        1
    } else {
        micros
    };
    Ok(sys::set_time(fd, option, seconds, micros)?)
}

fn zero_timeout() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "cannot set a 0 duration timeout")
}

/// `SO_ERROR`: the pending error, which is then forgotten.
///
/// # Errors
///
/// The host's, about asking.
pub fn take_error(fd: BorrowedFd<'_>) -> io::Result<Option<io::Error>> {
    gather::flush_socket(fd.as_raw_fd());
    if let Some(errno) = pending::take(fd.as_raw_fd()) {
        return Ok(Some(errno.into()));
    }
    Ok(match sys::get_int(fd, IntOption::Error)? {
        0 => None,
        errno => Some(Errno::from_raw(errno as u16).into()),
    })
}

/// Sets the option of this number to the bytes of `value`.
pub(crate) fn set_value<T>(fd: BorrowedFd<'_>, name: i32, value: T) -> io::Result<()> {
    Ok(sys::set_value(fd, name, value)?)
}

/// Moves a pending error to where the next operation on `fd` meets it, and says
/// whether there is one. For an error that the host's poll does not tell of.
pub(crate) fn keep_error(fd: i32) -> bool {
    match sys::socket_error(fd) {
        Ok(errno) if errno != 0 => {
            pending::put(fd, Errno::from_raw(errno as u16));
            true
        }
        _ => false,
    }
}

/// `SO_BINDTODEVICE`: the name of the network interface that the socket is bound
/// to.
///
/// # Errors
///
/// The host's.
pub fn device(fd: BorrowedFd<'_>) -> io::Result<Option<Vec<u8>>> {
    let name = sys::get_device(fd)?;
    Ok((!name.is_empty()).then_some(name))
}

/// `SO_BINDTODEVICE`: binds the socket to a network interface; `None` to any.
///
/// # Errors
///
/// The host's, such as an interface that does not exist.
pub fn bind_device(fd: BorrowedFd<'_>, name: Option<&[u8]>) -> io::Result<()> {
    Ok(sys::set_device(fd, name.unwrap_or_default())?)
}

/// `SO_TYPE`; `None` for a type this layer does not know.
///
/// # Errors
///
/// The host's.
pub fn socket_type(fd: BorrowedFd<'_>) -> io::Result<Option<SocketType>> {
    Ok(match sys::get_int(fd, IntOption::Type)? {
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
pub fn is_listener(fd: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(sys::get_int(fd, IntOption::AcceptConn)? != 0)
}

/// Whether "no delay" was last asked for.
pub fn nodelay(fd: BorrowedFd<'_>) -> bool {
    gather::asked(fd.as_raw_fd())
}

/// Asks for "no delay", or no longer. The host cannot set `TCP_NODELAY`: what a
/// runtime writes on the socket in one turn is [gathered](gather) and sent
/// together. Small writes in other turns may still wait for the peer's
/// acknowledgement (up to 43 ms).
pub fn set_nodelay(fd: BorrowedFd<'_>, on: bool) {
    gather::set_asked(fd.as_raw_fd(), on);
}

/// The error of an option that the host cannot reach: `Unsupported`, naming it.
pub fn unreachable_option(option: &str) -> io::Error {
    io::Error::new(
        ErrorKind::Unsupported,
        format!("{option}: WasmEdge's socket interface does not reach this option"),
    )
}
