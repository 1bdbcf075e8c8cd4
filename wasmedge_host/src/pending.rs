//! Errors that looking at a socket brought up before anyone asked for them.
//!
//! The kernel tells a socket's error once, to whichever call comes first. When
//! that is a [probe](crate::fd::socket::probe), the error is kept here, by
//! descriptor, for the operation that natively would have met it.

use crate::Errno;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static ERRORS: Mutex<BTreeMap<i32, Errno>> = Mutex::new(BTreeMap::new());

/// How many there are: nearly always none, and then nothing is looked up. A
/// guest has one thread, so the two never disagree.
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn errors() -> MutexGuard<'static, BTreeMap<i32, Errno>> {
    ERRORS.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn put(fd: i32, errno: Errno) {
    let mut errors = errors();
    errors.insert(fd, errno);
    COUNT.store(errors.len(), Ordering::Relaxed);
}

#[inline]
pub fn take(fd: i32) -> Option<Errno> {
    if COUNT.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let mut errors = errors();
    let errno = errors.remove(&fd);
    COUNT.store(errors.len(), Ordering::Relaxed);
    errno
}

/// `fd` is closed, or its number was just given to a new socket.
#[inline]
pub fn forget(fd: i32) {
    take(fd);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_once_and_to_its_socket() {
        put(3, Errno::CONNRESET);
        assert_eq!(take(4), None);
        assert_eq!(take(3), Some(Errno::CONNRESET));
        assert_eq!(take(3), None);
        put(5, Errno::PIPE);
        forget(5);
        assert_eq!(take(5), None);
    }
}
