//! What the operations on a source tell: whether it is to be armed, taken for ready
//! without asking, or left alone.

use super::super::backoff::Cause;
use super::super::direction::Direction;
use super::super::poll_set::Speculation;
use super::{Host, Interest, Key, Poller};

/// One in so many datagrams that find no room at their receiver has its sender go into
/// back-off. Not the first: a receiver in this program reads after one more wait.
const BACKOFF_AFTER_EAGAIN: u32 = 2;

impl<H: Host> Poller<H> {
    /// An operation emptied a source that it got something from: the source may
    /// be ready again soon.
    pub(crate) fn served(&mut self, key: Key) {
        match self.set.settle(key) {
            Some(Speculation::Served) => self.served.was_right(),
            Some(Speculation::Accepted) => self.accepted.was_right(),
            None => {}
        }
        if self.busy && self.served.is_worth_it() {
            self.set.speculate_reading(key, Speculation::Served);
        } else {
            self.set.arm(key, Interest::READ);
        }
    }

    /// An operation would have blocked.
    pub(crate) fn exhausted(&mut self, key: Key, interest: Interest) {
        if interest.has(Direction::Read) {
            match self.set.settle(key) {
                Some(Speculation::Served) => self.served.was_wrong(),
                Some(Speculation::Accepted) => self.accepted.was_wrong(),
                None => {}
            }
        }
        self.set.arm(key, interest);
    }

    /// A connection was accepted and registered: who connects often has something
    /// to say.
    pub(crate) fn accepted(&mut self, key: Key) {
        if self.busy && self.accepted.is_worth_it() {
            self.set.speculate_reading(key, Speculation::Accepted);
        }
    }

    /// A datagram found no room at its receiver, which is not who a poll asks: it
    /// calls the sender's socket writable all the while. Whoever reads in this
    /// program has done so after one more wait; another program may take long.
    pub(crate) fn refused(&mut self, key: Key) {
        self.refused += 1;
        if self.refused < BACKOFF_AFTER_EAGAIN {
            self.set.arm(key, Interest::WRITE);
        } else {
            self.refused = 0;
            self.back_off(vec![(key, Interest::WRITE)], Cause::Stuck);
        }
    }
}
