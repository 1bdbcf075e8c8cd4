//! Which directions the last socket operations used up.
//!
//! A readiness-driven runtime must know when a socket has nothing more to
//! give: it then waits for the next event instead of trying again. The
//! operations in `socket` and [`net`](crate::net) know best, so
//! they leave a note here.
//!
//! | noted | when |
//! |---|---|
//! | [`READ`](Exhausted::READ) | a receive, peek or accept would have blocked; a stream gave fewer bytes than the buffers could hold (and more than none, and they were not just peeked at) |
//! | [`WRITE`](Exhausted::WRITE) | a send would have blocked; a stream took fewer bytes than it was given; a connection attempt went on in the background |
//! | [`RECEIVER`](Exhausted::RECEIVER) | a Unix datagram to an address would have blocked, since its receiver has no room |
//! | [`FULL`](Exhausted::FULL) | nothing: a receive from a stream filled its buffers, so that only the next one tells whether there is more |
//! | [`TAKEN`](Exhausted::TAKEN) | nothing: a datagram was received or a connection accepted, so that only the next call tells whether there is another |
//! | [`END`](Exhausted::END) | nothing: a receive met the end of its stream, which each further one will meet |
//!
//! Notes add up until they are taken. They do not name a socket: take them
//! before an operation to start afresh, and after it to learn about it. A note
//! too many does no harm, it only asks the host once more.

use std::sync::atomic::{AtomicU8, Ordering};

// A guest has one thread: load and store need no stronger ordering, nor a
// read-modify-write instruction.
static NOTES: AtomicU8 = AtomicU8::new(0);

/// A set of directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exhausted(u8);

impl Exhausted {
    /// No direction.
    pub const NONE: Exhausted = Exhausted(0);
    /// The reading side.
    pub const READ: Exhausted = Exhausted(1);
    /// The writing side.
    pub const WRITE: Exhausted = Exhausted(2);
    /// The receiver of a datagram, and not the socket that it was sent on.
    pub const RECEIVER: Exhausted = Exhausted(4);
    /// No direction, but a receive got as much as it had room for.
    pub const FULL: Exhausted = Exhausted(8);

    /// No direction, but one of perhaps several things was taken.
    pub const TAKEN: Exhausted = Exhausted(16);
    /// No direction, but the end of a stream was read.
    pub const END: Exhausted = Exhausted(32);

    /// The set as bits: 1 is [`READ`](Self::READ), 2 is [`WRITE`](Self::WRITE), 4 is
    /// [`RECEIVER`](Self::RECEIVER), 8 is [`FULL`](Self::FULL), 16 is
    /// [`TAKEN`](Self::TAKEN), 32 is [`END`](Self::END).
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// There is no note.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The reading side is used up.
    pub const fn is_read(self) -> bool {
        self.0 & Exhausted::READ.0 != 0
    }

    /// The writing side is used up.
    pub const fn is_write(self) -> bool {
        self.0 & Exhausted::WRITE.0 != 0
    }

    /// A receive filled its buffers.
    pub const fn is_full(self) -> bool {
        self.0 & Exhausted::FULL.0 != 0
    }

    /// A datagram was received, or a connection accepted.
    pub const fn is_taken(self) -> bool {
        self.0 & Exhausted::TAKEN.0 != 0
    }

    /// The end of a stream was read.
    pub const fn is_ended(self) -> bool {
        self.0 & Exhausted::END.0 != 0
    }

    /// A receiver is used up: a poll says that the socket can be written to.
    pub const fn is_receiver(self) -> bool {
        self.0 & Exhausted::RECEIVER.0 != 0
    }
}

/// Returns the notes left since the last call, and clears them.
#[inline]
pub fn take_exhausted() -> Exhausted {
    let notes = NOTES.load(Ordering::Relaxed);
    NOTES.store(0, Ordering::Relaxed);
    Exhausted(notes)
}

/// Adds a note.
#[inline]
#[cfg_attr(not(any(target_os = "wasi", test)), allow(dead_code))]
pub(crate) fn note(direction: Exhausted) {
    NOTES.store(
        NOTES.load(Ordering::Relaxed) | direction.0,
        Ordering::Relaxed,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_add_up_and_are_taken_once() {
        take_exhausted();
        assert!(take_exhausted().is_empty());
        note(Exhausted::READ);
        note(Exhausted::WRITE);
        let both = take_exhausted();
        assert!(both.is_read() && both.is_write());
        assert_eq!(both.bits(), 3);
        assert_eq!(take_exhausted(), Exhausted::NONE);
        note(Exhausted::WRITE);
        let write = take_exhausted();
        assert!(write.is_write() && !write.is_read());
        note(Exhausted::RECEIVER);
        let receiver = take_exhausted();
        assert!(receiver.is_receiver() && !receiver.is_write() && !receiver.is_read());
        note(Exhausted::FULL);
        let full = take_exhausted();
        assert!(full.is_full() && !full.is_read() && !full.is_write() && !full.is_empty());
        note(Exhausted::TAKEN);
        note(Exhausted::END);
        let taken = take_exhausted();
        assert!(taken.is_taken() && taken.is_ended() && !taken.is_full() && !taken.is_read());
    }
}
