//! Options: those of level `SOL_SOCKET`, which is all that the host reaches, and "no
//! delay".

use super::system::{self, SystemOption};
use crate::backend::{self, IntOption, TimeOption};
use crate::{coalesce, pending, Errno};
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

macro_rules! flags {
    ($($(#[$doc:meta])* $get:ident, $set:ident = $option:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// The host's.
            pub fn $get(fd: BorrowedFd<'_>) -> io::Result<bool> {
                Ok(backend::int(fd.as_raw_fd(), IntOption::$option)? != 0)
            }

            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// The host's.
            pub fn $set(fd: BorrowedFd<'_>, on: bool) -> io::Result<()> {
                Ok(backend::set_int(fd.as_raw_fd(), IntOption::$option, on.into())?)
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
                Ok(backend::int(fd.as_raw_fd(), IntOption::$option)? as usize)
            }

            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// `InvalidInput` above `i32::MAX`; the host's.
            pub fn $set(fd: BorrowedFd<'_>, bytes: usize) -> io::Result<()> {
                let bytes = i32::try_from(bytes).map_err(|_| Errno::INVAL)?;
                Ok(backend::set_int(fd.as_raw_fd(), IntOption::$option, bytes)?)
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
    Ok(backend::linger(fd.as_raw_fd())?)
}

/// `SO_LINGER`, in whole seconds; `None` is off.
///
/// # Errors
///
/// The host's.
pub fn set_linger(fd: BorrowedFd<'_>, linger: Option<Duration>) -> io::Result<()> {
    Ok(backend::set_linger(fd.as_raw_fd(), linger)?)
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
    Ok(backend::time(fd.as_raw_fd(), option)?)
}

fn set_timeout(
    fd: BorrowedFd<'_>,
    option: TimeOption,
    timeout: Option<Duration>,
) -> io::Result<()> {
    match timeout {
        Some(timeout) if timeout.is_zero() => Err(zero_timeout()),
        timeout => Ok(backend::set_time(fd.as_raw_fd(), option, timeout)?),
    }
}

pub(super) fn zero_timeout() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "cannot set a 0 duration timeout")
}

/// `SO_ERROR`: the pending error, which is then forgotten.
///
/// # Errors
///
/// The host's, about asking.
pub fn take_error(fd: BorrowedFd<'_>) -> io::Result<Option<io::Error>> {
    coalesce::flush_socket(fd.as_raw_fd());
    if let Some(errno) = pending::take(fd.as_raw_fd()) {
        return Ok(Some(errno.into()));
    }
    Ok(backend::socket_error(fd.as_raw_fd())?.map(io::Error::from))
}

/// Sets the option of this number to these bytes. Those that are not initialised,
/// such as a struct's padding, reach the host as whatever the memory holds.
///
/// # Errors
///
/// `InvalidInput` for more than 16 bytes, which no option has; the host's.
pub fn set_bytes(fd: BorrowedFd<'_>, name: i32, bytes: &[MaybeUninit<u8>]) -> io::Result<()> {
    Ok(backend::set_bytes(fd.as_raw_fd(), name, bytes)?)
}

/// Moves a pending error to where the next operation on `fd` meets it, and says
/// whether there is one. For an error that the host's poll does not tell of.
pub fn keep_error(fd: RawFd) -> bool {
    match backend::socket_error(fd) {
        Ok(Some(errno)) => {
            pending::put(fd, errno);
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
    let name = backend::device(fd.as_raw_fd())?;
    Ok((!name.is_empty()).then_some(name))
}

/// `SO_BINDTODEVICE`: binds the socket to a network interface; `None` to any.
///
/// # Errors
///
/// The host's, such as an interface that does not exist.
pub fn bind_device(fd: BorrowedFd<'_>, name: Option<&[u8]>) -> io::Result<()> {
    Ok(backend::set_device(
        fd.as_raw_fd(),
        name.unwrap_or_default(),
    )?)
}

/// Whether "no delay" was last asked for.
///
/// # Errors
///
/// The system's, with the plugin.
pub fn nodelay(fd: BorrowedFd<'_>) -> io::Result<bool> {
    if backend::plugin::owns(fd.as_raw_fd()) {
        return Ok(system::get(fd, SystemOption::NODELAY)? != 0);
    }
    Ok(coalesce::nodelay(fd.as_raw_fd()))
}

/// Asks for "no delay", or no longer. What a runtime writes on the socket in one tick is
/// [held](coalesce) and sent together. With the plugin `TCP_NODELAY` is set, too. The
/// host cannot set it: small writes in other ticks may still wait for the peer's
/// acknowledgement (up to 43 ms).
///
/// # Errors
///
/// The system's, with the plugin.
pub fn set_nodelay(fd: BorrowedFd<'_>, on: bool) -> io::Result<()> {
    if backend::plugin::owns(fd.as_raw_fd()) {
        system::set(fd, SystemOption::NODELAY, on.into())?;
    }
    coalesce::set_nodelay(fd.as_raw_fd(), on);
    Ok(())
}

/// The error of an option that the host cannot reach: `Unsupported`, naming it.
pub fn unreachable_option(option: &str) -> io::Error {
    io::Error::new(
        ErrorKind::Unsupported,
        format!("{option}: WasmEdge's socket interface does not reach this option"),
    )
}
