//! The one instance of the guest, with the host behind it.

use super::core::{Backlog, Coalescer, SendSink, Sent, LAST_DRAIN};
use super::last_writer::{LastWriter, Origin};
use crate::backend::{self, Direction, SendBufs};
use crate::exit::{self, Hooks};
use crate::{pending, Errno};
use std::io::IoSlice;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

static COALESCER: OnceLock<Mutex<Coalescer<OwnedFd>>> = OnceLock::new();

// A guest has one thread, so none of these ever disagrees with the above.

/// How many sockets there is something to know of.
static KNOWN: AtomicUsize = AtomicUsize::new(0);
/// How many of them hold something.
static HOLDING: AtomicUsize = AtomicUsize::new(0);
/// How many have a backlog, or are orphans.
static BACKLOGS: AtomicUsize = AtomicUsize::new(0);
/// How many ticks have ended of which [`Coalescer`] has not been told.
static TICKS: AtomicU32 = AtomicU32::new(0);
static LAST_WRITER: LastWriter = LastWriter::new();

/// How long to wait where the host cannot tell how long.
const PAUSE: Duration = Duration::from_millis(1);

/// Called once something could be held.
const HOOKS: Hooks = Hooks { at_exit, at_abort };

struct Host;

impl SendSink for Host {
    fn send(&mut self, fd: i32, head: &[u8], bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        backend::send(fd, &SendBufs::behind(head, bufs))
    }

    fn shut(&mut self, fd: i32) {
        // Natively the app has had its answer by now.
        let _ = backend::shutdown(fd, Shutdown::Write);
    }

    fn is_connected(&mut self, fd: i32) -> bool {
        backend::is_connected(fd)
    }

    fn is_open(&mut self, fd: i32) -> bool {
        backend::is_open(fd)
    }

    fn closes_hard(&mut self, fd: i32) -> bool {
        backend::linger(fd) == Ok(Some(Duration::ZERO))
    }

    fn keep(&mut self, fd: i32, errno: Errno) {
        pending::put(fd, errno);
    }
}

fn lock() -> MutexGuard<'static, Coalescer<OwnedFd>> {
    COALESCER
        .get_or_init(|| Mutex::new(Coalescer::new()))
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn count(coalescer: &Coalescer<OwnedFd>) {
    let counts = coalescer.counts();
    KNOWN.store(counts.known, Relaxed);
    HOLDING.store(counts.holding, Relaxed);
    BACKLOGS.store(counts.backlogs, Relaxed);
}

fn with<R>(f: impl FnOnce(&mut Coalescer<OwnedFd>) -> R) -> R {
    let mut coalescer = lock();
    let result = f(&mut coalescer);
    count(&coalescer);
    result
}

/// Whether no socket holds anything, could, or has a backlog.
#[inline]
fn is_idle() -> bool {
    KNOWN.load(Relaxed) == 0
}

/// Whether "no delay" was asked for.
pub(crate) fn nodelay(fd: RawFd) -> bool {
    !is_idle() && lock().nodelay(fd)
}

/// Has a socket coalesce from now on, or no longer.
pub(crate) fn set_nodelay(fd: RawFd, on: bool) {
    if on {
        exit::call(HOOKS);
    } else if is_idle() {
        return;
    }
    with(|coalescer| coalescer.set_nodelay(&mut Host, fd, on));
}

/// Runs `f` as an operation on `fd` of a selector that has it registered, and
/// calls `flush` before it waits.
#[inline]
pub fn within<R>(fd: RawFd, f: impl FnOnce() -> R) -> R {
    LAST_WRITER.within(fd, f)
}

/// Whether a write on `fd` may have to be coalesced.
#[inline]
pub(crate) fn is_tracked(fd: RawFd) -> bool {
    !is_idle() || LAST_WRITER.follows(fd)
}

/// All of a write on the stream `fd` went out by itself.
#[inline]
pub(crate) fn wrote(fd: RawFd) {
    LAST_WRITER.wrote(fd);
}

/// The next write on `fd` goes out by itself, and is told what the kernel says.
#[inline]
pub(crate) fn follows_nothing(fd: RawFd) {
    LAST_WRITER.follows_nothing(fd);
}

/// A write. `None` if it is to be sent as it is.
pub(crate) fn write(
    fd: RawFd,
    bufs: &[IoSlice<'_>],
    is_stream: bool,
) -> Option<Result<usize, Errno>> {
    let origin = match is_stream {
        true => LAST_WRITER.origin(fd),
        false => Origin::Outside,
    };
    if origin == Origin::SelectorAgain {
        exit::call(HOOKS);
    }
    with(|coalescer| {
        coalescer.pass(TICKS.load(Relaxed));
        TICKS.store(0, Relaxed);
        coalescer.write(&mut Host, fd, bufs, origin)
    })
}

/// Sends what is held, and ends the tick. Returns whether there are [`backlogs`].
#[inline]
pub fn flush() -> bool {
    LAST_WRITER.end();
    if HOLDING.load(Relaxed) != 0 {
        with(|coalescer| coalescer.flush(&mut Host));
    } else {
        TICKS.store(TICKS.load(Relaxed).wrapping_add(1), Relaxed);
    }
    BACKLOGS.load(Relaxed) != 0
}

/// Sends what is held for `fd`.
#[inline]
pub fn flush_socket(fd: RawFd) {
    if HOLDING.load(Relaxed) != 0 {
        with(|coalescer| coalescer.flush_socket(&mut Host, fd));
    }
}

/// To be called before anything that may block the program: [`flush`], and a try for
/// the backlogs.
#[inline]
pub fn before_blocking() {
    if flush() {
        with(|coalescer| coalescer.try_backlogs(&mut Host));
    }
}

/// As [`before_blocking`], of an operation on a socket: within a selector's it
/// does not block.
#[inline]
pub(crate) fn before_operation() {
    if HOLDING.load(Relaxed) != 0 && LAST_WRITER.is_outside() {
        before_blocking();
    }
}

/// Lists the sockets with a backlog, and the orphans. Selectors wait until they can
/// be written to, and then call [`send_backlog`].
pub fn backlogs(into: &mut Vec<Backlog>) {
    with(|coalescer| coalescer.backlogs(into));
}

/// Tries to send the backlog of `fd`.
pub fn send_backlog(fd: RawFd) -> Sent {
    with(|coalescer| coalescer.send_backlog(&mut Host, fd))
}

/// A selector has registered the orphan `fd`, and nobody but it may close it; or
/// it no longer has.
pub fn set_adopted(fd: RawFd, adopted: bool) {
    with(|coalescer| coalescer.set_adopted(fd, adopted));
}

/// Shutting the writing side of `fd`. Returns whether it is put off until the backlog
/// is out.
pub(crate) fn shut(fd: RawFd) -> bool {
    follows_nothing(fd);
    !is_idle() && with(|coalescer| coalescer.shut(&mut Host, fd))
}

/// Closes a socket, once its backlog is out.
pub(crate) fn close(owner: OwnedFd) {
    if !is_idle() {
        let fd = owner.as_raw_fd();
        drop(with(|coalescer| coalescer.close(&mut Host, fd, owner)));
    }
}

/// `fd` is handed to who may write to it in other ways: what is held goes
/// out, and a backlog has a moment to do so.
pub(crate) fn release(fd: RawFd) {
    if !is_idle() {
        flush_socket(fd);
        finish(|coalescer| coalescer.has_backlog(fd).then_some(fd));
    }
}

/// `fd` is a new socket, which may have the number of one that is gone; or it is
/// closed, with nothing to be sent.
pub(crate) fn forget(fd: RawFd) {
    follows_nothing(fd);
    if !is_idle() {
        drop(with(|coalescer| coalescer.forget(fd)));
    }
}

/// Waits for a while until what `next` names can be written to, and sends it.
fn finish(next: impl Fn(&Coalescer<OwnedFd>) -> Option<RawFd>) {
    let start = Instant::now();
    loop {
        let fd = next(&lock());
        let left = LAST_DRAIN.saturating_sub(start.elapsed());
        let (Some(fd), false) = (fd, left.is_zero()) else {
            return;
        };
        let waited = backend::wait(fd, Direction::Write, Some(left));
        if send_backlog(fd) == Sent::Nothing {
            // The host has no answer, or a wrong one: only time helps.
            if waited.and_then(|_| backend::sleep(PAUSE)).is_err() {
                return;
            }
        }
    }
}

/// The program ends.
fn at_exit() {
    if is_idle() {
        return;
    }
    flush();
    finish(Coalescer::any_backlog);
}

/// The program ends in the midst of something.
fn at_abort() {
    // It may be in the midst of this.
    if let Some(Ok(mut coalescer)) = COALESCER.get().map(Mutex::try_lock) {
        coalescer.flush(&mut Host);
    }
}
