//! Stands in for the host layer's `std::thread` functions.

use std::sync::OnceLock;
use std::time::Duration;

use crate::clock;

static DRIVE: OnceLock<fn(Option<Duration>) -> bool> = OnceLock::new();

pub fn on_wait(drive: fn(Option<Duration>) -> bool) {
    let _ = DRIVE.set(drive);
}

pub fn now() -> Duration {
    clock::now()
}

/// As `std::thread::sleep`, with virtual time.
pub fn sleep(duration: Duration) {
    let end = clock::now() + duration;
    while clock::now() < end {
        let left = end - clock::now();
        let driven = DRIVE.get().is_some_and(|drive| drive(Some(left)));
        if !driven {
            clock::advance_to(end);
        }
    }
}
