//! Unix datagram sockets.

use super::shared::{connected, sockets};
use crate::abi::SocketType;
use crate::fd::socket::system;
use crate::fd::socket::{self, unix};
use crate::net::fd::descriptors;
use crate::net::UdpSocket;
use crate::unix_addr::SocketAddr;
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

sockets!(UnixDatagram: socket);
descriptors!(UnixDatagram);
connected!(UnixDatagram: Datagram);

/// A Unix datagram socket; as `std::os::unix::net::UnixDatagram`. Closing it
/// leaves its file, as natively.
pub struct UnixDatagram {
    /// Sends and receives as any datagram socket.
    socket: UdpSocket,
    /// Known to be a datagram socket: the host must not be asked for a stream's
    /// sender.
    datagram: AtomicBool,
    /// Was connected here: all datagrams are the peer's.
    connected: AtomicBool,
}

impl UnixDatagram {
    /// Binds a socket to this path.
    ///
    /// # Errors
    ///
    /// As [`UnixListener::bind`].
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        UnixDatagram::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// As [`bind`](Self::bind), with an address.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<UnixDatagram> {
        let socket = UnixDatagram::unbound()?;
        unix::bind(socket.fd(), addr)?;
        Ok(socket)
    }

    /// A socket without an address.
    ///
    /// # Errors
    ///
    /// `Unsupported` without `--allow-af-unix`; the host's.
    pub fn unbound() -> io::Result<UnixDatagram> {
        let socket = UnixDatagram::from(unix::open(SocketType::Datagram, false)?);
        socket.datagram.store(true, Ordering::Relaxed);
        Ok(socket)
    }

    /// Connects to the socket with this path: only its datagrams are received
    /// from then on. May be repeated.
    ///
    /// # Errors
    ///
    /// As [`UnixStream::connect`].
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// As [`connect`](Self::connect), with an address.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn connect_addr(&self, addr: &SocketAddr) -> io::Result<()> {
        unix::connect(self.fd(), addr)?;
        self.connected.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Receives a datagram and its sender. What does not fit in `buf` is lost.
    ///
    /// # Errors
    ///
    /// `WouldBlock` and so on.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        if self.connected.load(Ordering::Relaxed) {
            let n = self.recv(buf)?;
            return Ok((n, self.peer_addr().unwrap_or(SocketAddr::UNNAMED)));
        }
        if !self.datagram.load(Ordering::Relaxed) {
            socket::require_datagram(self.fd())?;
            self.datagram.store(true, Ordering::Relaxed);
        }
        unix::recv_from_datagram(self.fd(), buf)
    }

    /// Receives a datagram. What does not fit in `buf` is lost.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buf)
    }

    /// Sends a datagram to the socket with this path.
    ///
    /// # Errors
    ///
    /// As [`UnixStream::connect`]; `WouldBlock` when the receiver has no room.
    pub fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.send_to_addr(buf, &SocketAddr::from_pathname(path)?)
    }

    /// As [`send_to`](Self::send_to), with an address.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to).
    pub fn send_to_addr(&self, buf: &[u8], addr: &SocketAddr) -> io::Result<usize> {
        unix::send_to(self.fd(), buf, addr)
    }

    /// Sends a datagram to the connected socket.
    ///
    /// # Errors
    ///
    /// `NotConnected`; `ConnectionRefused` when the receiver is gone;
    /// `WouldBlock` when it has no room.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.send(buf)
    }
}

impl From<OwnedFd> for UnixDatagram {
    #[inline]
    fn from(fd: OwnedFd) -> UnixDatagram {
        UnixDatagram {
            socket: fd.into(),
            datagram: AtomicBool::new(false),
            connected: AtomicBool::new(false),
        }
    }
}
