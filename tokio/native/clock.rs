//! Virtual time, one clock per thread.

use std::cell::Cell;
use std::time::Duration;

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// The time since the thread began.
pub fn now() -> Duration {
    NOW.get()
}

pub fn advance_to(time: Duration) {
    NOW.set(now().max(time));
}
