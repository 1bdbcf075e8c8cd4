//! Stands in for the host layer's `std::thread` functions.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::Duration;

use crate::clock;

static DRIVE: OnceLock<fn(Option<Duration>) -> bool> = OnceLock::new();

pub fn on_wait(drive: fn(Option<Duration>) -> bool) {
    let _ = DRIVE.set(drive);
}

thread_local! {
    /// What natively threads of other libraries would do.
    static WORK: RefCell<VecDeque<Box<dyn FnOnce()>>> = const { RefCell::new(VecDeque::new()) };
}

pub fn add_work(work: impl FnOnce() + 'static) {
    WORK.with_borrow_mut(|all| all.push_back(Box::new(work)));
}

pub fn has_work() -> bool {
    WORK.with_borrow(|all| !all.is_empty())
}

pub fn work() -> bool {
    let work = WORK.with_borrow_mut(VecDeque::pop_front);
    let found = work.is_some();
    work.into_iter().for_each(|work| work());
    found
}

pub fn now() -> Duration {
    clock::now()
}

/// As `std::thread::sleep`, with virtual time.
pub fn sleep(duration: Duration) {
    let end = clock::now() + duration;
    while clock::now() < end {
        let left = end - clock::now();
        if work() {
            continue;
        }
        let driven = DRIVE.get().is_some_and(|drive| drive(Some(left)));
        if !driven {
            clock::advance_to(end);
        }
    }
}
