//! Who listens for which signal. Plain data: the signals come from the plugin's epoll.
//!
//! Whoever listens is told once of all that came since it was told last, as signals may
//! be one where several were sent. A listener that is gone keeps no waker.

use std::mem;
use std::task::{Context, Poll, Waker};

/// Linux's numbers, and one more.
const SIGNALS: usize = 64;

/// Names a listener.
pub(crate) type ListenerId = usize;

#[derive(Debug)]
struct Listener {
    signal: usize,
    /// How often its signal had come when it was told last.
    seen: u64,
    waker: Option<Waker>,
}

/// How often each signal came, and who waits for the next one.
#[derive(Debug)]
pub(crate) struct Listeners {
    came: [u64; SIGNALS],
    listeners: Vec<Option<Listener>>,
    free: Vec<ListenerId>,
}

impl Listeners {
    pub(crate) fn new() -> Listeners {
        Listeners {
            came: [0; SIGNALS],
            listeners: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Listens from now on. A number that is no signal's never comes.
    pub(crate) fn open(&mut self, signal: i32) -> ListenerId {
        let signal = usize::try_from(signal).unwrap_or(SIGNALS);
        let listener = Listener {
            signal,
            seen: self.came.get(signal).copied().unwrap_or(0),
            waker: None,
        };
        let id = self.free.pop().unwrap_or_else(|| {
            self.listeners.push(None);
            self.listeners.len() - 1
        });
        self.listeners[id] = Some(listener);
        id
    }

    /// Listens no longer. Gives the waker that was kept: dropping it may run anything, such
    /// as a drop that comes by here.
    #[must_use = "it is to be dropped where nothing is locked"]
    pub(crate) fn close(&mut self, id: ListenerId) -> Option<Waker> {
        let listener = self.listeners.get_mut(id)?.take()?;
        self.free.push(id);
        listener.waker
    }

    /// Signals came: bit `n` is signal `n`.
    pub(crate) fn add(&mut self, bits: u64) {
        for (signal, count) in self.came.iter_mut().enumerate() {
            *count += bits >> signal & 1;
        }
    }

    /// Whether the signal has come since the last time that it was told. If not, the waker
    /// is kept; the second value is one that was, see [`close`](Self::close).
    #[must_use = "it is to be dropped where nothing is locked"]
    pub(crate) fn poll(
        &mut self,
        id: ListenerId,
        cx: &mut Context<'_>,
    ) -> (Poll<()>, Option<Waker>) {
        let Some(Some(listener)) = self.listeners.get_mut(id) else {
            return (Poll::Pending, None);
        };
        let came = self.came.get(listener.signal).copied().unwrap_or(0);
        if mem::replace(&mut listener.seen, came) != came {
            return (Poll::Ready(()), listener.waker.take());
        }
        let is_known = |known: &Waker| known.will_wake(cx.waker());
        if listener.waker.as_ref().is_some_and(is_known) {
            return (Poll::Pending, None);
        }
        let before = listener.waker.replace(cx.waker().clone());
        (Poll::Pending, before)
    }

    /// Moves the wakers of those who wait for one of `bits`.
    pub(crate) fn take_wakers(&mut self, bits: u64, into: &mut Vec<Waker>) {
        for listener in self.listeners.iter_mut().flatten() {
            if listener.signal < SIGNALS && bits >> listener.signal & 1 != 0 {
                into.extend(listener.waker.take());
            }
        }
    }
}
