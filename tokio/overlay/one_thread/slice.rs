//! Waits that are cut into slices: the host waits for one runtime at a time.

use std::cell::Cell;
use std::time::Duration;

/// How long one runtime may wait while others have tasks, after anything was done: as
/// long as natively a thread takes to wake up another one, more or less ...
const SHORTEST: Duration = Duration::from_micros(250);

/// ... and at most: a program that does nothing wakes up that seldom.
const LONGEST: Duration = Duration::from_millis(8);

tokio_thread_local! {
    static NEXT: Cell<Duration> = const { Cell::new(SHORTEST) };
}

/// How long to wait now, and twice as long the next time.
pub(super) fn next(limit: Option<Duration>) -> Duration {
    NEXT.with(|next| {
        let now = next.get();
        next.set(LONGEST.min(now * 2));
        limit.map_or(now, |limit| limit.min(now))
    })
}

/// Something was done: waits are short again.
pub(super) fn reset() {
    NEXT.with(|next| next.set(SHORTEST));
}
