//! UDP.

use super::addrs::{first_that_works, no_address, ToSocketAddrs};
use super::socket::{AddressFamily, Socket, SocketType};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

/// A UDP socket. What it has no method for, its [`Socket`] has: see [`AsRef`].
#[derive(Debug)]
pub struct UdpSocket {
    s: Socket,
}

impl UdpSocket {
    /// Binds a socket to the first of `addrs` that can be bound.
    ///
    /// # Errors
    ///
    /// The last address's error, such as `AddrInUse`; `InvalidInput` when there
    /// is no address.
    pub fn bind<A: ToSocketAddrs>(addrs: A) -> io::Result<UdpSocket> {
        first_that_works(addrs, |addr| {
            let s = Socket::new(AddressFamily::from(addr), SocketType::Datagram)?;
            s.bind(addr)?;
            Ok(UdpSocket { s })
        })
    }

    /// Receives a datagram and its sender. What does not fit in `buf` is lost.
    ///
    /// # Errors
    ///
    /// `WouldBlock`; `ConnectionRefused` when an earlier datagram could not be
    /// delivered.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.s.recv_from(buf)
    }

    /// Sends a datagram to the first of `addr`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when there is no address; the host's.
    pub fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let first = addr.to_socket_addrs()?.next();
        self.s.send_to(buf, first.ok_or_else(no_address)?)
    }
}

super::socket::is_a_socket!(UdpSocket);
