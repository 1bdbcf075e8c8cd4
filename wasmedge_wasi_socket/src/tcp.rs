//! TCP.

use super::addrs::{first_that_works, ToSocketAddrs};
use super::socket::Socket;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, RawFd};
use wasmedge_host::abi::SocketType;
use wasmedge_host::fd::socket;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;

/// A TCP connection.
#[derive(Debug)]
pub struct TcpStream {
    s: Socket,
}

impl TcpStream {
    /// Connects to the first of `addrs` that answers, IPv4 or IPv6.
    ///
    /// # Errors
    ///
    /// The last address's error, such as `ConnectionRefused`; `InvalidInput`
    /// when there is no address.
    pub fn connect<A: ToSocketAddrs>(addrs: A) -> io::Result<TcpStream> {
        first_that_works(addrs, |addr| {
            let fd = socket::open_for(addr, SocketType::Stream, false)?;
            socket::connect(fd.as_fd(), addr)?;
            Ok(TcpStream::new(fd.into()))
        })
    }

    /// A connection from a socket.
    pub fn new(s: Socket) -> Self {
        TcpStream { s }
    }

    /// Shuts one or both directions.
    ///
    /// # Errors
    ///
    /// `NotConnected`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.s.shutdown(how)
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// `NotConnected`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.s.get_peer()
    }

    /// The local address.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.s.get_local()
    }

    /// Turns non-blocking mode on or off.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.s.set_nonblocking(nonblocking)
    }
}

impl From<Socket> for TcpStream {
    fn from(s: Socket) -> Self {
        TcpStream::new(s)
    }
}

macro_rules! reads_and_writes {
    ($($ty:ty),*) => {
        $(
            impl Read for $ty {
                fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                    socket::recv(self.as_fd(), SocketType::Stream, buf)
                }

                fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                    socket::recv_vectored(self.as_fd(), SocketType::Stream, bufs)
                }
            }

            impl Write for $ty {
                fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                    socket::send(self.as_fd(), SocketType::Stream, buf)
                }

                fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                    socket::send_vectored(self.as_fd(), SocketType::Stream, bufs)
                }

                fn flush(&mut self) -> io::Result<()> {
                    Ok(())
                }
            }
        )*
    };
}

reads_and_writes!(TcpStream, &TcpStream);

impl FromRawFd for TcpStream {
    #[allow(unsafe_code)]
    unsafe fn from_raw_fd(fd: RawFd) -> Self {
        // SAFETY: the caller hands over a descriptor it owns.
        TcpStream::new(unsafe { Socket::from_raw_fd(fd) })
    }
}

impl IntoRawFd for TcpStream {
    fn into_raw_fd(self) -> RawFd {
        self.s.into_raw_fd()
    }
}

/// A TCP listener.
#[derive(Debug)]
pub struct TcpListener {
    s: Socket,
    /// Where it listens.
    pub address: io::Result<SocketAddr>,
    /// Its port: the one that was given out where port 0 was asked for.
    pub port: Option<u16>,
}

impl TcpListener {
    fn new(s: Socket) -> TcpListener {
        let address = s.get_local();
        let port = address.as_ref().ok().map(SocketAddr::port);
        TcpListener { s, address, port }
    }

    /// Listens on the first of `addrs` that can be bound, with `SO_REUSEADDR`.
    /// `nonblocking` is the mode of the listener.
    ///
    /// # Errors
    ///
    /// The last address's error, such as `AddrInUse`; `InvalidInput` when there
    /// is no address.
    pub fn bind<A: ToSocketAddrs>(addrs: A, nonblocking: bool) -> io::Result<TcpListener> {
        first_that_works(addrs, |addr| {
            let fd = socket::open_for(addr, SocketType::Stream, nonblocking)?;
            socket::set_reuse_address(fd.as_fd(), true)?;
            socket::bind(fd.as_fd(), addr)?;
            socket::listen(fd.as_fd(), BACKLOG)?;
            Ok(TcpListener::new(fd.into()))
        })
    }

    /// Accepts a connection; a blocking listener waits for one. `nonblocking` is
    /// the mode of the new stream.
    ///
    /// The address is unspecified when the peer has reset the connection
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// `WouldBlock` on a non-blocking listener.
    pub fn accept(&self, nonblocking: bool) -> io::Result<(TcpStream, SocketAddr)> {
        let (fd, peer) = socket::accept(self.as_fd(), nonblocking)?;
        Ok((TcpStream::new(fd.into()), peer))
    }

    /// Accepts blocking connections for ever.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// The local address.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.s.get_local()
    }
}

impl FromRawFd for TcpListener {
    #[allow(unsafe_code)]
    unsafe fn from_raw_fd(fd: RawFd) -> Self {
        // SAFETY: the caller hands over a descriptor it owns.
        TcpListener::new(unsafe { Socket::from_raw_fd(fd) })
    }
}

impl IntoRawFd for TcpListener {
    fn into_raw_fd(self) -> RawFd {
        self.s.into_raw_fd()
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

    fn next(&mut self) -> Option<Self::Item> {
        let accepted = self.listener.accept(false);
        Some(accepted.map(|(stream, _)| stream))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

super::socket::is_a_socket!(TcpStream, TcpListener);
