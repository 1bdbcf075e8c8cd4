//! Waiting for one socket.

use super::super::host::{Direction, Waited};
use super::errno::check;
use super::stubs;
use crate::Errno;
use std::mem::size_of;
use std::os::fd::RawFd;
use std::time::Duration;

const POLLIN: i16 = 1;
const POLLOUT: i16 = 4;

/// The system's `pollfd`, with a number of the plugin's.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PollEntry {
    fd: RawFd,
    events: i16,
    told: i16,
}

const _: () = assert!(size_of::<PollEntry>() == 8);

impl PollEntry {
    /// Asks for `events`, in Linux's bits.
    pub const fn new(fd: RawFd, events: i16) -> PollEntry {
        PollEntry {
            fd,
            events,
            told: 0,
        }
    }

    /// What was told, in Linux's bits.
    pub const fn told(&self) -> i16 {
        self.told
    }
}

/// The system's `poll`: waits until something is told of one of the entries, or `limit`
/// has passed (`None`: without end). Gives of how many something was told.
///
/// # Errors
///
/// `INTR` after a signal; the system's.
pub fn poll(entries: &mut [PollEntry], limit: Option<Duration>) -> Result<usize, Errno> {
    let (at, count) = (entries.as_mut_ptr() as u32, entries.len() as u32);
    let told = check(stubs::poll(at, count, nanos(limit)))?;
    Ok(told as usize)
}

/// As the host's [`wait`](super::super::host::wait), of a socket of the plugin's.
pub fn wait(fd: RawFd, direction: Direction, limit: Option<Duration>) -> Result<Waited, Errno> {
    let events = match direction {
        Direction::Read => POLLIN,
        Direction::Write => POLLOUT,
    };
    match poll(&mut [PollEntry::new(fd, events)], limit) {
        Ok(0) | Err(Errno::INTR) => Ok(Waited::TimedOut),
        Ok(_) => Ok(Waited::Ready),
        Err(errno) => Err(errno),
    }
}

/// A time as the plugin takes it: less than nothing is without end.
pub(super) fn nanos(limit: Option<Duration>) -> i64 {
    limit.map_or(-1, |limit| {
        i64::try_from(limit.as_nanos()).unwrap_or(i64::MAX)
    })
}
