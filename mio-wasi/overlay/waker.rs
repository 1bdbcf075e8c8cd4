//! A waker for the one thread there is.

use std::io;

use crate::sys::Selector;
use crate::{Registry, Token};

/// Wakes a [`Poll`](crate::Poll).
///
/// On WasmEdge there is one thread, so nothing can call [`wake`](Waker::wake)
/// while a poll waits: a wake makes the next poll return at once, with a
/// readable event for the waker's token. Wakes before that poll coalesce.
#[derive(Debug)]
pub struct Waker {
    selector: Selector,
    number: usize,
}

impl Waker {
    /// Creates a waker for the poll that `registry` belongs to.
    ///
    /// # Errors
    ///
    /// None here; the result is mio's signature on every platform.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Waker> {
        let selector = registry.selector().try_clone()?;
        let number = selector.add_waker(token);
        Ok(Waker { selector, number })
    }

    /// Makes the next poll return at once.
    ///
    /// # Errors
    ///
    /// None here; the result is mio's signature on every platform.
    pub fn wake(&self) -> io::Result<()> {
        self.selector.wake(self.number);
        Ok(())
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.selector.remove_waker(self.number);
    }
}
