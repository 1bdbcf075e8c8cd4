//! Waiting for readiness.

use crate::abi::{Event, Subscription};
use crate::backend::{self, Waited};
use crate::{coalesce, Errno};

pub use crate::backend::{check_pollable, Direction};
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
    backend::is_nonblocking(fd.as_raw_fd())?;
    let start = Instant::now();
    loop {
        let left = timeout.map(|timeout| timeout.saturating_sub(start.elapsed()));
        coalesce::before_blocking();
        match backend::wait(fd.as_raw_fd(), direction, left)? {
            Waited::Ready => return Ok(true),
            Waited::TimedOut if left == Some(Duration::ZERO) => return Ok(false),
            // The clock of an interrupted wait may fire early: look again.
            Waited::TimedOut => {}
            Waited::Untold if direction == Direction::Read => return Ok(true),
            // The peer has ended its side and the send buffer is full. Only
            // time helps; do not spin meanwhile.
            Waited::Untold => {
                coalesce::before_blocking();
                backend::sleep(left.map_or(RETRY, |left| left.min(RETRY)))?;
                if left == Some(Duration::ZERO) {
                    return Ok(false);
                }
            }
        }
    }
}

/// How long to wait before looking again for what the host does not tell of: often
/// enough to be taken for prompt, and no load.
pub const RETRY: Duration = Duration::from_millis(1);

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
