//! Stands in for the host layer's write coalescing: counts how often everything was sent.

use std::cell::Cell;

thread_local! {
    static SENT: Cell<usize> = const { Cell::new(0) };
}

pub fn before_blocking() {
    let _ = SENT.try_with(|sent| sent.set(sent.get() + 1));
}

/// How often [`before_blocking`] was called in this thread.
pub fn sent() -> usize {
    SENT.get()
}
