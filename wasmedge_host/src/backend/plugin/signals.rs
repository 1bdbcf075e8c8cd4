//! Signals, which are waited for with an [`Epoll`](super::Epoll).

use super::errno::check;
use super::stubs;
use crate::Errno;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The signals that the program takes. There is one of these at a time; when it is
/// dropped the system does with them what it did before.
#[derive(Debug)]
pub struct Signals(OwnedFd);

impl Signals {
    /// Takes none yet.
    ///
    /// # Errors
    ///
    /// `BUSY` if there is one already; `NOSYS` without the plugin; the system's.
    pub fn new() -> Result<Signals, Errno> {
        let fd = check(stubs::signals_open())? as u32 as RawFd;
        // SAFETY: the plugin just made this descriptor for us alone; it is never -1.
        Ok(Signals(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Takes a signal from now on, by Linux's number.
    ///
    /// # Errors
    ///
    /// `INVAL` for one that a program may not take; the system's.
    pub fn add(&self, signal: i32) -> Result<(), Errno> {
        check(stubs::signals_add(self.0.as_raw_fd(), signal)).map(drop)
    }

    /// The signals that came since the last call: bit `n` is signal `n`.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn take(&self) -> Result<u64, Errno> {
        check(stubs::signals_take(self.0.as_raw_fd()))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
