//! What mio's TCP, UDP and Unix types ask of the platform, from the host layer.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, Ordering};

/// The socket that was accepted last, until it is registered; -1 for none. It is
/// connected and can be written to, which need not be asked of the host.
static ACCEPTED: AtomicI32 = AtomicI32::new(-1);

/// Whether `fd` is the socket that was accepted last; true once.
pub(crate) fn take_accepted(fd: RawFd) -> bool {
    // One thread: nobody comes in between.
    if ACCEPTED.load(Ordering::Relaxed) != fd {
        return false;
    }
    ACCEPTED.store(-1, Ordering::Relaxed);
    true
}

pub(crate) mod tcp {
    use std::io;
    use std::net::{self, SocketAddr};
    use std::os::fd::{AsFd, AsRawFd, IntoRawFd, RawFd};
    use std::sync::atomic::Ordering;

    use wasmedge_host::abi::SocketType;
    use wasmedge_host::{fd::socket, Errno};

    /// Opens a non-blocking TCP socket for the family of `addr`.
    pub(crate) fn new_for_addr(addr: SocketAddr) -> io::Result<RawFd> {
        let fd = socket::open_for(&addr, SocketType::Stream, true)?;
        // Should it have the number of an accepted one that is gone.
        super::take_accepted(fd.as_raw_fd());
        Ok(fd.into_raw_fd())
    }

    pub(crate) fn bind(listener: &net::TcpListener, addr: SocketAddr) -> io::Result<()> {
        socket::bind(listener.as_fd(), &addr)
    }

    /// Starts connecting. Where that takes time the socket becomes writable
    /// when it is over, and `take_error` tells how it ended.
    pub(crate) fn connect(stream: &net::TcpStream, addr: SocketAddr) -> io::Result<()> {
        match socket::connect(stream.as_fd(), &addr) {
            Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw().into()) => Ok(()),
            result => result,
        }
    }

    pub(crate) fn listen(listener: &net::TcpListener, backlog: i32) -> io::Result<()> {
        socket::listen(listener.as_fd(), backlog)
    }

    pub(crate) fn set_reuseaddr(listener: &net::TcpListener, reuseaddr: bool) -> io::Result<()> {
        socket::set_reuse_address(listener.as_fd(), reuseaddr)
    }

    /// Accepts a connection as a non-blocking stream.
    pub(crate) fn accept(listener: &net::TcpListener) -> io::Result<(net::TcpStream, SocketAddr)> {
        let (fd, peer) = socket::accept(listener.as_fd(), true)?;
        super::ACCEPTED.store(fd.as_raw_fd(), Ordering::Relaxed);
        Ok((net::TcpStream::from(fd), peer))
    }
}

pub(crate) mod udp {
    use std::io;
    use std::net::{self, SocketAddr};
    use std::os::fd::AsFd;

    use wasmedge_host::abi::SocketType;
    use wasmedge_host::fd::socket::system::{self, SystemOption};
    use wasmedge_host::fd::socket;

    /// Opens a non-blocking UDP socket bound to `addr`.
    pub fn bind(addr: SocketAddr) -> io::Result<net::UdpSocket> {
        let fd = socket::open_for(&addr, SocketType::Datagram, true)?;
        socket::bind(fd.as_fd(), &addr)?;
        Ok(net::UdpSocket::from(fd))
    }

    /// Unsupported without the plugin.
    pub(crate) fn only_v6(socket: &net::UdpSocket) -> io::Result<bool> {
        Ok(system::get(socket.as_fd(), SystemOption::ONLY_V6)? != 0)
    }
}

pub(crate) mod uds {
    pub(crate) mod stream {
        use std::io;
        use std::os::fd::{AsFd, AsRawFd};
        use std::os::unix::net::{SocketAddr, UnixStream};

        use wasmedge_host::abi::SocketType;
        use wasmedge_host::fd::socket::unix;

        /// Connects, which takes no time: a listener without room is `WouldBlock`.
        pub(crate) fn connect_addr(address: &SocketAddr) -> io::Result<UnixStream> {
            let fd = unix::open(SocketType::Stream, true)?;
            super::super::take_accepted(fd.as_raw_fd());
            unix::connect(fd.as_fd(), address)?;
            Ok(UnixStream::from(fd))
        }

        /// `Unsupported` without the plugin: the host has no `socketpair`.
        pub(crate) fn pair() -> io::Result<(UnixStream, UnixStream)> {
            let (near, far) = unix::pair(SocketType::Stream, true)?;
            Ok((UnixStream::from(near), UnixStream::from(far)))
        }
    }

    pub(crate) mod listener {
        use std::io;
        use std::os::fd::{AsFd, AsRawFd};
        use std::os::unix::net::{self, SocketAddr};
        use std::sync::atomic::Ordering;

        use wasmedge_host::fd::socket::unix;

        use crate::net::UnixStream;

        pub(crate) fn bind_addr(address: &SocketAddr) -> io::Result<net::UnixListener> {
            let listener = net::UnixListener::bind_addr(address)?;
            super::super::take_accepted(listener.as_raw_fd());
            listener.set_nonblocking(true)?;
            Ok(listener)
        }

        /// Accepts a connection as a non-blocking stream.
        pub(crate) fn accept(listener: &net::UnixListener) -> io::Result<(UnixStream, SocketAddr)> {
            let (fd, peer) = unix::accept(listener.as_fd(), true)?;
            super::super::ACCEPTED.store(fd.as_raw_fd(), Ordering::Relaxed);
            Ok((UnixStream::from(fd), peer))
        }
    }

    pub(crate) mod datagram {
        use std::io;
        use std::os::unix::net::{SocketAddr, UnixDatagram};

        use wasmedge_host::abi::SocketType;
        use wasmedge_host::fd::socket::unix;

        pub(crate) fn bind_addr(address: &SocketAddr) -> io::Result<UnixDatagram> {
            let socket = UnixDatagram::bind_addr(address)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        }

        pub(crate) fn unbound() -> io::Result<UnixDatagram> {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        }

        /// As of streams.
        pub(crate) fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
            let (near, far) = unix::pair(SocketType::Datagram, true)?;
            Ok((UnixDatagram::from(near), UnixDatagram::from(far)))
        }
    }
}
