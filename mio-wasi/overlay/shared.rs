//! Waits that polls of one thread share: what a runtime needs that has more than one.

use std::io;
use std::task;
use std::time::Duration;

use crate::Registry;

/// Lets a poll and the others of the program wait together.
///
/// From now on [`Poll::poll`](crate::Poll::poll) of this one returns, possibly without an
/// event, as soon as any poll of the program has something. Where this one does in the
/// wait of another, `waker` is woken, and the events are reported by the next poll here.
pub fn share_waits(registry: &Registry, waker: task::Waker) {
    registry.selector().share_waits(waker);
}

/// Waits as a poll does whose waits are shared, for somebody who has none: until any poll
/// of the program has something, at most for `timeout`.
///
/// # Errors
///
/// What the host answers.
pub fn wait_beside(timeout: Option<Duration>) -> io::Result<()> {
    crate::sys::wait_beside(timeout)
}
