//! Listeners for Unix streams.

use super::shared::sockets;
use super::UnixStream;
use crate::abi::SocketType;
use crate::fd::socket::system;
use crate::fd::socket::{self, unix};
use crate::net::fd::descriptors;
use crate::unix_addr::SocketAddr;
use std::fmt;
use std::io;
use std::iter::FusedIterator;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::Path;

/// As many connections as the kernel allows may wait to be accepted; std's
/// number.
const BACKLOG: i32 = -1;

sockets!(UnixListener: fd);
descriptors!(UnixListener);

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
