//! The address of a Unix socket: below both the operations and the types that use it.

use crate::backend::{Addr, UNIX_PATH_LEN};
use crate::Errno;
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::fd::RawFd;
use std::os::wasi::ffi::OsStrExt;
use std::path::Path;

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

    /// The address with this name in the abstract namespace. Without the plugin it can be
    /// used if it has 107 bytes, see [`net::unix`](crate::net::unix).
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
    pub(crate) fn from_host(addr: &Addr) -> Option<SocketAddr> {
        let (path, len) = addr.unix_path()?;
        Some(SocketAddr { path, len })
    }

    /// The address, for the socket `fd`.
    pub(crate) fn to_host(&self, fd: RawFd) -> io::Result<Addr> {
        Addr::unix(fd, &self.path, self.len)
    }

    /// The address to connect or send to.
    pub(crate) fn to_peer(&self, fd: RawFd) -> io::Result<Addr> {
        if self.is_unnamed() {
            // As the kernel says of a length without a path.
            return Err(Errno::INVAL.into());
        }
        self.to_host(fd)
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

impl fmt::Debug for SocketAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.as_pathname(), self.as_abstract_name()) {
            (Some(path), _) => write!(f, "{path:?} (pathname)"),
            (_, Some(name)) => write!(f, "\"{}\" (abstract)", name.escape_ascii()),
            _ => f.write_str("(unnamed)"),
        }
    }
}
