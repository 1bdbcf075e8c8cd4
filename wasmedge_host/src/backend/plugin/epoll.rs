//! The system's epoll: what is registered once is told of by edges.

use super::errno::check;
use super::stubs;
use crate::Errno;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// What happened to a registered descriptor.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(8))]
pub struct EpollEvent {
    /// What the descriptor was registered with.
    pub data: u64,
    /// What happened, in epoll's bits.
    pub events: u32,
    _zero: u32,
}

const _: () = assert!(size_of::<EpollEvent>() == 16 && offset_of!(EpollEvent, events) == 8);

impl EpollEvent {
    /// There is something to read.
    pub const IN: u32 = 1;
    /// There is urgent data.
    pub const PRI: u32 = 2;
    /// Something can be written.
    pub const OUT: u32 = 4;
    /// There is an error to tell.
    pub const ERR: u32 = 8;
    /// Both directions are down.
    pub const HUP: u32 = 0x10;
    /// The peer has shut its writing side.
    pub const RDHUP: u32 = 0x2000;
}

/// An epoll of the plugin's.
#[derive(Debug)]
pub struct Epoll(OwnedFd);

impl Epoll {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// The system's, such as too many open files; `NOSYS` without the plugin.
    pub fn new() -> Result<Epoll, Errno> {
        let fd = check(stubs::epoll_create())? as u32 as RawFd;
        // SAFETY: the plugin just made this descriptor for us alone; it is never -1.
        Ok(Epoll(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Registers a descriptor of the plugin's.
    ///
    /// # Errors
    ///
    /// `EXIST` if it is registered; the system's.
    pub fn add(&self, fd: RawFd, interest: u32, data: u64) -> Result<(), Errno> {
        check(stubs::epoll_add(self.0.as_raw_fd(), fd, interest, data)).map(drop)
    }

    /// Changes what a registered descriptor is waited for. What is ready of it is told of
    /// anew.
    ///
    /// # Errors
    ///
    /// `NOENT` if it is not registered; the system's.
    pub fn modify(&self, fd: RawFd, interest: u32, data: u64) -> Result<(), Errno> {
        check(stubs::epoll_modify(self.0.as_raw_fd(), fd, interest, data)).map(drop)
    }

    /// Forgets a descriptor.
    ///
    /// # Errors
    ///
    /// `NOENT` if it is not registered; the system's.
    pub fn remove(&self, fd: RawFd) -> Result<(), Errno> {
        check(stubs::epoll_remove(self.0.as_raw_fd(), fd)).map(drop)
    }

    /// Waits until something happens, or `timeout` nanoseconds are over; `None` is
    /// without end. Gives how many of `events` were filled.
    ///
    /// # Errors
    ///
    /// `INTR` after a signal; `INVAL` without room for an event.
    pub fn wait(&self, events: &mut [EpollEvent], timeout: Option<u64>) -> Result<usize, Errno> {
        let timeout = timeout.map_or(-1, |nanos| i64::try_from(nanos).unwrap_or(i64::MAX));
        let (at, max) = (events.as_mut_ptr() as u32, events.len() as u32);
        let count = check(stubs::epoll_wait(self.0.as_raw_fd(), at, max, timeout))?;
        Ok((count as usize).min(events.len()))
    }
}

/// Standard input, to be waited for. It is read by its own number, 0.
///
/// # Errors
///
/// The system's; `NOSYS` without the plugin.
pub fn stdin() -> Result<OwnedFd, Errno> {
    let fd = check(stubs::stdin_open())? as u32 as RawFd;
    // SAFETY: the plugin just made this descriptor for us alone; it is never -1.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
