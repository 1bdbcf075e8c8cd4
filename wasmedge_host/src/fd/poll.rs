//! Waiting for readiness.

use crate::abi::{Event, EventType, Subscription};
use crate::{backend, coalesce, Errno};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Waits until at least one subscription fires, and returns how many events
/// were written to the front of `events`, in the order of `subs`. What is
/// [held](coalesce) is sent first.
///
/// All readiness is level-triggered. Without a clock among `subs` the wait has
/// no end. Cost grows with the number of subscriptions.
///
/// What the caller must know of the host (0.14 to 0.17):
///
/// * No descriptor may be subscribed twice for the same direction, and none may
///   be closed: the host reports that as an event's error, but only once
///   something else ends the wait.
/// * Interrupted by a signal (`SIGSTOP` and `SIGCONT` too), it returns every
///   subscription with [`Errno::INTR`] and keeps half of its state. The next
///   call must be given the identical array; in its answer [`Errno::EXIST`]
///   means "not ready".
/// * It returns no event at all, and at once, when all there is to report is an
///   error of a socket subscribed for reading only, or the peer's end of a
///   socket subscribed for writing only.
///
/// # Errors
///
/// [`Errno::INVAL`] when `subs` is empty or `events` is shorter than `subs`;
/// the host is not asked then.
#[inline]
pub fn poll_oneoff(subs: &[Subscription], events: &mut [Event]) -> Result<usize, Errno> {
    coalesce::flush();
    backend::poll(subs, events)
}

/// The processor time that the process has used, WasmEdge included, in
/// nanoseconds.
///
/// # Errors
///
/// The host's, where it has no such clock.
pub fn processor_time() -> Result<u64, Errno> {
    backend::processor_time()
}

/// A direction to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Until there is something to read.
    Read,
    /// Until something can be written, or a connection attempt has ended.
    Write,
}

/// Blocks the program until `fd` is ready, or `timeout` has passed (`None`:
/// without end). Returns whether it is ready.
///
/// A socket with an error counts as ready. A reader whose socket has an error
/// the host does not report is told it is ready, too.
///
/// # Errors
///
/// [`Errno::BADF`] when the host does not know `fd`.
pub fn wait(
    fd: BorrowedFd<'_>,
    direction: Direction,
    timeout: Option<Duration>,
) -> Result<bool, Errno> {
    // Alone in a poll, a descriptor the host does not know is waited for for ever.
    backend::fd_flags(fd.as_raw_fd())?;
    let start = Instant::now();
    let socket = match direction {
        Direction::Read => Subscription::read(SOCKET, fd.as_raw_fd()),
        Direction::Write => Subscription::write(SOCKET, fd.as_raw_fd()),
    };
    loop {
        let left = timeout.map(|timeout| timeout.saturating_sub(start.elapsed()));
        let result = match left {
            Some(left) => outcome(&[
                socket,
                Subscription::clock_relative(CLOCK, saturating_nanos(left)),
            ])?,
            None => outcome(&[socket])?,
        };
        match result {
            Outcome::Ready => return Ok(true),
            Outcome::TimedOut if left == Some(Duration::ZERO) => return Ok(false),
            // The clock of an interrupted wait may fire early: look again.
            Outcome::TimedOut => {}
            Outcome::Nothing if direction == Direction::Read => return Ok(true),
            // The peer has ended its side and the send buffer is full. Only
            // time helps; do not spin meanwhile.
            Outcome::Nothing => {
                let pause = left.map_or(RETRY, |left| left.min(RETRY));
                outcome(&[Subscription::clock_relative(CLOCK, saturating_nanos(pause))])?;
                if left == Some(Duration::ZERO) {
                    return Ok(false);
                }
            }
        }
    }
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
pub fn check_pollable(fd: i32) -> Result<(), Errno> {
    // What the host says of every socket.
    const FILETYPE_SOCKET_STREAM: u8 = 6;
    if backend::filetype(fd)? == FILETYPE_SOCKET_STREAM {
        return Ok(());
    }
    // The clock ends the wait at once, and so the host tells.
    let mut events = [Event::EMPTY; 2];
    let subs = [
        Subscription::read(SOCKET, fd),
        Subscription::clock_relative(CLOCK, 0),
    ];
    let count = backend::poll_uninterrupted(&subs, &mut events)?;
    events[..count]
        .iter()
        .find(|event| {
            event.userdata() == SOCKET && !matches!(event.error(), Errno::SUCCESS | Errno::EXIST)
        })
        .map_or(Ok(()), |_| Err(Errno::PERM))
}

const SOCKET: u64 = 0;
const CLOCK: u64 = 1;
/// How long to wait before looking again for what the host does not tell of.
pub const RETRY: Duration = Duration::from_millis(1);

fn saturating_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

enum Outcome {
    Ready,
    TimedOut,
    Nothing,
}

fn outcome(subs: &[Subscription]) -> Result<Outcome, Errno> {
    let mut events = [Event::EMPTY; 2];
    let count = poll_uninterrupted(subs, &mut events)?;
    Ok(if count == 0 {
        Outcome::Nothing
    } else if events[..count]
        .iter()
        .all(|event| event.event_type() == EventType::CLOCK)
    {
        Outcome::TimedOut
    } else {
        Outcome::Ready
    })
}

/// As [`poll_oneoff`], but a signal does not end the wait, nor leave the host
/// in the state described there. A clock may then fire early, by what had
/// passed before the signal.
///
/// # Errors
///
/// As [`poll_oneoff`].
pub fn poll_uninterrupted(subs: &[Subscription], events: &mut [Event]) -> Result<usize, Errno> {
    coalesce::before_blocking();
    backend::poll_uninterrupted(subs, events)
}
