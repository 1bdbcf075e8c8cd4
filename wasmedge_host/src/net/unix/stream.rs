//! Unix streams.

use super::shared::{connected, sockets};
use crate::abi::SocketType;
use crate::coalesce;
use crate::fd::socket::system;
use crate::fd::socket::{self, unix};
use crate::net::fd::descriptors;
use crate::net::TcpStream;
use crate::unix_addr::SocketAddr;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Duration;

sockets!(UnixStream: stream);
descriptors!(UnixStream);
connected!(UnixStream: Stream);

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
    /// held, and leaves at once as well.
    #[inline]
    fn leaves_at_once(&self) {
        coalesce::follows_nothing(self.stream.as_raw_fd());
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
