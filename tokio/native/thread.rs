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

/// Work that there is from a given time on.
type Later = (Duration, Box<dyn FnOnce()>);

thread_local! {
    static LATER: RefCell<Vec<Later>> = const { RefCell::new(Vec::new()) };
}

pub fn add_work_after(after: Duration, work: impl FnOnce() + 'static) {
    let due = clock::now() + after;
    LATER.with_borrow_mut(|all| all.push((due, Box::new(work))));
}

pub fn until_work() -> Option<Duration> {
    let due = LATER.with_borrow(|all| all.iter().map(|(due, _)| *due).min())?;
    Some(due.saturating_sub(clock::now()))
}

pub fn no_longer_than_until_work(limit: Option<Duration>) -> Option<Duration> {
    limit.into_iter().chain(until_work()).min()
}

pub fn has_work() -> bool {
    WORK.with_borrow(|all| !all.is_empty()) || until_work() == Some(Duration::ZERO)
}

/// Takes out what is due.
fn take_due() -> Option<Box<dyn FnOnce()>> {
    LATER.with_borrow_mut(|all| {
        let at = all.iter().position(|(due, _)| *due <= clock::now())?;
        Some(all.swap_remove(at).1)
    })
}

pub fn work() -> bool {
    let work = WORK.with_borrow_mut(VecDeque::pop_front).or_else(take_due);
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
            let until = no_longer_than_until_work(Some(left)).unwrap_or(left);
            clock::advance_to(clock::now() + until);
        }
    }
}
