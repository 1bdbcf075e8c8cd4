//! `poll`, in place of libc's, which knows neither the host's way of being
//! interrupted nor its empty answers.

use super::{cvt, error};
use libc::{c_int, c_short, nfds_t, pollfd, POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT};
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};
use wasmedge_host::abi::{Event, EventType, Subscription};
use wasmedge_host::backend::plugin;
use wasmedge_host::fd::poll::poll_uninterrupted;
use wasmedge_host::{coalesce, fd::socket, Errno};

/// Waits for sockets. Other descriptors count as ready at once.
///
/// # Safety
///
/// `fds` is valid for `nfds` entries.
pub unsafe fn poll(fds: *mut pollfd, nfds: nfds_t, timeout: c_int) -> c_int {
    let fds = if nfds == 0 {
        &mut []
    } else {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(fds, nfds as usize) }
    };
    // Negative is without end.
    let timeout = u64::try_from(timeout).ok().map(Duration::from_millis);
    cvt(poll_slice(fds, timeout))
}

/// Userdata of the clock; a socket's is its number and direction.
const CLOCK: u64 = u64::MAX;
/// What to wait before asking again when the host has no answer.
const RETRY: Duration = Duration::from_millis(1);

fn poll_slice(fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<c_int> {
    if fds.iter().any(|entry| is_plugins(entry.fd)) {
        return poll_with_plugin(fds, timeout);
    }
    let start = Instant::now();
    let mut subs: Vec<Subscription> = Vec::with_capacity(2 * fds.len() + 1);
    for entry in fds.iter_mut() {
        entry.revents = 0;
        // By POSIX, what is no number is to be passed over.
        let Ok(fd) = super::number(entry.fd) else {
            continue;
        };
        if let Some(told) = told_at_once(&fd, entry.events) {
            entry.revents = told;
            continue;
        }
        // The host refuses a second subscription of the same kind.
        let wants = [
            (POLLIN, Subscription::read(key(entry.fd, POLLIN), entry.fd)),
            (
                POLLOUT,
                Subscription::write(key(entry.fd, POLLOUT), entry.fd),
            ),
        ];
        for (bit, sub) in wants {
            if entry.events & bit != 0 && !subs.contains(&sub) {
                subs.push(sub);
            }
        }
    }
    let mut timeout = timeout;
    if fds.iter().any(|entry| entry.revents != 0) {
        timeout = Some(Duration::ZERO);
    }
    let sockets = subs.len();
    let reads = subs.iter().any(|sub| sub.event_type() == EventType::READ);
    loop {
        let left = timeout.map(|timeout| timeout.saturating_sub(start.elapsed()));
        subs.truncate(sockets);
        if let Some(left) = left {
            subs.push(Subscription::clock_relative(
                CLOCK,
                u64::try_from(left.as_nanos()).unwrap_or(u64::MAX),
            ));
        }
        if subs.is_empty() {
            // Nothing to wait for, and no end.
            return Err(error(libc::EINVAL));
        }
        let mut events = vec![Event::EMPTY; subs.len()];
        let count = poll_uninterrupted(&subs, &mut events).map_err(io::Error::from)?;
        for event in events[..count].iter().filter(|e| e.userdata() != CLOCK) {
            for entry in fds.iter_mut() {
                entry.revents |= fired(entry, event);
            }
        }
        if count == 0 && reads {
            // An error that the host does not report to readers: let them see.
            for entry in fds.iter_mut() {
                entry.revents |= entry.events & POLLIN;
            }
        }
        let ready = fds.iter().filter(|entry| entry.revents != 0).count();
        if ready > 0 || left == Some(Duration::ZERO) {
            return Ok(ready as c_int);
        }
        if count == 0 {
            let mut event = [Event::EMPTY];
            let nap = Subscription::clock_relative(CLOCK, RETRY.as_nanos() as u64);
            poll_uninterrupted(&[nap], &mut event).map_err(io::Error::from)?;
        }
    }
}

fn key(fd: c_int, bit: c_short) -> u64 {
    (fd as u64) << 16 | bit as u64
}

/// What `event` says about `entry`.
fn fired(entry: &pollfd, event: &Event) -> c_short {
    let hangup = if event.is_hangup() { POLLHUP } else { 0 };
    let mut bits = 0;
    for bit in [POLLIN, POLLOUT] {
        if entry.events & bit != 0 && event.userdata() == key(entry.fd, bit) {
            bits |= bit | hangup;
        }
    }
    bits
}

/// What is told of a number without a wait; `None` of a socket.
fn told_at_once(fd: &super::Number, events: c_short) -> Option<c_short> {
    match socket::socket_type(fd.as_fd()) {
        Ok(_) => None,
        // The host would wait for ever on a number it does not know.
        Err(e) if e.raw_os_error() == Some(Errno::BADF.raw().into()) => Some(POLLNVAL),
        Err(_) => Some(events & (POLLIN | POLLOUT)),
    }
}

fn is_plugins(fd: c_int) -> bool {
    fd != -1 && plugin::owns(fd)
}

/// Linux's bits, and those of wasi-libc.
const BITS: [(c_short, c_short); 5] = [
    (1, POLLIN),
    (4, POLLOUT),
    (8, POLLERR),
    (0x10, POLLHUP),
    (0x20, POLLNVAL),
];

/// With the plugin all sockets are its own. What else there is counts as ready at once.
fn poll_with_plugin(fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<c_int> {
    let mut timeout = timeout;
    let mut entries = Vec::with_capacity(fds.len());
    for entry in fds.iter_mut() {
        entry.revents = 0;
        if is_plugins(entry.fd) {
            let asked = BITS.iter().filter(|(_, ours)| entry.events & ours != 0);
            let events = asked.fold(0, |events, (linux, _)| events | linux);
            entries.push(plugin::PollEntry::new(entry.fd, events));
        } else if let Ok(fd) = super::number(entry.fd) {
            let told = told_at_once(&fd, entry.events);
            entry.revents = told.unwrap_or(entry.events & (POLLIN | POLLOUT));
            timeout = Some(Duration::ZERO);
        }
    }
    coalesce::before_blocking();
    plugin::poll(&mut entries, timeout).map_err(io::Error::from)?;
    let mut told = entries.iter().map(plugin::PollEntry::told);
    for entry in fds.iter_mut().filter(|entry| is_plugins(entry.fd)) {
        let told = told.next().unwrap_or(0);
        let ours = BITS.iter().filter(|(linux, _)| told & linux != 0);
        entry.revents = ours.fold(0, |events, (_, ours)| events | ours);
    }
    let ready = fds.iter().filter(|entry| entry.revents != 0).count();
    Ok(c_int::try_from(ready).unwrap_or(c_int::MAX))
}
