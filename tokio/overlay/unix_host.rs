//! What tokio's Unix sockets take from `std::os::unix`: std's own where there is
//! such a module, else the host layer's, which have the same API.

#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
#[allow(unused_imports)] // Some systems do without `ffi`.
pub(crate) use std::os::unix::{ffi, io, net};

#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(crate) use std::os::{fd as io, wasi::ffi};
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(crate) use wasmedge_host::net::unix as net;

#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
#[allow(unused_imports)] // Not all of mio's systems have it.
pub(crate) use mio::unix::SourceFd;

/// What `AsyncFd` registers. Only the plugin tells of edges; of descriptors that mio does
/// no I/O on the host's poll can say only once that they are ready.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(crate) struct SourceFd<'a>(pub(crate) &'a std::os::fd::RawFd);

#[cfg(all(target_os = "wasi", target_env = "p1"))]
impl mio::event::Source for SourceFd<'_> {
    fn register(
        &mut self,
        registry: &mio::Registry,
        token: mio::Token,
        interests: mio::Interest,
    ) -> std::io::Result<()> {
        if !wasmedge_host::backend::plugin::is_there() {
            return Err(std::io::Error::new(
                std::io::ErrorKind::Unsupported,
                "AsyncFd: WasmEdge does not tell of edges without a plugin",
            ));
        }
        mio::wasi::SourceFd(self.0).register(registry, token, interests)
    }

    fn reregister(
        &mut self,
        registry: &mio::Registry,
        token: mio::Token,
        interests: mio::Interest,
    ) -> std::io::Result<()> {
        mio::wasi::SourceFd(self.0).reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &mio::Registry) -> std::io::Result<()> {
        mio::wasi::SourceFd(self.0).deregister(registry)
    }
}

/// What `UnixSocket` takes from socket2, which has no Unix sockets on WASI.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(crate) mod socket2 {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
    use std::os::wasi::ffi::OsStrExt;
    use std::path::Path;

    use wasmedge_host::abi::SocketType;
    use wasmedge_host::net::unix::SocketAddr;
    use wasmedge_host::fd::socket::{self, unix};

    pub(crate) struct Domain;

    impl Domain {
        pub(crate) const UNIX: Domain = Domain;
    }

    #[derive(PartialEq)]
    pub(crate) struct Type(SocketType);

    impl Type {
        pub(crate) const DGRAM: Type = Type(SocketType::Datagram);
        pub(crate) const STREAM: Type = Type(SocketType::Stream);
    }

    pub(crate) enum Protocol {}

    pub(crate) struct SockAddr(SocketAddr);

    impl SockAddr {
        pub(crate) fn unix(path: impl AsRef<Path>) -> io::Result<SockAddr> {
            let addr = match path.as_ref().as_os_str().as_bytes() {
                [0, name @ ..] => SocketAddr::from_abstract_name(name),
                _ => SocketAddr::from_pathname(path),
            };
            addr.map(SockAddr)
        }
    }

    #[derive(Debug)]
    pub(crate) struct Socket(OwnedFd);

    impl Socket {
        pub(crate) fn new(_: Domain, ty: Type, _: Option<Protocol>) -> io::Result<Socket> {
            unix::open(ty.0, false).map(Socket)
        }

        pub(crate) fn r#type(&self) -> io::Result<Type> {
            match socket::socket_type(self.0.as_fd())? {
                Some(ty) => Ok(Type(ty)),
                None => Err(io::ErrorKind::InvalidInput.into()),
            }
        }

        pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
            socket::set_nonblocking(self.0.as_fd(), nonblocking)
        }

        pub(crate) fn bind(&self, addr: &SockAddr) -> io::Result<()> {
            unix::bind(self.0.as_fd(), &addr.0)
        }

        pub(crate) fn listen(&self, backlog: i32) -> io::Result<()> {
            socket::listen(self.0.as_fd(), backlog)
        }

        pub(crate) fn connect(&self, addr: &SockAddr) -> io::Result<()> {
            unix::connect(self.0.as_fd(), &addr.0)
        }
    }

    impl AsRawFd for Socket {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_raw_fd()
        }
    }

    impl IntoRawFd for Socket {
        fn into_raw_fd(self) -> RawFd {
            self.0.into_raw_fd()
        }
    }

    impl FromRawFd for Socket {
        unsafe fn from_raw_fd(fd: RawFd) -> Socket {
            // SAFETY: the caller hands over a descriptor it owns.
            Socket(unsafe { OwnedFd::from_raw_fd(fd) })
        }
    }
}
