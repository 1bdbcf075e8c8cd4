//! Directions that are reported as ready at the next wait without asking the host.

use std::mem;

use super::super::direction::{Direction, Ready};
use super::slot::{ReadState, WriteState};
use super::{Key, PollSet, Speculation};

impl PollSet {
    /// Takes reading for ready, if the registration is interested in it.
    pub(crate) fn speculate_reading(&mut self, key: Key, why: Speculation) {
        let Some(source) = self.source_mut(key) else {
            return;
        };
        if source.interest.has(Direction::Read) {
            source.unsettled = Some(why);
            self.list_speculative(key);
            self.leave_read(key.slot, ReadState::Speculative);
        }
    }

    /// Takes writing for ready, if the registration is interested in it.
    pub(super) fn speculate_writing(&mut self, key: Key) {
        let source = self.source_mut(key);
        if source.is_some_and(|source| source.interest.has(Direction::Write)) {
            self.list_speculative(key);
            self.leave_write(key.slot, WriteState::Speculative);
        }
    }

    fn list_speculative(&mut self, key: Key) {
        let listed = self.source_mut(key).is_some_and(|source| {
            source.read == ReadState::Speculative || source.write == WriteState::Speculative
        });
        if !listed {
            self.speculative.push(key);
        }
    }

    /// The writing side is shut, or will be when the backlog is out. Natively that ends
    /// the wait of who waits to write: takes it for writable, once, if that is of
    /// interest. Returns whether it was now.
    pub(crate) fn tell_shut(&mut self, key: Key) -> bool {
        match self.source_mut(key) {
            Some(source) if !source.told_shut && source.interest.has(Direction::Write) => {
                source.told_shut = true;
            }
            _ => return false,
        }
        self.speculate_writing(key);
        true
    }

    /// Hands out what is taken for ready.
    pub(crate) fn take_speculative(&mut self, mut report: impl FnMut(usize, Ready)) {
        let mut speculative = mem::take(&mut self.speculative);
        for key in speculative.drain(..) {
            let Some(source) = self.source_mut(key) else {
                continue;
            };
            let readable = source.read == ReadState::Speculative;
            if readable {
                source.read = ReadState::Idle;
            }
            let writable = source.write == WriteState::Speculative;
            if writable {
                source.write = WriteState::Idle;
            }
            let ready = Ready::new(readable, writable);
            if !ready.is_empty() {
                report(source.token, ready);
            }
        }
        // Keeps its room.
        self.speculative = speculative;
    }

    /// It is known now whether reading was rightly taken for ready, if it was.
    pub(crate) fn settle(&mut self, key: Key) -> Option<Speculation> {
        self.source_mut(key)?.unsettled.take()
    }
}
