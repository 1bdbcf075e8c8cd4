//! The socket.

use super::iovec::{receive_into, IovecRead};
use super::kinds::{AddressFamily, SocketOptLevel, SocketOptName, SocketType};
use std::io::{self, IoSlice};
use std::mem::{size_of, MaybeUninit};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wasmedge_host::abi;
use wasmedge_host::backend::RecvBufs;
use wasmedge_host::fd::socket as fd;

/// An IPv4 or IPv6 socket.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    /// Known to be a datagram socket: the host must not be asked for a stream's
    /// sender.
    datagram: AtomicBool,
}

/// How a short answer is taken where it may be a stream's or a datagram's: as
/// saying nothing of what is left.
const EITHER: abi::SocketType = abi::SocketType::Datagram;

impl Socket {
    /// Opens a socket.
    ///
    /// # Errors
    ///
    /// `Unsupported` for `Unspec` and `Any`, which no socket is of; the host's.
    pub fn new(addr_family: AddressFamily, sock_kind: SocketType) -> io::Result<Self> {
        let (Some(family), Some(kind)) = (addr_family.known(), sock_kind.known()) else {
            return Err(unsupported("a socket needs a family and a type"));
        };
        let socket = Socket::from(fd::open(family, kind, false)?);
        let is_datagram = kind == abi::SocketType::Datagram;
        socket.datagram.store(is_datagram, Ordering::Relaxed);
        Ok(socket)
    }

    /// Binds the socket to a local address.
    ///
    /// # Errors
    ///
    /// `AddrInUse`, `AddrNotAvailable` and so on.
    pub fn bind(&self, addrs: &SocketAddr) -> io::Result<()> {
        fd::bind(self.as_fd(), addrs)
    }

    /// Makes a bound stream socket a listener.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn listen(&self, backlog: i32) -> io::Result<()> {
        fd::listen(self.as_fd(), backlog)
    }

    /// Accepts a connection; a blocking listener waits for one. `nonblocking` is
    /// the mode of the new socket.
    ///
    /// # Errors
    ///
    /// `WouldBlock` on a non-blocking listener.
    pub fn accept(&self, nonblocking: bool) -> io::Result<Self> {
        let (accepted, _) = fd::accept(self.as_fd(), nonblocking)?;
        Ok(Socket::from(accepted))
    }

    /// Connects to an IPv4 or IPv6 address.
    ///
    /// # Errors
    ///
    /// On a non-blocking stream an error with the
    /// [`raw_os_error`](io::Error::raw_os_error) 26 means that the attempt goes
    /// on: wait until it is writable, then ask [`take_error`](Self::take_error).
    pub fn connect(&self, addrs: &SocketAddr) -> io::Result<()> {
        fd::connect(self.as_fd(), addrs)
    }

    /// Shuts one or both directions.
    ///
    /// # Errors
    ///
    /// `NotConnected`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        fd::shutdown(self.as_fd(), how)
    }

    /// The local address.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn get_local(&self) -> io::Result<SocketAddr> {
        fd::local_addr(self.as_fd())
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// `NotConnected`.
    pub fn get_peer(&self) -> io::Result<SocketAddr> {
        fd::peer_addr(self.as_fd())
    }

    /// Whether it is in non-blocking mode.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn nonblocking(&self) -> io::Result<bool> {
        fd::nonblocking(self.as_fd())
    }

    /// Turns non-blocking mode on or off.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        fd::set_nonblocking(self.as_fd(), nonblocking)
    }
}

/// Sending.
impl Socket {
    /// Sends to the peer.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, `BrokenPipe` and so on.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        fd::send(self.as_fd(), EITHER, buf)
    }

    /// Sends the first 1024 of `bufs` to the peer, in one call.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); `Unsupported` for flags, of which the host has
    /// none.
    pub fn send_vectored(&self, bufs: &[IoSlice<'_>], flags: u16) -> io::Result<usize> {
        no_send_flags(flags)?;
        fd::send_vectored(self.as_fd(), EITHER, bufs)
    }

    /// Sends a datagram to `addr`.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn send_to(&self, buf: &[u8], addr: SocketAddr) -> io::Result<usize> {
        fd::send_to(self.as_fd(), buf, &addr)
    }

    /// Sends the first 1024 of `bufs` to `addr`, as one datagram.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to); `Unsupported` for flags.
    pub fn send_to_vectored(
        &self,
        bufs: &[IoSlice<'_>],
        addr: SocketAddr,
        flags: u16,
    ) -> io::Result<usize> {
        no_send_flags(flags)?;
        fd::send_to_vectored(self.as_fd(), bufs, &addr)
    }
}

/// Receiving. Flags are [`MSG_PEEK`](super::MSG_PEEK) and
/// [`MSG_WAITALL`](super::MSG_WAITALL); others are an error. Of what comes back
/// the last is [`MSG_TRUNC`](super::MSG_TRUNC) or 0.
impl Socket {
    /// Receives from the peer.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, `ConnectionReset` and so on.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        fd::recv(self.as_fd(), EITHER, buf)
    }

    /// Receives from the peer; the first bytes of `buf` are initialised then.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_with_flags(
        &self,
        buf: &mut [MaybeUninit<u8>],
        flags: u16,
    ) -> io::Result<(usize, usize)> {
        self.received(RecvBufs::uninit(buf), flags)
    }

    /// Receives from the peer into the first 1024 of `bufs`, whose pointers must
    /// be valid.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn recv_vectored(&self, bufs: &mut [IovecRead], flags: u16) -> io::Result<(usize, usize)> {
        self.received(receive_into(bufs), flags)
    }

    /// Receives a datagram and its sender.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv); `InvalidInput` on a stream, whose sender the host
    /// cannot name.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (len, sender, _) = self.received_from(RecvBufs::one(buf), 0)?;
        Ok((len, sender))
    }

    /// Receives a datagram and its sender; the first bytes of `buf` are
    /// initialised then.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    pub fn recv_from_with_flags(
        &self,
        buf: &mut [MaybeUninit<u8>],
        flags: u16,
    ) -> io::Result<(usize, SocketAddr, usize)> {
        self.received_from(RecvBufs::uninit(buf), flags)
    }

    /// Receives a datagram and its sender into the first 1024 of `bufs`, whose
    /// pointers must be valid.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    pub fn recv_from_vectored(
        &self,
        bufs: &mut [IovecRead],
        flags: u16,
    ) -> io::Result<(usize, SocketAddr, usize)> {
        self.received_from(receive_into(bufs), flags)
    }

    fn received(&self, bufs: RecvBufs<'_>, flags: u16) -> io::Result<(usize, usize)> {
        let (len, flags) = fd::recv_flagged(self.as_fd(), bufs, flags)?;
        Ok((len, flags.into()))
    }

    fn received_from(
        &self,
        bufs: RecvBufs<'_>,
        flags: u16,
    ) -> io::Result<(usize, SocketAddr, usize)> {
        if !self.datagram.load(Ordering::Relaxed) {
            fd::require_datagram(self.as_fd())?;
            self.datagram.store(true, Ordering::Relaxed);
        }
        let (len, sender, flags) = fd::recv_from_flagged(self.as_fd(), bufs, flags)?;
        Ok((len, sender, flags.into()))
    }
}

/// Options.
impl Socket {
    /// Sets an option to the bytes of `payload`; see [`SocketOptName`] for what
    /// each takes.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a payload of another size; the host's.
    pub fn setsockopt<T>(
        &self,
        level: SocketOptLevel,
        name: SocketOptName,
        payload: T,
    ) -> io::Result<()> {
        let SocketOptLevel::SolSocket = level;
        fd::set_bytes(self.as_fd(), name as i32, bytes_of(&payload))
    }

    /// Whether it listens.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn is_listener(&self) -> io::Result<bool> {
        fd::is_listener(self.as_fd())
    }

    /// Its type.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a type that has no name here; the host's.
    pub fn r#type(&self) -> io::Result<SocketType> {
        let known = fd::socket_type(self.as_fd())?;
        Ok(known.ok_or(wasmedge_host::Errno::INVAL)?.into())
    }

    /// The pending error, as an error; it is forgotten then.
    ///
    /// # Errors
    ///
    /// The pending one; the host's, about asking.
    pub fn take_error(&self) -> io::Result<()> {
        fd::connect_result(self.as_fd())
    }

    /// Whether datagrams may go to a broadcast address.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn broadcast(&self) -> io::Result<bool> {
        fd::broadcast(self.as_fd())
    }

    /// Whether an idle connection is probed.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn keepalive(&self) -> io::Result<bool> {
        fd::keepalive(self.as_fd())
    }

    /// Whether it may bind where old connections still end.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn reuse_address(&self) -> io::Result<bool> {
        fd::reuse_address(self.as_fd())
    }

    /// Size of the receive buffer, in bytes.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn recv_buffer_size(&self) -> io::Result<usize> {
        fd::recv_buffer_size(self.as_fd())
    }

    /// Size of the send buffer, in bytes.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn send_buffer_size(&self) -> io::Result<usize> {
        fd::send_buffer_size(self.as_fd())
    }

    /// How long a blocking receive waits; `None` is without end.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn get_recv_timeout(&self) -> io::Result<Option<Duration>> {
        fd::read_timeout(self.as_fd())
    }

    /// Sets how long a blocking receive waits; `None` and zero are without end.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn set_recv_timeout(&self, duration: Option<Duration>) -> io::Result<()> {
        fd::set_read_timeout(self.as_fd(), duration.filter(|time| !time.is_zero()))
    }

    /// How long a blocking send waits; `None` is without end.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn get_send_timeout(&self) -> io::Result<Option<Duration>> {
        fd::write_timeout(self.as_fd())
    }

    /// Sets how long a blocking send waits; `None` and zero are without end.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn set_send_timeout(&self, duration: Option<Duration>) -> io::Result<()> {
        fd::set_write_timeout(self.as_fd(), duration.filter(|time| !time.is_zero()))
    }

    /// The name of the network interface that it is bound to.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        fd::device(self.as_fd())
    }

    /// Binds it to the network interface of this name; `None`: to no single one.
    ///
    /// # Errors
    ///
    /// The host's, such as an interface that does not exist.
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        fd::bind_device(self.as_fd(), interface)
    }
}

fn no_send_flags(flags: u16) -> io::Result<()> {
    match flags {
        0 => Ok(()),
        _ => Err(unsupported("WasmEdge's socket interface has no send flags")),
    }
}

fn unsupported(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, what)
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl IntoRawFd for Socket {
    fn into_raw_fd(self) -> RawFd {
        self.fd.into_raw_fd()
    }
}

impl FromRawFd for Socket {
    #[allow(unsafe_code)]
    unsafe fn from_raw_fd(fd: RawFd) -> Self {
        // SAFETY: the caller hands over a descriptor it owns.
        Socket::from(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

impl From<OwnedFd> for Socket {
    fn from(fd: OwnedFd) -> Socket {
        Socket {
            fd,
            datagram: AtomicBool::new(false),
        }
    }
}

/// The memory of a value. Padding has no value, so neither do these bytes.
#[allow(unsafe_code)]
fn bytes_of<T>(value: &T) -> &[MaybeUninit<u8>] {
    // SAFETY: all of a value's memory may be read as bytes that need not be
    // initialised, while it is borrowed.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}
