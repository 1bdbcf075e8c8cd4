//! WASI's `poll_oneoff`, where some of what is waited for is the plugin's; see `wasi.rs`.
//! The host would wait for ever for a number that it does not know.
//!
//! Answers are as the host's: in the order of the subscriptions, levels, and an error for
//! what cannot be waited for. Of WASI's own descriptors that is all but standard input,
//! since nothing waits for both kinds at once.

use super::super::host::abi::{Event, EventType, Subscription};
use super::poll::{poll, PollEntry};
use super::{owns, stdin};
use crate::Errno;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

mod imports {
    use super::{Event, Subscription};

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    extern "C" {
        pub fn poll_oneoff(
            subs: *const Subscription,
            events: *mut Event,
            count: u32,
            nevents: *mut u32,
        ) -> i32;
        pub fn clock_time_get(id: i32, precision: u64, nanos: *mut u64) -> i32;
    }
}

const POLLIN: i16 = 1;
const POLLOUT: i16 = 4;
const POLLERR: i16 = 8;
const POLLHUP: i16 = 0x10;
const POLLNVAL: i16 = 0x20;

const STDIN: i32 = 0;

/// Waits for one of several.
///
/// # Safety
///
/// As WASI's: there are `count` subscriptions, and room for as many events and a number.
#[export_name = "tokio_wasmedge.wasi.poll_oneoff"]
pub unsafe extern "C" fn poll_oneoff(
    subs: *const Subscription,
    events: *mut Event,
    count: u32,
    nevents: *mut u32,
) -> i32 {
    let is_ours = |at: usize| {
        // SAFETY: there is one, as the caller says.
        let sub = unsafe { &*subs.add(at) };
        sub.fd().is_some_and(owns)
    };
    if !(0..count as usize).any(is_ours) {
        // SAFETY: as the caller says.
        return unsafe { imports::poll_oneoff(subs, events, count, nevents) };
    }
    // The events may take the place of the subscriptions.
    // SAFETY: as the caller says.
    let subs = unsafe { std::slice::from_raw_parts(subs, count as usize) }.to_vec();
    match wait(&subs) {
        Ok(told) => {
            for (at, event) in told.iter().enumerate() {
                // SAFETY: there are no more of them than subscriptions.
                unsafe { events.add(at).write(*event) };
            }
            // SAFETY: there is room, as the caller says.
            unsafe { nevents.write(told.len() as u32) };
            0
        }
        Err(errno) => errno.raw().into(),
    }
}

/// Where the answer to a subscription comes from.
enum Source {
    /// The entry at this place.
    Entry(usize),
    /// It fires when so much time has passed.
    Clock(Duration),
    /// It cannot be waited for.
    Refused(Errno),
}

fn wait(subs: &[Subscription]) -> Result<Vec<Event>, Errno> {
    let start = Instant::now();
    let mut entries = Vec::new();
    let mut input: Option<OwnedFd> = None;
    let mut sources = Vec::with_capacity(subs.len());
    let mut limit: Option<Duration> = None;
    for sub in subs {
        let source = source(sub, &mut entries, &mut input);
        let most = match source {
            Source::Entry(_) => None,
            Source::Clock(after) => Some(after),
            Source::Refused(_) => Some(Duration::ZERO),
        };
        limit = limit.into_iter().chain(most).min();
        sources.push(source);
    }
    loop {
        let passed = start.elapsed();
        let left = limit.map(|limit| limit.saturating_sub(passed));
        match poll(&mut entries, left) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        let passed = start.elapsed();
        let told = subs.iter().zip(&sources);
        let told: Vec<Event> = told
            .filter_map(|(sub, source)| answer(sub, source, &entries, passed))
            .collect();
        if !told.is_empty() {
            return Ok(told);
        }
    }
}

fn source(sub: &Subscription, entries: &mut Vec<PollEntry>, input: &mut Option<OwnedFd>) -> Source {
    let Some(fd) = sub.fd() else {
        return match after(sub) {
            Ok(after) => Source::Clock(after),
            Err(errno) => Source::Refused(errno),
        };
    };
    let number = match fd {
        fd if owns(fd) => fd,
        STDIN if input.is_some() => input.as_ref().map_or(fd, AsRawFd::as_raw_fd),
        STDIN => match stdin() {
            Ok(opened) => input.insert(opened).as_raw_fd(),
            Err(errno) => return Source::Refused(errno),
        },
        _ => return Source::Refused(Errno::PERM),
    };
    let asked = if sub.event_type() == EventType::WRITE {
        POLLOUT
    } else {
        POLLIN
    };
    entries.push(PollEntry::new(number, asked));
    Source::Entry(entries.len() - 1)
}

/// After how long a clock fires.
fn after(sub: &Subscription) -> Result<Duration, Errno> {
    let nanos = sub.nanos().unwrap_or(0);
    if !sub.is_absolute() {
        return Ok(Duration::from_nanos(nanos));
    }
    let mut now = 0;
    // SAFETY: the host writes one u64 to `now`, which is aligned for it.
    match unsafe { imports::clock_time_get(sub.clock(), 1, &mut now) } {
        0 => Ok(Duration::from_nanos(nanos.saturating_sub(now))),
        _ => Err(Errno::INVAL),
    }
}

fn answer(
    sub: &Subscription,
    source: &Source,
    entries: &[PollEntry],
    passed: Duration,
) -> Option<Event> {
    let event = |error, hangup| Event::new(sub.userdata(), sub.event_type(), error, hangup);
    match source {
        Source::Clock(after) => (passed >= *after).then(|| event(Errno::SUCCESS, false)),
        Source::Refused(errno) => Some(event(*errno, false)),
        Source::Entry(at) => {
            let told = entries[*at].told();
            let errno = match told & POLLNVAL {
                0 => Errno::SUCCESS,
                _ => Errno::BADF,
            };
            let anything = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLNVAL;
            (told & anything != 0).then(|| event(errno, told & POLLHUP != 0))
        }
    }
}
