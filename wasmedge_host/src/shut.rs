//! Sockets that the program itself has shut since their selector last looked.
//!
//! epoll tells of that, whatever it has told before: it is how one half of a connection
//! wakes whoever waits with the other half. The host's polls are asked about nothing that
//! is known to be ready, so they are no help.
//!
//! A socket is in here at most once, until the selector that has it registered
//! [takes](take) it or it is closed. A selector that has nothing new to look at does so
//! with one load.

use std::net::Shutdown;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static SOCKETS: Mutex<Vec<(RawFd, Shutdown)>> = Mutex::new(Vec::new());

/// How many there are: nearly always none. A guest has one thread, so the two never
/// disagree.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Runs `f` on the list, and counts anew.
fn with<R>(f: impl FnOnce(&mut Vec<(RawFd, Shutdown)>) -> R) -> R {
    let mut sockets: MutexGuard<'_, _> = SOCKETS.lock().unwrap_or_else(PoisonError::into_inner);
    let result = f(&mut sockets);
    COUNT.store(sockets.len(), Ordering::Relaxed);
    result
}

/// `fd` was shut.
#[cfg_attr(not(any(target_os = "wasi", test)), allow(dead_code))]
pub(crate) fn put(fd: RawFd, how: Shutdown) {
    with(
        |sockets| match sockets.iter_mut().find(|(other, _)| *other == fd) {
            Some((_, before)) if *before == how => {}
            Some((_, before)) => *before = Shutdown::Both,
            None => sockets.push((fd, how)),
        },
    );
}

/// Moves the sockets that `is_ours` to `into`.
#[inline]
pub fn take(is_ours: impl Fn(RawFd) -> bool, into: &mut Vec<(RawFd, Shutdown)>) {
    if COUNT.load(Ordering::Relaxed) != 0 {
        with(|sockets| into.extend(sockets.extract_if(.., |(fd, _)| is_ours(*fd))));
    }
}

/// `fd` is closed, or its number was just given to a new socket.
#[inline]
#[cfg_attr(not(any(target_os = "wasi", test)), allow(dead_code))]
pub(crate) fn forget(fd: RawFd) {
    if COUNT.load(Ordering::Relaxed) != 0 {
        with(|sockets| sockets.retain(|(other, _)| *other != fd));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_socket_is_told_once_of_all_that_was_shut() {
        let taken = |fd| {
            let mut into = Vec::new();
            take(|other| other == fd, &mut into);
            into
        };
        put(3, Shutdown::Read);
        put(4, Shutdown::Write);
        put(4, Shutdown::Write);
        assert_eq!(taken(5), []);
        assert_eq!(taken(4), [(4, Shutdown::Write)]);
        put(3, Shutdown::Write);
        assert_eq!(taken(3), [(3, Shutdown::Both)]);
        assert_eq!(taken(3), []);
        put(3, Shutdown::Both);
        put(4, Shutdown::Read);
        forget(3);
        assert_eq!(taken(3), []);
        assert_eq!(taken(4), [(4, Shutdown::Read)]);
    }
}
