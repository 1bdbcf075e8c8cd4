//! The types of `std::os::unix::net`.
//!
//! On WASI these are this crate's own. They work where WasmEdge runs with
//! `--allow-af-unix`; otherwise opening one is
//! [`Unsupported`](std::io::ErrorKind::Unsupported). On Unix they are std's.
//!
//! * A path is one of the host's, relative to the directory that WasmEdge was
//!   started in: the folders that were opened to the program (`--dir`) have no part
//!   in it. Removing a socket's file is an operation on files, which goes through
//!   those folders: use a path that is the same on both sides.
//! * The host passes names of the abstract namespace on with zeros up to 107 bytes.
//!   A shorter name would be another one than natively, so using one is
//!   `Unsupported`.
//! * `pair`, `try_clone`, and binding without a name are `Unsupported`, as are
//!   credentials and ancillary data, for which there are no methods.
//! * [`UnixDatagram::recv_from`] makes the host print a warning on its standard
//!   output when the sender has no name; from 0.17 on it has `--log-level error`
//!   against that. A connected socket's does not ask.

#[cfg(all(unix, not(target_os = "wasi")))]
pub use std::os::unix::net::{Incoming, SocketAddr, UnixDatagram, UnixListener, UnixStream};

#[cfg(target_os = "wasi")]
pub use self::wasi::{Incoming, SocketAddr, UnixDatagram, UnixListener, UnixStream};

#[cfg(target_os = "wasi")]
mod wasi {
    use super::super::fd::descriptors;
    use super::super::tcp::no_duplicates;
    use super::super::{TcpStream, UdpSocket};
    use crate::abi::SocketType;
    use crate::conv::{AddressBuf, UNIX_PATH_LEN};
    use crate::fd::socket::{self, unix};
    use crate::gather;
    use std::ffi::OsStr;
    use std::fmt;
    use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
    use std::iter::FusedIterator;
    use std::net::Shutdown;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
    use std::os::wasi::ffi::OsStrExt;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    /// As many connections as the kernel allows may wait to be accepted; std's
    /// number.
    const BACKLOG: i32 = -1;

    /// The address of a Unix socket; as `std::os::unix::net::SocketAddr`.
    #[derive(Clone)]
    pub struct SocketAddr {
        /// As in `sockaddr_un`; zeros behind `len`.
        path: [u8; UNIX_PATH_LEN],
        /// 0 for an unnamed address; an abstract one starts with a zero.
        len: usize,
    }

    impl SocketAddr {
        pub(crate) const UNNAMED: SocketAddr = SocketAddr {
            path: [0; UNIX_PATH_LEN],
            len: 0,
        };

        /// The address with this path.
        ///
        /// # Errors
        ///
        /// `InvalidInput` for a path of more than 107 bytes, or with a zero in it.
        pub fn from_pathname<P: AsRef<Path>>(path: P) -> io::Result<SocketAddr> {
            let path = path.as_ref().as_os_str().as_bytes();
            if path.contains(&0) {
                return Err(invalid("paths must not contain interior null bytes"));
            }
            if path.len() >= UNIX_PATH_LEN {
                return Err(invalid("path must be shorter than SUN_LEN"));
            }
            Ok(SocketAddr::new(0, path))
        }

        /// The address with this name in the abstract namespace. It can be used if it
        /// has 107 bytes, see [the module](super).
        ///
        /// # Errors
        ///
        /// `InvalidInput` for a name of more than 107 bytes.
        pub fn from_abstract_name<N: AsRef<[u8]>>(name: N) -> io::Result<SocketAddr> {
            let name = name.as_ref();
            if name.len() >= UNIX_PATH_LEN {
                return Err(invalid("abstract socket name must be shorter than SUN_LEN"));
            }
            Ok(SocketAddr::new(1, name))
        }

        fn new(start: usize, bytes: &[u8]) -> SocketAddr {
            let mut addr = SocketAddr::UNNAMED;
            addr.len = start + bytes.len();
            addr.path[start..addr.len].copy_from_slice(bytes);
            addr
        }

        /// The address that the host wrote; `None` if it is not of a Unix socket.
        pub(crate) fn from_host(addr: &AddressBuf) -> Option<SocketAddr> {
            let path = addr.unix_path()?;
            let len = if path[0] == 0 {
                // The host does not tell the length of an abstract name.
                path.iter()
                    .rposition(|byte| *byte != 0)
                    .map_or(0, |at| at + 1)
            } else {
                path.iter()
                    .position(|byte| *byte == 0)
                    .unwrap_or(UNIX_PATH_LEN)
            };
            Some(SocketAddr { path, len })
        }

        pub(crate) fn to_host(&self) -> io::Result<AddressBuf> {
            if self.as_abstract_name().is_some() && self.len < UNIX_PATH_LEN {
                return Err(io::Error::new(
                    ErrorKind::Unsupported,
                    "WasmEdge fills abstract names up to 107 bytes: a shorter one cannot be used",
                ));
            }
            Ok(AddressBuf::unix(&self.path))
        }

        /// The address to connect or send to.
        pub(crate) fn to_peer(&self) -> io::Result<AddressBuf> {
            if self.is_unnamed() {
                // As the kernel says of a length without a path.
                return Err(crate::Errno::INVAL.into());
            }
            self.to_host()
        }

        /// Whether there is no name.
        pub fn is_unnamed(&self) -> bool {
            self.len == 0
        }

        /// The path, if it is one.
        pub fn as_pathname(&self) -> Option<&Path> {
            match self.path[..self.len] {
                [] | [0, ..] => None,
                ref path => Some(Path::new(OsStr::from_bytes(path))),
            }
        }

        /// The name in the abstract namespace, if it is one. Of a name that the host
        /// told, zeros at the end are not part.
        pub fn as_abstract_name(&self) -> Option<&[u8]> {
            match self.path[..self.len] {
                [0, ref name @ ..] => Some(name),
                _ => None,
            }
        }
    }

    fn invalid(message: &str) -> io::Error {
        io::Error::new(ErrorKind::InvalidInput, message)
    }

    fn no_pairs() -> io::Error {
        io::Error::new(
            ErrorKind::Unsupported,
            "WasmEdge cannot make a pair of connected sockets",
        )
    }

    impl fmt::Debug for SocketAddr {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match (self.as_pathname(), self.as_abstract_name()) {
                (Some(path), _) => write!(f, "{path:?} (pathname)"),
                (_, Some(name)) => write!(f, "\"{}\" (abstract)", name.escape_ascii()),
                _ => f.write_str("(unnamed)"),
            }
        }
    }

    macro_rules! sockets {
        ($($ty:ident: $field:ident),*) => {
            $(
                impl $ty {
                    #[inline]
                    fn fd(&self) -> BorrowedFd<'_> {
                        self.$field.as_fd()
                    }

                    /// The local address.
                    ///
                    /// # Errors
                    ///
                    /// The host's.
                    pub fn local_addr(&self) -> io::Result<SocketAddr> {
                        unix::local_addr(self.fd())
                    }

                    /// Always fails: WASI cannot duplicate a descriptor.
                    ///
                    /// # Errors
                    ///
                    /// `Unsupported`.
                    pub fn try_clone(&self) -> io::Result<$ty> {
                        Err(no_duplicates())
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

                impl From<$ty> for OwnedFd {
                    #[inline]
                    fn from(socket: $ty) -> OwnedFd {
                        socket.$field.into()
                    }
                }

                impl fmt::Debug for $ty {
                    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        let mut debug = f.debug_struct(stringify!($ty));
                        debug.field("fd", &self.as_raw_fd());
                        if let Ok(addr) = self.local_addr() {
                            debug.field("local", &addr);
                        }
                        if let Ok(peer) = unix::peer_addr(self.fd()) {
                            debug.field("peer", &peer);
                        }
                        debug.finish()
                    }
                }
            )*
        };
    }

    macro_rules! connected {
        ($($ty:ident),*) => {
            $(
                impl $ty {
                    /// Always fails: the host has no `socketpair`.
                    ///
                    /// # Errors
                    ///
                    /// `Unsupported`.
                    pub fn pair() -> io::Result<($ty, $ty)> {
                        Err(no_pairs())
                    }

                    /// The address of the peer.
                    ///
                    /// # Errors
                    ///
                    /// `NotConnected`.
                    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                        unix::peer_addr(self.fd())
                    }

                    /// Sets how long a blocking read waits; `None` is without end.
                    ///
                    /// # Errors
                    ///
                    /// `InvalidInput` for a time-out of zero.
                    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                        socket::set_read_timeout(self.fd(), timeout)
                    }

                    /// Sets how long a blocking write waits; `None` is without end.
                    ///
                    /// # Errors
                    ///
                    /// `InvalidInput` for a time-out of zero.
                    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                        socket::set_write_timeout(self.fd(), timeout)
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

                    /// Shuts one or both directions.
                    ///
                    /// # Errors
                    ///
                    /// `NotConnected`.
                    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                        socket::shutdown(self.fd(), how)
                    }
                }
            )*
        };
    }

    sockets!(UnixStream: stream, UnixListener: fd, UnixDatagram: socket);
    descriptors!(UnixStream, UnixListener, UnixDatagram);
    connected!(UnixStream, UnixDatagram);

    /// A Unix stream; as `std::os::unix::net::UnixStream`.
    pub struct UnixStream {
        /// Reads and writes as any stream.
        stream: TcpStream,
    }

    impl UnixStream {
        /// Connects to the socket with this path.
        ///
        /// # Errors
        ///
        /// `NotFound`; `ConnectionRefused` when nobody listens; `InvalidInput` for a
        /// path of more than 107 bytes; `Unsupported` without `--allow-af-unix`.
        pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
            UnixStream::connect_addr(&SocketAddr::from_pathname(path)?)
        }

        /// As [`connect`](Self::connect), with an address.
        ///
        /// # Errors
        ///
        /// As [`connect`](Self::connect).
        pub fn connect_addr(addr: &SocketAddr) -> io::Result<UnixStream> {
            let fd = unix::open(SocketType::Stream, false)?;
            unix::connect(fd.as_fd(), addr)?;
            Ok(fd.into())
        }
    }

    impl From<OwnedFd> for UnixStream {
        #[inline]
        fn from(fd: OwnedFd) -> UnixStream {
            UnixStream { stream: fd.into() }
        }
    }

    impl Read for UnixStream {
        #[inline]
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            (&*self).read(buf)
        }

        fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
            (&*self).read_vectored(bufs)
        }
    }

    impl UnixStream {
        /// The kernel holds back nothing on a Unix socket: what follows a write is not
        /// gathered, and leaves at once as well.
        #[inline]
        fn leaves_at_once(&self) {
            gather::follows_nothing(self.stream.as_raw_fd());
        }
    }

    impl Write for UnixStream {
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

    impl Read for &UnixStream {
        #[inline]
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            (&self.stream).read(buf)
        }

        fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
            (&self.stream).read_vectored(bufs)
        }
    }

    impl Write for &UnixStream {
        #[inline]
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            let result = (&self.stream).write(buf);
            self.leaves_at_once();
            result
        }

        fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
            let result = (&self.stream).write_vectored(bufs);
            self.leaves_at_once();
            result
        }

        #[inline]
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A listener for Unix streams; as `std::os::unix::net::UnixListener`. Closing it
    /// leaves its file, as natively.
    pub struct UnixListener {
        fd: OwnedFd,
    }

    impl UnixListener {
        /// Listens at this path.
        ///
        /// # Errors
        ///
        /// `AddrInUse` when there is such a file; `InvalidInput` for a path of more
        /// than 107 bytes; `Unsupported` without `--allow-af-unix`.
        pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
            UnixListener::bind_addr(&SocketAddr::from_pathname(path)?)
        }

        /// As [`bind`](Self::bind), with an address.
        ///
        /// # Errors
        ///
        /// As [`bind`](Self::bind).
        pub fn bind_addr(addr: &SocketAddr) -> io::Result<UnixListener> {
            let fd = unix::open(SocketType::Stream, false)?;
            unix::bind(fd.as_fd(), addr)?;
            socket::listen(fd.as_fd(), BACKLOG)?;
            Ok(fd.into())
        }

        /// Accepts a connection. On a blocking listener, waits for one. The new
        /// stream is blocking.
        ///
        /// # Errors
        ///
        /// `WouldBlock` on a non-blocking listener.
        pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
            let (fd, peer) = unix::accept(self.fd(), false)?;
            Ok((fd.into(), peer))
        }

        /// Accepts connections for ever.
        pub fn incoming(&self) -> Incoming<'_> {
            Incoming { listener: self }
        }
    }

    impl From<OwnedFd> for UnixListener {
        #[inline]
        fn from(fd: OwnedFd) -> UnixListener {
            UnixListener { fd }
        }
    }

    impl<'a> IntoIterator for &'a UnixListener {
        type Item = io::Result<UnixStream>;
        type IntoIter = Incoming<'a>;

        fn into_iter(self) -> Incoming<'a> {
            self.incoming()
        }
    }

    /// Accepts connections for ever; made by [`UnixListener::incoming`].
    #[must_use = "iterators are lazy and do nothing unless consumed"]
    #[derive(Debug)]
    pub struct Incoming<'a> {
        listener: &'a UnixListener,
    }

    impl Iterator for Incoming<'_> {
        type Item = io::Result<UnixStream>;

        fn next(&mut self) -> Option<io::Result<UnixStream>> {
            Some(self.listener.accept().map(|(stream, _)| stream))
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            (usize::MAX, None)
        }
    }

    impl FusedIterator for Incoming<'_> {}

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
}
