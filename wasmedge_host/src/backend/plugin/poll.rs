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
#[repr(C)]
struct Entry {
    fd: RawFd,
    events: i16,
    told: i16,
}

const _: () = assert!(size_of::<Entry>() == 8);

/// As the host's [`wait`](super::super::host::wait), of a socket of the plugin's.
pub fn wait(fd: RawFd, direction: Direction, limit: Option<Duration>) -> Result<Waited, Errno> {
    let events = match direction {
        Direction::Read => POLLIN,
        Direction::Write => POLLOUT,
    };
    let mut entry = Entry {
        fd,
        events,
        told: 0,
    };
    let entries = std::ptr::from_mut(&mut entry) as u32;
    match check(stubs::poll(entries, 1, nanos(limit))) {
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
