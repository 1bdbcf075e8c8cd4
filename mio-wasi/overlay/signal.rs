//! Signals for whoever waits with a poll of the program.

use std::io;
use std::task::{Context, Poll};

use crate::sys::{self, ListenerId};

/// Listens for a signal. It is told by a wait of any poll of the program.
#[derive(Debug)]
pub struct Listener(
    /// `None` where no signal ever comes, since WasmEdge has no plugin that tells of them.
    Option<ListenerId>,
);

impl Listener {
    /// Takes a signal from now on, by Linux's number: the program is told of it, and it
    /// does nothing else, also after the listener is dropped.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a signal that the plugin does not tell of; the system's.
    pub fn new(signal: i32) -> io::Result<Listener> {
        sys::listen(signal).map(Listener)
    }

    /// Waits for the signal to have come since this was ready last, or since the listener
    /// was made. Several that came are one.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.0 {
            Some(id) => sys::poll_signal(id, cx),
            None => Poll::Pending,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            sys::close_listener(id);
        }
    }
}
