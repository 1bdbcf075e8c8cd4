//! Addresses, each in the form of the backend whose socket it is for.

use super::host::HostAddr;
use super::plugin::{self, SockAddr};
use super::UNIX_PATH_LEN;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::RawFd;

/// An address for a socket, or of one.
#[derive(Clone, Copy)]
pub enum Addr {
    /// The host's form.
    Host(HostAddr),
    /// The plugin's, which is the system's.
    Plugin(SockAddr),
}

impl Addr {
    /// An IP address, for `fd`.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the backend cannot express it: the host knows no scopes.
    pub fn ip(fd: RawFd, addr: &SocketAddr) -> io::Result<Addr> {
        if plugin::owns(fd) {
            return Ok(Addr::Plugin(SockAddr::ip(addr)));
        }
        HostAddr::new(addr).map(Addr::Host)
    }

    /// The address of a Unix socket, for `fd`: `len` bytes of a path, or a zero and an
    /// abstract name.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the backend cannot express it: the host does not tell the
    /// kernel how long an abstract name is.
    pub fn unix(fd: RawFd, path: &[u8; UNIX_PATH_LEN], len: usize) -> io::Result<Addr> {
        if plugin::owns(fd) {
            return Ok(Addr::Plugin(SockAddr::unix(path, len)));
        }
        if path[0] == 0 && (1..UNIX_PATH_LEN).contains(&len) {
            return Err(io::Error::new(
                ErrorKind::Unsupported,
                "WasmEdge fills abstract names up to 107 bytes: a shorter one cannot be used",
            ));
        }
        Ok(Addr::Host(HostAddr::unix(path)))
    }

    /// The IP address, if it is one.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self {
            Addr::Host(addr) => addr.socket_addr(),
            Addr::Plugin(addr) => addr.socket_addr(),
        }
    }

    /// The path of a Unix socket or, with a zero before it, its abstract name; and how
    /// long that is. `None` if it is another address.
    pub fn unix_path(&self) -> Option<([u8; UNIX_PATH_LEN], usize)> {
        match self {
            Addr::Host(addr) => {
                let path = addr.unix_path()?;
                // The host does not tell the length.
                let len = match path[0] {
                    0 => path
                        .iter()
                        .rposition(|byte| *byte != 0)
                        .map_or(0, |at| at + 1),
                    _ => path
                        .iter()
                        .position(|byte| *byte == 0)
                        .unwrap_or(path.len()),
                };
                Some((path, len))
            }
            Addr::Plugin(addr) => addr.unix_path(),
        }
    }
}
