//! Timers on the only thread there is.
//!
//! Natively a thread of the crate's own sleeps until the first timer is due. Here whoever
//! waits does so no longer than that, and fires what is due: tokio's scheduler, `sleep`,
//! `futures::executor::block_on`. A program that never waits fires none.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Instant;

use super::Timer;

/// Taken out while it is served: what it wakes is code of others.
static TIMER: Mutex<Option<Timer>> = Mutex::new(None);

/// Keeps the timers, as natively the thread would start.
pub(super) fn keep(timer: Timer) {
    *lock() = Some(timer);
    wasmedge_host::thread::on_idle(serve);
    // So that timers that come are told of.
    wasmedge_host::thread::announce_work();
}

fn lock() -> MutexGuard<'static, Option<Timer>> {
    TIMER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fires the timers that are due. `false` where none is.
fn serve() -> bool {
    let Some(mut timer) = lock().take() else {
        return false;
    };
    let waker = Waker::from(Arc::new(Announce));
    let _ = Pin::new(&mut timer).poll(&mut Context::from_waker(&waker));
    let now = Instant::now();
    let is_due = timer.next_event().is_some_and(|first| first <= now);
    timer.advance_to(now);
    if let Some(next) = timer.next_event() {
        wasmedge_host::thread::announce_work_after(next.saturating_duration_since(now));
    }
    *lock() = Some(timer);
    is_due
}

/// A timer has come, changed or gone.
struct Announce;

impl Wake for Announce {
    fn wake(self: Arc<Self>) {
        wasmedge_host::thread::announce_work();
    }
}
