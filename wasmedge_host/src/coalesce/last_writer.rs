//! Who wrote last in this tick, and from where.

use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

/// Where a write comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Not from within an operation of a selector.
    Outside,
    /// From within one.
    Selector,
    /// The same, and the last write of this tick was the socket's, and went out by
    /// itself.
    SelectorAgain,
}

/// The last writer of this tick. A guest has one thread: these are atomic only to be
/// static.
pub(super) struct LastWriter {
    /// The socket whose selector runs an operation on it; -1 for none.
    within: AtomicI32,
    /// The socket whose write went out by itself last in this tick, within an operation
    /// of its selector; -1 for none.
    wrote: AtomicI32,
}

impl LastWriter {
    pub(super) const fn new() -> LastWriter {
        LastWriter {
            within: AtomicI32::new(-1),
            wrote: AtomicI32::new(-1),
        }
    }

    /// Runs `f` as an operation on `fd` of its selector.
    #[inline]
    pub(super) fn within<R>(&self, fd: i32, f: impl FnOnce() -> R) -> R {
        let outer = self.within.load(Relaxed);
        self.within.store(fd, Relaxed);
        let result = f();
        self.within.store(outer, Relaxed);
        result
    }

    /// Whether no selector runs an operation.
    #[inline]
    pub(super) fn is_outside(&self) -> bool {
        self.within.load(Relaxed) == -1
    }

    /// Where a write on the stream `fd` comes from.
    #[inline]
    pub(super) fn origin(&self, fd: i32) -> Origin {
        if self.within.load(Relaxed) != fd {
            Origin::Outside
        } else if self.follows(fd) {
            Origin::SelectorAgain
        } else {
            Origin::Selector
        }
    }

    /// Whether the next write on `fd` follows one of this tick.
    #[inline]
    pub(super) fn follows(&self, fd: i32) -> bool {
        self.wrote.load(Relaxed) == fd
    }

    /// All of a write on the stream `fd` went out by itself.
    #[inline]
    pub(super) fn wrote(&self, fd: i32) {
        let is_within = self.within.load(Relaxed) == fd;
        self.wrote.store(if is_within { fd } else { -1 }, Relaxed);
    }

    /// The next write on `fd` goes out by itself, and is told what the kernel says: its
    /// writing side is shut, or it is another socket.
    #[inline]
    pub(super) fn follows_nothing(&self, fd: i32) {
        if self.follows(fd) {
            self.wrote.store(-1, Relaxed);
        }
    }

    /// The tick is over.
    #[inline]
    pub(super) fn end(&self) {
        self.wrote.store(-1, Relaxed);
    }
}
