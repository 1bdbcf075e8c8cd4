//! TCP.

use super::addrs::{each_addr, ToSocketAddrs};
use crate::abi::SocketType;
use crate::coalesce;
use crate::fd::socket;
use crate::fd::socket::system::{self, SystemOption};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::iter::FusedIterator;
use std::mem::ManuallyDrop;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// Connections that may wait to be accepted; std's number.
const BACKLOG: i32 = 128;

/// A TCP connection; as [`std::net::TcpStream`].
pub struct TcpStream {
    fd: ManuallyDrop<OwnedFd>,
}

impl TcpStream {
    #[inline]
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Connects to the first of `addr` that answers.
    ///
    /// # Errors
    ///
    /// The last address's error, such as `ConnectionRefused`; `InvalidInput`
    /// when there is no address.
    pub fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        each_addr(addr, |addr| {
            let fd = socket::open_for(addr, SocketType::Stream, false)?;
            socket::connect(fd.as_fd(), addr)?;
            Ok(TcpStream::from(fd))
        })
    }

    /// Connects to `addr`, waiting no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// `TimedOut`; `InvalidInput` when `timeout` is zero; else as
    /// [`connect`](Self::connect).
    pub fn connect_timeout(addr: &SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
        let fd = socket::open_for(addr, SocketType::Stream, false)?;
        socket::connect_timeout(fd.as_fd(), addr, timeout)?;
        Ok(TcpStream::from(fd))
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// `NotConnected`, also once the peer has reset the connection.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        socket::peer_addr(self.fd())
    }

    /// The local address.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        socket::local_addr(self.fd())
    }

    /// Shuts one or both directions.
    ///
    /// # Errors
    ///
    /// `NotConnected`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        socket::shutdown(self.fd(), how)
    }

    /// One more for the same socket.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the plugin: WASI cannot duplicate a descriptor.
    pub fn try_clone(&self) -> io::Result<TcpStream> {
        system::duplicate(self.fd()).map(TcpStream::from)
    }

    /// Sets how long a blocking read waits; `None` is without end.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a time-out of zero.
    pub fn set_read_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        socket::set_read_timeout(self.fd(), dur)
    }

    /// Sets how long a blocking write waits; `None` is without end.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a time-out of zero.
    pub fn set_write_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        socket::set_write_timeout(self.fd(), dur)
    }

    /// How long a blocking read waits.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        socket::read_timeout(self.fd())
    }

    /// How long a blocking write waits.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        socket::write_timeout(self.fd())
    }

    /// Reads and leaves the data in the queue.
    ///
    /// # Errors
    ///
    /// As reading.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        socket::peek(self.fd(), buf)
    }

    /// Sets whether closing waits until everything is sent, for whole seconds.
    /// Unstable in std.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        socket::set_linger(self.fd(), linger)
    }

    /// Whether closing waits until everything is sent. Unstable in std.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        socket::linger(self.fd())
    }

    /// Asks for "no delay", or no longer. What a runtime writes in one tick is
    /// [held](coalesce) and sent together. Without the plugin that is all: on a stream
    /// that no runtime drives it is without effect then, so send what belongs together in
    /// one (vectored) write.
    ///
    /// # Errors
    ///
    /// The system's, with the plugin.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        socket::set_nodelay(self.fd(), nodelay)
    }

    /// Whether "no delay" was asked for.
    ///
    /// # Errors
    ///
    /// The system's, with the plugin.
    pub fn nodelay(&self) -> io::Result<bool> {
        socket::nodelay(self.fd())
    }

    /// Sets how many hops a packet may take.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the plugin; the system's.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        system::set(self.fd(), SystemOption::TTL, ttl as i32)
    }

    /// How many hops a packet may take.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the plugin; the system's.
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(system::get(self.fd(), SystemOption::TTL)? as u32)
    }

    /// The pending error, which is then forgotten.
    ///
    /// # Errors
    ///
    /// The host's, about asking.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        socket::take_error(self.fd())
    }

    /// Turns non-blocking mode on or off.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        socket::set_nonblocking(self.fd(), nonblocking)
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        socket::close(take(&mut self.fd));
    }
}

impl From<OwnedFd> for TcpStream {
    #[inline]
    fn from(fd: OwnedFd) -> TcpStream {
        TcpStream {
            fd: ManuallyDrop::new(fd),
        }
    }
}

impl From<TcpStream> for OwnedFd {
    /// What [`TcpStream::set_nodelay`] was told stays with the descriptor.
    fn from(stream: TcpStream) -> OwnedFd {
        coalesce::release(stream.as_raw_fd());
        take(&mut ManuallyDrop::new(stream).fd)
    }
}

/// Moves the descriptor out of a stream that is not used again.
#[allow(unsafe_code)]
fn take(fd: &mut ManuallyDrop<OwnedFd>) -> OwnedFd {
    // SAFETY: one caller is `drop`, the other has just put the stream into a
    // `ManuallyDrop` of its own, so `drop` will not run: nobody takes twice.
    unsafe { ManuallyDrop::take(fd) }
}

impl Read for TcpStream {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(bufs)
    }
}

impl Write for TcpStream {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bufs)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for &TcpStream {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        socket::recv(self.fd(), SocketType::Stream, buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        socket::recv_vectored(self.fd(), SocketType::Stream, bufs)
    }
}

impl Write for &TcpStream {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        socket::send(self.fd(), SocketType::Stream, buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        socket::send_vectored(self.fd(), SocketType::Stream, bufs)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TcpStream");
        if let Ok(addr) = self.local_addr() {
            debug.field("addr", &addr);
        }
        if let Ok(peer) = self.peer_addr() {
            debug.field("peer", &peer);
        }
        debug.field("fd", &self.as_raw_fd()).finish()
    }
}

/// A TCP listener; as [`std::net::TcpListener`].
pub struct TcpListener {
    fd: OwnedFd,
}

impl TcpListener {
    #[inline]
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Listens on the first of `addr` that can be bound, with `SO_REUSEADDR`
    /// and room for 128 waiting connections, as std does on Unix.
    ///
    /// # Errors
    ///
    /// The last address's error, such as `AddrInUse`; `InvalidInput` when there
    /// is no address.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        each_addr(addr, |addr| {
            let fd = socket::open_for(addr, SocketType::Stream, false)?;
            socket::set_reuse_address(fd.as_fd(), true)?;
            socket::bind(fd.as_fd(), addr)?;
            socket::listen(fd.as_fd(), BACKLOG)?;
            Ok(TcpListener::from(fd))
        })
    }

    /// The local address.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        socket::local_addr(self.fd())
    }

    /// One more for the same socket.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the plugin: WASI cannot duplicate a descriptor.
    pub fn try_clone(&self) -> io::Result<TcpListener> {
        system::duplicate(self.fd()).map(TcpListener::from)
    }

    /// Accepts a connection. On a blocking listener, waits for one. The new
    /// stream is blocking.
    ///
    /// The address is unspecified when the peer has reset the connection
    /// meanwhile: the host cannot name it then.
    ///
    /// # Errors
    ///
    /// `WouldBlock` on a non-blocking listener.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (fd, peer) = socket::accept(self.fd(), false)?;
        Ok((TcpStream::from(fd), peer))
    }

    /// Accepts connections for ever.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// Sets how many hops a packet may take.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the plugin; the system's.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        system::set(self.fd(), SystemOption::TTL, ttl as i32)
    }

    /// How many hops a packet may take.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the plugin; the system's.
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(system::get(self.fd(), SystemOption::TTL)? as u32)
    }

    /// Sets whether an IPv6 socket is none for IPv4.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the plugin; the system's.
    #[deprecated(note = "this option can only be set before the socket is bound")]
    pub fn set_only_v6(&self, only_v6: bool) -> io::Result<()> {
        system::set(self.fd(), SystemOption::ONLY_V6, only_v6.into())
    }

    /// Whether an IPv6 socket is none for IPv4.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the plugin; the system's.
    #[deprecated(note = "this option can only be set before the socket is bound")]
    pub fn only_v6(&self) -> io::Result<bool> {
        Ok(system::get(self.fd(), SystemOption::ONLY_V6)? != 0)
    }

    /// The pending error, which is then forgotten.
    ///
    /// # Errors
    ///
    /// The host's, about asking.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        socket::take_error(self.fd())
    }

    /// Turns non-blocking mode on or off.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        socket::set_nonblocking(self.fd(), nonblocking)
    }
}

impl From<OwnedFd> for TcpListener {
    #[inline]
    fn from(fd: OwnedFd) -> TcpListener {
        TcpListener { fd }
    }
}

impl From<TcpListener> for OwnedFd {
    #[inline]
    fn from(listener: TcpListener) -> OwnedFd {
        listener.fd
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TcpListener");
        if let Ok(addr) = self.local_addr() {
            debug.field("addr", &addr);
        }
        debug.field("fd", &self.as_raw_fd()).finish()
    }
}

/// Accepts connections for ever; made by [`TcpListener::incoming`].
#[must_use = "iterators are lazy and do nothing unless consumed"]
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<io::Result<TcpStream>> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

impl FusedIterator for Incoming<'_> {}
