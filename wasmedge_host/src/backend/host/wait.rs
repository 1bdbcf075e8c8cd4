//! Waiting for one socket, or for a time.

use super::abi::{Event, EventType, Subscription};
use super::poll::poll_uninterrupted;
use super::socket::filetype;
use crate::Errno;
use std::os::fd::RawFd;
use std::time::Duration;

/// A direction to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Until there is something to read.
    Read,
    /// Until something can be written, or a connection attempt has ended.
    Write,
}

/// How a wait for one socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// It is ready.
    Ready,
    /// The time is over, or a signal made it seem so.
    TimedOut,
    /// There is something that the host does not tell of: an error of a socket that is
    /// waited for to be read, or the peer's end of one that is waited for to be
    /// written.
    Untold,
}

const SOCKET: u64 = 0;
const CLOCK: u64 = 1;

/// Waits until `fd` is ready, or `limit` has passed (`None`: without end).
///
/// A descriptor that the host does not know is waited for for ever without a limit:
/// ask before.
pub fn wait(fd: RawFd, direction: Direction, limit: Option<Duration>) -> Result<Waited, Errno> {
    let socket = match direction {
        Direction::Read => Subscription::read(SOCKET, fd),
        Direction::Write => Subscription::write(SOCKET, fd),
    };
    match limit {
        Some(limit) => waited(&[socket, clock(limit)]),
        None => waited(&[socket]),
    }
}

/// Waits for a time. A signal can make it shorter.
pub fn sleep(time: Duration) -> Result<(), Errno> {
    waited(&[clock(time)]).map(drop)
}

fn clock(time: Duration) -> Subscription {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    Subscription::clock_relative(CLOCK, nanos)
}

fn waited(subs: &[Subscription]) -> Result<Waited, Errno> {
    let mut events = [Event::EMPTY; 2];
    let count = poll_uninterrupted(subs, &mut events)?;
    let is_clock = |event: &Event| event.event_type() == EventType::CLOCK;
    Ok(match &events[..count] {
        [] => Waited::Untold,
        events if events.iter().all(is_clock) => Waited::TimedOut,
        _ => Waited::Ready,
    })
}

/// Checks that a descriptor can stay in a poll.
///
/// Sockets, pipes and terminals can. Of a closed descriptor, a regular file, a
/// directory or `/dev/null` the host tells only once something else ends the
/// wait: alone in a poll they would block it for ever.
///
/// # Errors
///
/// [`Errno::BADF`] when the host does not know `fd`; [`Errno::PERM`] where it
/// cannot be waited for, as epoll says natively.
pub fn check_pollable(fd: RawFd) -> Result<(), Errno> {
    // What the host says of every socket.
    const FILETYPE_SOCKET_STREAM: u8 = 6;
    if filetype(fd)? == FILETYPE_SOCKET_STREAM {
        return Ok(());
    }
    // The clock ends the wait at once, and so the host tells.
    let mut events = [Event::EMPTY; 2];
    let subs = [
        Subscription::read(SOCKET, fd),
        Subscription::clock_relative(CLOCK, 0),
    ];
    let count = poll_uninterrupted(&subs, &mut events)?;
    events[..count]
        .iter()
        .find(|event| {
            event.userdata() == SOCKET && !matches!(event.error(), Errno::SUCCESS | Errno::EXIST)
        })
        .map_or(Ok(()), |_| Err(Errno::PERM))
}
