//! Who waits for which signal. Plain data: the signals come from the plugin's epoll.

use std::task::{Context, Poll, Waker};

/// Linux's numbers, and one more.
const SIGNALS: usize = 64;

/// How often each signal came, and who waits for the next one.
#[derive(Debug)]
pub(crate) struct Counts {
    came: [u64; SIGNALS],
    waiting: Vec<(i32, Waker)>,
}

impl Counts {
    pub(crate) fn new() -> Counts {
        Counts {
            came: [0; SIGNALS],
            waiting: Vec::new(),
        }
    }

    /// How often a signal came.
    pub(crate) fn of(&self, signal: i32) -> u64 {
        let signal = usize::try_from(signal).ok();
        let came = signal.and_then(|signal| self.came.get(signal));
        came.copied().unwrap_or(0)
    }

    /// Signals came: bit `n` is signal `n`.
    pub(crate) fn add(&mut self, bits: u64) {
        for (signal, count) in self.came.iter_mut().enumerate() {
            *count += bits >> signal & 1;
        }
    }

    /// Waits for a signal to have come more often than `seen`. Gives how often it has.
    pub(crate) fn poll(&mut self, signal: i32, seen: u64, cx: &mut Context<'_>) -> Poll<u64> {
        let came = self.of(signal);
        if came != seen {
            return Poll::Ready(came);
        }
        let waker = cx.waker();
        let is_known = |(other, known): &(i32, Waker)| *other == signal && known.will_wake(waker);
        if !self.waiting.iter().any(is_known) {
            self.waiting.push((signal, waker.clone()));
        }
        Poll::Pending
    }

    /// Who waited for one of `bits`.
    pub(crate) fn take_wakers(&mut self, bits: u64, into: &mut Vec<Waker>) {
        let came = |signal: i32| (0..64).contains(&signal) && bits >> signal & 1 != 0;
        let woken = self.waiting.extract_if(.., |(signal, _)| came(*signal));
        into.extend(woken.map(|(_, waker)| waker));
    }
}
