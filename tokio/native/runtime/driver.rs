//! Stands in for tokio's drivers, and for mio below them: timers, and sources that have
//! something to read at a given time. Time is virtual.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use super::scheduler::current_thread::{self, one_thread};
use crate::clock;

/// The I/O driver's half.
#[derive(Default)]
pub struct IoHandle {
    /// Is told of what is kept.
    shared: Mutex<Option<Waker>>,
    /// Whom to wake, found by the wait of another driver.
    kept: Mutex<Vec<Waker>>,
    polls: Mutex<usize>,
}

#[derive(Default)]
pub struct Handle {
    pub io: IoHandle,
    timers: Mutex<Vec<(Duration, Waker)>>,
    /// The first timer, as of the last poll.
    next_wake: Mutex<Option<Duration>>,
}

impl Handle {
    pub fn share_waits(&self, waker: Waker) {
        *self.io.shared.lock().unwrap() = Some(waker);
    }

    pub fn until_next_timer(&self) -> Option<Duration> {
        let next_wake = *self.next_wake.lock().unwrap();
        next_wake.map(|end| end.saturating_sub(clock::now()))
    }

    pub fn unpark(&self) {
        one_thread::unpark(&self.io);
    }

    /// How often these drivers were polled.
    pub fn polls(&self) -> usize {
        *self.io.polls.lock().unwrap()
    }

    pub fn add_timer(&self, end: Duration, waker: &Waker) {
        self.timers.lock().unwrap().push((end, waker.clone()));
        if self.next_wake.lock().unwrap().is_none_or(|next| end < next) {
            self.unpark();
        }
    }

    /// Forgets all timers: their wakers keep the runtime.
    pub fn shut_down(&self) {
        self.timers.lock().unwrap().clear();
        self.io.kept.lock().unwrap().clear();
    }

    fn note_next_wake(&self) -> Option<Duration> {
        let next = self
            .timers
            .lock()
            .unwrap()
            .iter()
            .map(|(end, _)| *end)
            .min();
        *self.next_wake.lock().unwrap() = next;
        next
    }

    fn fire_timers(&self) {
        let now = clock::now();
        let mut timers = self.timers.lock().unwrap();
        let (due, later) = timers.drain(..).partition(|(end, _)| *end <= now);
        *timers = later;
        drop(timers);
        let due: Vec<(Duration, Waker)> = due;
        self.note_next_wake();
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

thread_local! {
    static POLLS: Cell<usize> = const { Cell::new(0) };
    static WAITS: Cell<usize> = const { Cell::new(0) };
    static SOURCES: RefCell<Vec<Source>> = const { RefCell::new(Vec::new()) };
}

/// How often drivers of this thread were polled.
pub fn polls() -> usize {
    POLLS.get()
}

/// How often this thread went to sleep.
pub fn waits() -> usize {
    WAITS.get()
}

/// Something that has something to read at some time, once.
struct Source {
    due: Duration,
    owner: Arc<current_thread::Handle>,
    waker: Waker,
}

/// Registers one with a runtime's I/O driver.
pub fn add_source(owner: &Arc<current_thread::Handle>, due: Duration, waker: &Waker) {
    SOURCES.with_borrow_mut(|sources| {
        sources.push(Source {
            due,
            owner: owner.clone(),
            waker: waker.clone(),
        });
    });
}

/// Polls all sources, in the place of the driver that has this, if any.
fn poll_sources(mine: Option<&IoHandle>, timeout: Option<Duration>) {
    let kept = mine.map(|io| std::mem::take(&mut *io.kept.lock().unwrap()));
    if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
        kept.into_iter().for_each(Waker::wake);
        return;
    }
    let end = timeout.map(|timeout| clock::now().saturating_add(timeout));
    let first = SOURCES.with_borrow(|sources| sources.iter().map(|source| source.due).min());
    let until = end.into_iter().chain(first).min();
    let until = until.expect("nothing would ever end this wait");
    if until > clock::now() {
        WAITS.set(WAITS.get() + 1);
    }
    clock::advance_to(until);
    let mut due = Vec::new();
    SOURCES.with_borrow_mut(|sources| {
        let all = std::mem::take(sources);
        (due, *sources) = all
            .into_iter()
            .partition(|source| source.due <= clock::now());
    });
    for Source { owner, waker, .. } in due {
        let io = &owner.driver.io;
        if mine.is_some_and(|mine| std::ptr::eq(mine, io)) {
            waker.wake();
            continue;
        }
        io.kept.lock().unwrap().push(waker);
        let shared = io.shared.lock().unwrap().clone();
        shared.into_iter().for_each(Waker::wake);
    }
}

/// Waits in the place of somebody who has no driver.
pub fn wait_beside(timeout: Option<Duration>) {
    poll_sources(None, timeout);
}

/// Fires the timers, and waits for them. Nothing can be driven meanwhile.
pub struct Driver {
    pub has_io: bool,
}

impl Driver {
    pub fn park(&mut self, handle: &Handle, timeout: Option<Duration>) {
        POLLS.set(POLLS.get() + 1);
        *handle.io.polls.lock().unwrap() += 1;
        let until_timer = handle
            .note_next_wake()
            .map(|end| end.saturating_sub(clock::now()));
        let timeout = timeout.into_iter().chain(until_timer).min();
        if self.has_io {
            let timeout = one_thread::longest_wait(timeout);
            poll_sources(Some(&handle.io), timeout);
        } else if !one_thread::park(timeout, || false) {
            let timeout = timeout.expect("nothing would ever end this wait");
            clock::advance_to(clock::now() + timeout);
        }
        handle.fire_timers();
    }
}
