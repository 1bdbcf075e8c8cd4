//! Signals for whoever waits with a poll of the program.

use std::io;
use std::task::{Context, Poll};

use crate::sys::Selector;

/// Takes a signal from now on, by Linux's number. Gives how often it has come; `None`
/// where no signal ever comes, since WasmEdge has no plugin that tells of them.
///
/// # Errors
///
/// `InvalidInput` for a signal that a program may not take; the system's.
pub fn listen(signal: i32) -> io::Result<Option<u64>> {
    Selector::new()?.listen(signal)
}

/// Waits for a signal to have come more often than `seen`, and gives how often it has. It
/// is told by a wait of any poll of the program.
pub fn poll(signal: i32, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
    match Selector::new() {
        Ok(selector) => selector.poll_signal(signal, seen, cx),
        // There was one when somebody began to listen.
        Err(_) => Poll::Pending,
    }
}
