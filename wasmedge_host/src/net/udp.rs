//! UDP.

use super::addrs::{each_addr, no_addresses, ToSocketAddrs};
use crate::abi::SocketType;
use crate::backend::RecvBufs;
use crate::fd::socket;
use crate::fd::socket::system::{self, SystemOption};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A UDP socket; as [`std::net::UdpSocket`].
pub struct UdpSocket {
    fd: OwnedFd,
    /// Known to be a datagram socket, and not one made from the descriptor of
    /// something else: the host must not be asked for a stream's sender.
    datagram: AtomicBool,
}

impl UdpSocket {
    #[inline]
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Binds a socket to the first of `addr` that can be bound.
    ///
    /// # Errors
    ///
    /// The last address's error, such as `AddrInUse`; `InvalidInput` when there
    /// is no address.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        each_addr(addr, |addr| {
            let fd = socket::open_for(addr, SocketType::Datagram, false)?;
            socket::bind(fd.as_fd(), addr)?;
            Ok(UdpSocket {
                fd,
                datagram: AtomicBool::new(true),
            })
        })
    }

    fn recv_or_peek_from(&self, buf: &mut [u8], peek: bool) -> io::Result<(usize, SocketAddr)> {
        if !self.datagram.load(Ordering::Relaxed) {
            socket::require_datagram(self.fd())?;
            self.datagram.store(true, Ordering::Relaxed);
        }
        socket::recv_from_datagram(self.fd(), RecvBufs::one(buf), peek)
    }

    /// Receives a datagram and its sender. What does not fit in `buf` is lost.
    ///
    /// # Errors
    ///
    /// `WouldBlock`; `ConnectionRefused` when an earlier datagram could not be
    /// delivered.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.recv_or_peek_from(buf, false)
    }

    /// As [`recv_from`](Self::recv_from), and leaves the datagram in the queue.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.recv_or_peek_from(buf, true)
    }

    /// Sends a datagram to the first of `addr`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when there is no address; the host's.
    pub fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let addr = addr.to_socket_addrs()?.next().ok_or_else(no_addresses)?;
        socket::send_to(self.fd(), buf, &addr)
    }

    /// The address the socket is connected to.
    ///
    /// # Errors
    ///
    /// `NotConnected`.
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

    /// One more for the same socket.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the plugin: WASI cannot duplicate a descriptor.
    pub fn try_clone(&self) -> io::Result<UdpSocket> {
        system::duplicate(self.fd()).map(UdpSocket::from)
    }

    /// Sets how long a blocking receive waits; `None` is without end.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a time-out of zero.
    pub fn set_read_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        socket::set_read_timeout(self.fd(), dur)
    }

    /// Sets how long a blocking send waits; `None` is without end.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a time-out of zero.
    pub fn set_write_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        socket::set_write_timeout(self.fd(), dur)
    }

    /// How long a blocking receive waits.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        socket::read_timeout(self.fd())
    }

    /// How long a blocking send waits.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        socket::write_timeout(self.fd())
    }

    /// Allows datagrams to a broadcast address, or forbids them.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        socket::set_broadcast(self.fd(), broadcast)
    }

    /// Whether datagrams may go to a broadcast address.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn broadcast(&self) -> io::Result<bool> {
        socket::broadcast(self.fd())
    }

    /// The pending error, which is then forgotten.
    ///
    /// # Errors
    ///
    /// The host's, about asking.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        socket::take_error(self.fd())
    }

    /// Connects to the first of `addr` that works: only its datagrams are
    /// received from then on. May be repeated with another address.
    ///
    /// # Errors
    ///
    /// The last address's error; `InvalidInput` when there is no address.
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        each_addr(addr, |addr| socket::connect(self.fd(), addr))
    }

    /// Sends a datagram to the connected address.
    ///
    /// # Errors
    ///
    /// `WouldBlock`; `ConnectionRefused` when an earlier datagram could not be
    /// delivered; the host's.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        socket::send(self.fd(), SocketType::Datagram, buf)
    }

    /// Receives a datagram. What does not fit in `buf` is lost.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        socket::recv(self.fd(), SocketType::Datagram, buf)
    }

    /// As [`recv`](Self::recv), and leaves the datagram in the queue.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        socket::peek(self.fd(), buf)
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

macro_rules! options {
    ($($name:literal: $type:ty as $option:ident { $get:ident => $read:expr, $set:ident })*) => {
        /// Options of IP and IPv6, which only the plugin reaches.
        impl UdpSocket {
            $(
                #[doc = concat!("`", $name, "`.")]
                ///
                /// # Errors
                ///
                /// `Unsupported` without the plugin; the system's.
                pub fn $get(&self) -> io::Result<$type> {
                    let value = system::get(self.fd(), SystemOption::$option)?;
                    let read: fn(i32) -> $type = $read;
                    Ok(read(value))
                }

                #[doc = concat!("Sets `", $name, "`.")]
                ///
                /// # Errors
                ///
                /// `Unsupported` without the plugin; the system's.
                pub fn $set(&self, value: $type) -> io::Result<()> {
                    system::set(self.fd(), SystemOption::$option, value as i32)
                }
            )*
        }
    };
}

options! {
    "IP_TTL": u32 as TTL { ttl => |value| value as u32, set_ttl }
    "IP_MULTICAST_TTL": u32 as MULTICAST_TTL_V4 {
        multicast_ttl_v4 => |value| value as u32, set_multicast_ttl_v4
    }
    "IP_MULTICAST_LOOP": bool as MULTICAST_LOOP_V4 {
        multicast_loop_v4 => |value| value != 0, set_multicast_loop_v4
    }
    "IPV6_MULTICAST_LOOP": bool as MULTICAST_LOOP_V6 {
        multicast_loop_v6 => |value| value != 0, set_multicast_loop_v6
    }
}

/// Groups, which only the plugin reaches.
impl UdpSocket {
    /// Joins a group on the interface with this address.
    ///
    /// # Errors
    ///
    /// `Unsupported` without the plugin; the system's.
    pub fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        system::member_v4(self.fd(), SystemOption::JOIN_V4, group, interface)
    }

    /// Leaves a group.
    ///
    /// # Errors
    ///
    /// As [`join_multicast_v4`](Self::join_multicast_v4).
    pub fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        system::member_v4(self.fd(), SystemOption::LEAVE_V4, group, interface)
    }

    /// Joins a group on the interface of this number; 0 is any.
    ///
    /// # Errors
    ///
    /// As [`join_multicast_v4`](Self::join_multicast_v4).
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        system::member_v6(self.fd(), SystemOption::JOIN_V6, group, interface)
    }

    /// Leaves a group.
    ///
    /// # Errors
    ///
    /// As [`join_multicast_v4`](Self::join_multicast_v4).
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        system::member_v6(self.fd(), SystemOption::LEAVE_V6, group, interface)
    }
}

impl From<OwnedFd> for UdpSocket {
    #[inline]
    fn from(fd: OwnedFd) -> UdpSocket {
        UdpSocket {
            fd,
            datagram: AtomicBool::new(false),
        }
    }
}

impl From<UdpSocket> for OwnedFd {
    #[inline]
    fn from(socket: UdpSocket) -> OwnedFd {
        socket.fd
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("UdpSocket");
        if let Ok(addr) = self.local_addr() {
            debug.field("addr", &addr);
        }
        debug.field("fd", &self.as_raw_fd()).finish()
    }
}
