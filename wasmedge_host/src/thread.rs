//! Waiting as threads do it: `std::thread`'s `sleep`, `yield_now` and `park`,
//! so that a runtime can go on meanwhile.
//!
//! Natively a thread that sleeps stops nobody else. Here it stops everything,
//! unless the runtime is driven in its place. std calls the C library's
//! `clock_nanosleep` and `sched_yield` for the first two (seen with Rust 1.97),
//! and the linker takes these definitions, which come first, instead of the
//! library's. An older std asks the host itself: those two are not used then,
//! and a sleep blocks the program. std's `park` returns at once on a target
//! without threads, so whoever parks spins; crates that do get this one.

use crate::{backend, coalesce, Errno};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Does what can be done at once; where that is nothing, waits for something to
/// come, at most this long. `false` where there is nothing to drive.
pub type Drive = fn(Option<Duration>) -> bool;

static DRIVE: OnceLock<Drive> = OnceLock::new();

/// Says what is to be done while a thread waits. The first call counts.
pub fn on_wait(drive: Drive) {
    // A second runtime library would have to share the thread with the first.
    let _ = DRIVE.set(drive);
}

/// Does one thing that natively a thread of its own would do; `false` where there is
/// nothing of the kind.
pub type Work = fn() -> bool;

/// Who has work of that kind: libraries that natively start threads.
static WORK: Mutex<Vec<Work>> = Mutex::new(Vec::new());

/// Whether there may be some.
static HAS_WORK: AtomicBool = AtomicBool::new(false);

/// When there will be some for sure, by [`now`] in nanoseconds; [`NEVER`] where nobody said.
static DUE: AtomicU64 = AtomicU64::new(NEVER);

const NEVER: u64 = u64::MAX;

/// Lets `work` be done while anybody waits, each time that [`announce_work`] or
/// [`announce_work_after`] says that there may be some. Adding it twice changes nothing.
pub fn on_idle(work: Work) {
    let mut all = lock_work();
    if !all.iter().any(|&other| other as usize == work as usize) {
        all.push(work);
    }
}

/// There may be work: whoever waits next does it.
pub fn announce_work() {
    HAS_WORK.store(true, Ordering::Relaxed);
}

/// There will be work after so long: no wait lasts beyond that. Only the earliest time is
/// kept, and only until work is done: a function that is called for it announces anew what is
/// still to come.
pub fn announce_work_after(after: Duration) {
    let due = nanos(now().saturating_add(after));
    DUE.fetch_min(due.min(NEVER - 1), Ordering::Relaxed);
}

/// How long it is until there is the work that was announced for later. `None`: nobody
/// announced any.
pub fn until_work() -> Option<Duration> {
    match DUE.load(Ordering::Relaxed) {
        NEVER => None,
        due => Some(Duration::from_nanos(due).saturating_sub(now())),
    }
}

/// `limit`, or the time until there is work, whichever is shorter. `None`: for ever.
pub fn no_longer_than_until_work(limit: Option<Duration>) -> Option<Duration> {
    limit.into_iter().chain(until_work()).min()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER)
}

/// Whether there may be work.
pub fn has_work() -> bool {
    // The clock is dear, and asked only where somebody waits for it.
    HAS_WORK.load(Ordering::Relaxed) || until_work() == Some(Duration::ZERO)
}

/// Does a piece of the work of each who has some; `false` where there is none. For whoever
/// waits, in a place where code of others may run and may wait.
pub fn work() -> bool {
    if !has_work() {
        return false;
    }
    HAS_WORK.store(false, Ordering::Relaxed);
    DUE.store(NEVER, Ordering::Relaxed);
    let mut done = false;
    for at in 0.. {
        // Not locked while it works: it may add others.
        let Some(work) = lock_work().get(at).copied() else {
            break;
        };
        done |= work();
    }
    if done {
        // There may be more.
        announce_work();
    }
    done
}

fn lock_work() -> MutexGuard<'static, Vec<Work>> {
    WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn drive(limit: Option<Duration>) -> bool {
    if work() {
        return true;
    }
    DRIVE.get().is_some_and(|drive| drive(limit))
}

/// Sleeps for at least `duration`; what [`on_wait`] was told goes on meanwhile.
pub fn sleep(duration: Duration) {
    coalesce::before_blocking();
    let start = Instant::now();
    let mut left = duration;
    loop {
        if !drive(Some(left)) && !left.is_zero() {
            coalesce::before_blocking();
            let limit = no_longer_than_until_work(Some(left));
            if backend::sleep(limit.unwrap_or(left)).is_err() {
                return;
            }
        }
        // A clock may fire early after a signal: look again.
        left = duration.saturating_sub(start.elapsed());
        if left.is_zero() {
            return;
        }
    }
}

/// Waits for `duration`, or for ever, and lets nothing go on meanwhile: for whoever sees
/// to that by other means. May return early.
pub fn rest(duration: Option<Duration>) {
    coalesce::before_blocking();
    // Nothing but the program itself can end a wait without an end, and that waits.
    let _ = backend::sleep(duration.unwrap_or(Duration::MAX));
}

/// The time since some moment in the past, by a clock that never goes back.
pub fn now() -> Duration {
    // The host refuses clocks that it does not have; this one it has.
    Duration::from_nanos(backend::monotonic_now().unwrap_or(0))
}

/// Lets what [`on_wait`] was told do one thing.
pub fn yield_now() {
    coalesce::before_blocking();
    drive(Some(Duration::ZERO));
}

/// Set by [`unpark`], taken by the next [`park`].
static TOKEN: AtomicBool = AtomicBool::new(false);

/// As `std::thread::Thread::unpark`, of the one thread there is: the next (or
/// current) [`park`] returns.
pub fn unpark() {
    TOKEN.store(true, Ordering::Relaxed);
}

/// As `std::thread::park`: returns after [`unpark`], or after anything was done,
/// which may have been what the caller waits for.
pub fn park() {
    coalesce::before_blocking();
    if !TOKEN.swap(false, Ordering::Relaxed) && !drive(None) {
        match until_work() {
            Some(limit) => rest(Some(limit)),
            None => std::thread::park(),
        }
    }
}

/// As [`park`], for at most this long.
pub fn park_timeout(limit: Duration) {
    coalesce::before_blocking();
    if !TOKEN.swap(false, Ordering::Relaxed) && !drive(Some(limit)) {
        match until_work() {
            Some(until) => rest(Some(limit.min(until))),
            None => std::thread::park_timeout(limit),
        }
    }
}

/// `struct timespec` of wasi-libc: both members are 64 bits apart.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Timespec {
    seconds: i64,
    nanoseconds: i32,
}

const _: () = assert!(mem::size_of::<Timespec>() == 16 && mem::align_of::<Timespec>() == 8);

/// What a `clockid_t` of wasi-libc points to.
#[repr(C)]
pub struct ClockId {
    id: u32,
}

const _: () = assert!(mem::size_of::<ClockId>() == 4);

const CLOCK_REALTIME: u32 = 0;
const CLOCK_MONOTONIC: u32 = 1;
const TIMER_ABSTIME: i32 = 1;

/// How long a request asks for.
fn requested(clock: u32, flags: i32, request: Timespec) -> Result<Duration, Errno> {
    let time = match (
        u64::try_from(request.seconds),
        u32::try_from(request.nanoseconds),
    ) {
        (Ok(seconds), Ok(nanos)) if nanos < 1_000_000_000 => Duration::new(seconds, nanos),
        _ => return Err(Errno::INVAL),
    };
    let now = match (clock, flags) {
        (CLOCK_REALTIME | CLOCK_MONOTONIC, 0) => return Ok(time),
        (CLOCK_REALTIME, TIMER_ABSTIME) => SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default(),
        (CLOCK_MONOTONIC, TIMER_ABSTIME) => Duration::from_nanos(backend::monotonic_now()?),
        (CLOCK_REALTIME | CLOCK_MONOTONIC, _) => return Err(Errno::INVAL),
        // The host waits for no other clock, and says so only afterwards.
        _ => return Err(Errno::NOTSUP),
    };
    Ok(time.saturating_sub(now))
}

/// The C library's function, for std and for C code.
///
/// # Safety
///
/// As in C: `clock` and `request` point to what their types say. `remain` is
/// never written, since no signal ends a sleep here.
#[no_mangle]
pub unsafe extern "C" fn clock_nanosleep(
    clock: *const ClockId,
    flags: i32,
    request: *const Timespec,
    _remain: *mut Timespec,
) -> i32 {
    // SAFETY: the caller's promise.
    let (clock, request) = unsafe { ((*clock).id, *request) };
    match requested(clock, flags, request) {
        Ok(duration) => {
            sleep(duration);
            0
        }
        Err(errno) => i32::from(errno.raw()),
    }
}

/// The C library's function, for std and for C code. Never fails.
#[no_mangle]
pub extern "C" fn sched_yield() -> i32 {
    yield_now();
    0
}
