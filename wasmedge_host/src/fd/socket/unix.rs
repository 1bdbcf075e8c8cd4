//! Unix sockets: what differs from IP sockets. Sending, receiving, options and
//! shutting down are the functions of the module above.

use super::connect::{accept_stream, forget};
use super::data::require_datagram;
use super::system::{self, SystemOption};
use crate::abi::{AddressFamily, SocketType};
use crate::backend::{self, RecvBufs, SendBufs};
use crate::ready::{note, Exhausted};
use crate::unix_addr::SocketAddr;
use crate::{coalesce, Errno};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// What is said where WasmEdge runs without the flag.
const NOT_ALLOWED: &str = "WasmEdge has Unix sockets with the flag --allow-af-unix only; \
     cargo wasmedge sets it with `allow-af-unix = true`, or CARGO_WASMEDGE_ALLOW_AF_UNIX=true";

const NO_PAIRS: &str = "WasmEdge cannot make a pair of connected sockets without a plugin";

/// Opens a Unix socket.
///
/// # Errors
///
/// `Unsupported` when WasmEdge runs without `--allow-af-unix`; the host's, such as
/// too many open files.
pub fn open(socktype: SocketType, nonblocking: bool) -> io::Result<OwnedFd> {
    let opened = backend::open(AddressFamily::Unix, socktype, nonblocking);
    let fd = opened.map_err(|errno| match errno {
        Errno::NOSYS => io::Error::new(ErrorKind::Unsupported, NOT_ALLOWED),
        errno => errno.into(),
    })?;
    forget(fd.as_fd());
    Ok(fd)
}

/// Two sockets that are connected with each other. They need no permission, and have no
/// addresses.
///
/// # Errors
///
/// `Unsupported` without the plugin; the system's, such as too many open files.
pub fn pair(socktype: SocketType, nonblocking: bool) -> io::Result<(OwnedFd, OwnedFd)> {
    let made = backend::pair(socktype, nonblocking);
    let (near, far) = made.map_err(|errno| match errno {
        Errno::NOTSUP => io::Error::new(ErrorKind::Unsupported, NO_PAIRS),
        errno => errno.into(),
    })?;
    forget(near.as_fd());
    forget(far.as_fd());
    Ok((near, far))
}

/// Who a peer is, as the kernel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The number of the process.
    pub pid: i32,
    /// The number of the user.
    pub uid: u32,
    /// The number of the group.
    pub gid: u32,
}

/// `SO_PEERCRED`: who the peer was when it connected, listened or made the pair.
///
/// # Errors
///
/// `Unsupported` without the plugin; the system's.
pub fn peer_credentials(fd: BorrowedFd<'_>) -> io::Result<Credentials> {
    // Linux's `struct ucred`.
    let mut value = [0; 12];
    system::get_bytes(fd, SystemOption::PEER_CREDENTIALS, &mut value)?;
    let [pid, uid, gid] = [0, 4, 8].map(|at| {
        let [a, b, c, d] = [value[at], value[at + 1], value[at + 2], value[at + 3]];
        u32::from_le_bytes([a, b, c, d])
    });
    Ok(Credentials {
        pid: pid as i32,
        uid,
        gid,
    })
}

/// Binds a socket to `addr`, which makes the file.
///
/// # Errors
///
/// `AddrInUse` when there is such a file; `NotFound` when its folder is missing;
/// `Unsupported` for an unnamed address (the host cannot choose a name), and for an
/// abstract one shorter than 107 bytes.
pub fn bind(fd: BorrowedFd<'_>, addr: &SocketAddr) -> io::Result<()> {
    // With the plugin the kernel chooses a name, as natively.
    if addr.is_unnamed() && !backend::plugin::owns(fd.as_raw_fd()) {
        return Err(io::Error::new(
            ErrorKind::Unsupported,
            "WasmEdge cannot bind a Unix socket without a name",
        ));
    }
    let fd = fd.as_raw_fd();
    Ok(backend::bind(fd, &addr.to_host(fd)?)?)
}

/// Connects a socket. A blocking stream waits until the listener has room.
///
/// # Errors
///
/// `ConnectionRefused` when nobody listens; `NotFound`; `WouldBlock` on a
/// non-blocking stream whose listener has no room; `Unsupported` for an abstract
/// address shorter than 107 bytes.
pub fn connect(fd: BorrowedFd<'_>, addr: &SocketAddr) -> io::Result<()> {
    let addr = addr.to_peer(fd.as_raw_fd())?;
    coalesce::before_operation();
    let mut interrupted = false;
    loop {
        match backend::connect(fd.as_raw_fd(), &addr) {
            Err(Errno::INTR) => interrupted = true,
            Err(Errno::ISCONN) if interrupted => return Ok(()),
            result => return Ok(result?),
        }
    }
}

/// Accepts a connection. On a blocking listener, waits for one.
///
/// # Errors
///
/// As [`accept`](super::accept).
pub fn accept(listener: BorrowedFd<'_>, nonblocking: bool) -> io::Result<(OwnedFd, SocketAddr)> {
    let (fd, peer) = accept_stream(listener, nonblocking)?;
    let peer = match peer.map_or_else(|| backend::peer_addr(fd.as_raw_fd()), Ok) {
        Ok(addr) => SocketAddr::from_host(&addr).ok_or_else(not_unix)?,
        Err(Errno::NOTCONN) => SocketAddr::UNNAMED,
        Err(errno) => return Err(errno.into()),
    };
    Ok((fd, peer))
}

/// Receives a datagram and its sender. What does not fit in `buf` is lost.
///
/// The host prints a warning on its standard output when the sender has no name:
/// only [`recv`](super::recv) is silent then.
///
/// # Errors
///
/// As [`recv`](super::recv); `InvalidInput` on a stream.
pub fn recv_from(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    require_datagram(fd)?;
    recv_from_datagram(fd, buf)
}

/// `fd` is known to be a datagram socket.
pub(crate) fn recv_from_datagram(
    fd: BorrowedFd<'_>,
    buf: &mut [u8],
) -> io::Result<(usize, SocketAddr)> {
    coalesce::before_operation();
    match backend::recv_from(fd.as_raw_fd(), &mut RecvBufs::one(buf), 0) {
        // Without a name the family is rubbish.
        Ok((n, addr, _)) => {
            note(Exhausted::TAKEN);
            let sender = SocketAddr::from_host(&addr);
            Ok((n, sender.unwrap_or(SocketAddr::UNNAMED)))
        }
        Err(errno) => {
            if errno == Errno::AGAIN {
                note(Exhausted::READ);
            }
            Err(errno.into())
        }
    }
}

/// Sends a datagram to `addr`.
///
/// # Errors
///
/// As [`connect`] and [`send`](super::send).
pub fn send_to(fd: BorrowedFd<'_>, buf: &[u8], addr: &SocketAddr) -> io::Result<usize> {
    coalesce::before_operation();
    let result = backend::send_to(
        fd.as_raw_fd(),
        &SendBufs::one(buf),
        &addr.to_peer(fd.as_raw_fd())?,
    );
    if result == Err(Errno::AGAIN) {
        note(Exhausted::RECEIVER);
    }
    Ok(result?)
}

/// The local address; unnamed while the socket has none.
///
/// # Errors
///
/// The host's; `InvalidInput` when `fd` is not a Unix socket.
pub fn local_addr(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let addr = backend::local_addr(fd.as_raw_fd())?;
    SocketAddr::from_host(&addr).ok_or_else(not_unix)
}

/// The address of the peer.
///
/// # Errors
///
/// `NotConnected`; `InvalidInput` when `fd` is not a Unix socket.
pub fn peer_addr(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let addr = backend::peer_addr(fd.as_raw_fd())?;
    SocketAddr::from_host(&addr).ok_or_else(not_unix)
}

fn not_unix() -> io::Error {
    io::Error::new(
        ErrorKind::InvalidInput,
        "file descriptor did not correspond to a Unix socket",
    )
}
